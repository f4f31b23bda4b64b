/**
 * The secret segment of the webhook's URLs, and how it is replaced without a failed call.
 *
 * An API server shows the whole URL of a failed call to the user whom it refuses. So a path is replaced after a day. It is also replaced
 * an overlap after a replica has found it at its start, which may have been the end of an outage.
 * A new path is first in the Secret for an overlap, so that every replica answers under it. Then it is written into the webhook
 * configurations. The one before is answered until all of them have named the new one for an overlap.
 *
 * API servers call the path in the webhook configurations. That can be another path, after the Secret was lost or restored, or
 * after a change of the source of certificates. Then it counts as the one before.
 */
import { randomBytes } from 'node:crypto';
import type { Observed } from './observed.ts';

export interface Paths {
  /** The segment that webhook configurations must have. Empty: none, where the path is not secret. */
  readonly path: string;
  /** What they may name still. */
  readonly previousPaths: readonly string[];
}

export interface PathFacts {
  readonly observed: Pick<Observed, 'paths' | 'pathNamedFor'>;
  /** Milliseconds for which this replica has known the path, or has run without one. */
  readonly pathKnownFor: number;
  /** It was there when this replica started. */
  readonly pathFound: boolean;
}

export interface PathLimits {
  /** Milliseconds after which every replica has learned what is in the Secret, and every API server what the configurations say. */
  readonly overlap: number;
  /** Milliseconds after which a path is replaced. */
  readonly pathLifetime: number;
}

/** 192 bits. In the path of a Service the API server takes lower case alone: each segment must be a DNS name. */
export const newPath = (): string => randomBytes(24).toString('hex');

export const pathPattern = /^[0-9a-f]{32,64}$/;

/** What comes before `/validate` in a URL. */
export function prefixOf(path: string): string {
  return path === '' ? '' : `/${path}`;
}

/** The path in `/PATH/validate`, empty for `/validate`; undefined: Bulkhead has not written this. */
export function pathIn(urlPath: string, endpoint: string): string | undefined {
  if (!urlPath.endsWith(`/${endpoint}`)) return undefined;
  const prefix = urlPath.slice(0, -endpoint.length - 1);
  const path = prefix.slice(1);
  return prefix === '' || (prefix.startsWith('/') && pathPattern.test(path)) ? path : undefined;
}

export function replacePath({ path, previousPaths }: Paths): Paths {
  return { path: newPath(), previousPaths: [...new Set([path, ...previousPaths])] };
}

/** @returns undefined when there is nothing to do now */
export function nextPaths(
  { path, previousPaths }: Paths,
  { observed, pathKnownFor, pathFound }: PathFacts,
  { overlap, pathLifetime }: PathLimits,
): { readonly paths: Paths; readonly reason: string } | undefined {
  const others = observed.paths.filter((one) => one !== path && !previousPaths.includes(one));
  if (others.length > 0)
    return { paths: { path, previousPaths: [...others, ...previousPaths] }, reason: 'API servers call another path' };
  if (previousPaths.length > 0) {
    const namedFor = observed.paths.length === 0 ? pathKnownFor : (observed.pathNamedFor(path) ?? 0);
    if (Math.min(namedFor, pathKnownFor) < overlap) return undefined;
    return { paths: { path, previousPaths: [] }, reason: 'no webhook configuration names the previous path any more' };
  }
  if (pathKnownFor < (pathFound ? overlap : pathLifetime)) return undefined;
  return { paths: replacePath({ path, previousPaths }), reason: 'the path was due for replacement' };
}

/**
 * Which path a webhook configuration is to name now. It is never taken away before every replica answers under another one, nor before
 * the Secret says that it is still answered.
 *
 * @param named     what it names; undefined: nothing that leads to Bulkhead
 * @param byOthers  what any configuration names
 * @param hasPropagated every replica has learned of the path
 */
export function pathToName(
  { path, previousPaths }: Paths,
  named: string | undefined,
  byOthers: readonly string[],
  hasPropagated: boolean,
): string {
  if (named !== undefined) {
    const isAnswered = named === path || previousPaths.includes(named);
    return isAnswered && hasPropagated ? path : named;
  }
  if (hasPropagated || byOthers.includes(path)) return path;
  // The webhooks of one name are proven by each other, and so lead to the same place.
  return previousPaths.find((one) => byOthers.includes(one)) ?? previousPaths[0] ?? path;
}
