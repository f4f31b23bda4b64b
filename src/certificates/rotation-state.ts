/**
 * The state that the replicas share: the authority, the certificate that is served, and the step of the authority's replacement.
 * The keys of the Secret show the step, so any replica can continue where another has stopped.
 *
 *   steady      ca.crt ca.key  tls.crt tls.key  path
 *   publishing  the same, and next-ca.crt next-ca.key     the successor is in the CA bundles, and signs nothing yet
 *   overlap     the same, and previous-ca.crt             the successor is the authority; the CA bundles still have the one before
 *
 * In any of them previous-path: paths that API servers may still call.
 */
import { X509Certificate } from 'node:crypto';
import { anchorOf, certificatesIn } from './authorities.ts';
import { type KeyPair, parseKeyPair } from './key-pair.ts';
import { type Paths, pathPattern } from './paths.ts';

export interface RotationState extends Paths {
  /** Has signed `server`. */
  readonly authority: KeyPair;
  readonly server: KeyPair;
  readonly next: KeyPair | undefined;
  /** Certificates, PEM: their keys are thrown away. */
  readonly previous: readonly string[];
}

/** What could be read of a state. A part that is damaged counts as missing. */
export type Remains = {
  readonly [Key in keyof RotationState]?: RotationState[Key] | undefined;
};

export type RotationPhase = 'steady' | 'publishing' | 'overlap';

/** @param data the decoded values of the Secret, by key */
export function readState(data: ReadonlyMap<string, string>): Remains {
  const authority = readAuthority(data, 'ca');
  const server = readPair(data, 'tls');
  const path = data.get('path');
  return {
    authority,
    server: authority && server && anchorOf(server, [authority.certificate]) !== undefined ? server : undefined,
    next: readAuthority(data, 'next-ca'),
    previous: certificatesIn(data.get('previous-ca.crt') ?? ''),
    path: path !== undefined && pathPattern.test(path) ? path : undefined,
    previousPaths: (data.get('previous-path')?.split(',') ?? []).filter((one) => one === '' || pathPattern.test(one)),
  };
}

export function isComplete(remains: Remains): remains is RotationState {
  const { authority, server, path } = remains;
  return authority !== undefined && server !== undefined && path !== undefined && remains.previous !== undefined;
}

/** The keys of the Secret; undefined for those that must not be there. */
export function writeState(state: RotationState): Readonly<Record<string, string | undefined>> {
  return {
    'ca.crt': state.authority.certificate,
    'ca.key': state.authority.key,
    'tls.crt': state.server.certificate,
    'tls.key': state.server.key,
    'next-ca.crt': state.next?.certificate,
    'next-ca.key': state.next?.key,
    'previous-ca.crt': state.previous.length === 0 ? undefined : state.previous.join(''),
    path: state.path,
    'previous-path': state.previousPaths.length === 0 ? undefined : state.previousPaths.join(','),
  };
}

/** What every CA bundle must hold. */
export function bundleOf(state: RotationState): string[] {
  const next = state.next === undefined ? [] : [state.next.certificate];
  return [...new Set([state.authority.certificate, ...next, ...state.previous])];
}

export function phaseOf(state: RotationState): RotationPhase {
  if (state.next !== undefined) return 'publishing';
  return state.previous.length > 0 ? 'overlap' : 'steady';
}

function readPair(data: ReadonlyMap<string, string>, name: string): KeyPair | undefined {
  const pair = { certificate: data.get(`${name}.crt`) ?? '', key: data.get(`${name}.key`) ?? '' };
  try {
    parseKeyPair(pair, { certificate: `${name}.crt`, key: `${name}.key` });
    return pair;
  } catch {
    return undefined;
  }
}

/** One certificate, in the form in which it is compared. */
function readAuthority(data: ReadonlyMap<string, string>, name: string): KeyPair | undefined {
  const pair = readPair(data, name);
  if (pair === undefined) return undefined;
  const certificate = new X509Certificate(pair.certificate);
  return certificate.ca ? { certificate: certificate.toString(), key: pair.key } : undefined;
}
