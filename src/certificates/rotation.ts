/**
 * The next step of the rotation, as a function of what is there. Every replica takes steps; the store takes the first and
 * refuses the others, who look again.
 *
 *   steady ──(asked, or two thirds of its life over)──► publishing ──(successor read back, propagated)──► overlap ──(over)──► steady
 *
 * The same authority renews the served certificate at two thirds of its life: the CA bundles stay valid.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { isValidAt } from './authorities.ts';
import { issueAuthority, issueServerCertificate } from './issue-certificate.ts';
import type { KeyPair } from './key-pair.ts';
import type { Observed } from './observed.ts';
import { newPath, nextPaths, type PathFacts, type PathLimits, type Paths, replacePath } from './paths.ts';
import { isComplete, type Remains, type RotationState } from './rotation-state.ts';

export interface RotationFacts extends PathFacts {
  /** Milliseconds since 1970: the clock by which certificates are judged. */
  readonly now: number;
  readonly observed: Observed;
  /** Milliseconds for which this replica has known the certificate that is to be served. */
  readonly serverKnownFor: number;
  /** A replacement of the authority was requested. */
  readonly asked: boolean;
}

/** Milliseconds, all of them. */
export interface RotationLimits extends PathLimits {
  /** API servers learn of a changed configuration by a watch: after so long every one has. */
  readonly propagationDelay: number;
  /** After so long every replica serves a certificate of the new authority. */
  readonly overlap: number;
  readonly authorityLifetime: number;
  readonly serverLifetime: number;
}

const minute = 60_000;
const day = 24 * 60 * minute;

export const rotationLimits: RotationLimits = {
  propagationDelay: minute,
  // Longer than the longest time for which a lost event of a watch can stay unnoticed (12.5 minutes, see list-watch.ts).
  overlap: 15 * minute,
  authorityLifetime: 365 * day,
  // Renewed after twenty days; ten are left to notice that it fails.
  serverLifetime: 30 * day,
  pathLifetime: day,
};

export interface Step {
  readonly state: RotationState;
  /** For the log. */
  readonly reason: string;
}

/**
 * @param names what the certificate is for, at least one
 * @returns undefined when there is nothing to do now
 */
export function nextStep(
  remains: Remains,
  facts: RotationFacts,
  names: readonly string[],
  limits: RotationLimits,
): Step | undefined {
  const { now, observed } = facts;
  const issue = (authority: KeyPair): KeyPair => issueServerCertificate(authority, names, now, limits.serverLifetime);
  const { authority, server, next } = remains;
  const previous = remains.previous ?? [];
  const paths = pathsOf(remains, observed);

  if (authority === undefined) {
    const made = issueAuthority(now, limits.authorityLifetime);
    // Replicas may serve by any authority in the bundles, even one that has expired by the clock here, which may be wrong.
    const bundled = [...new Set([...previous, ...observed.authorities])];
    return {
      state: { authority: made, server: issue(made), next: undefined, previous: bundled, ...paths },
      reason: 'there was no authority',
    };
  }
  const good = isValidAt(authority.certificate, now);
  if (next !== undefined) {
    if (!isValidAt(next.certificate, now))
      return whole({ next: issueAuthority(now, limits.authorityLifetime) }, 'the successor is not valid now');
    const inBundlesFor = observed.hasBundle ? observed.inBundlesFor(next.certificate) : Number.POSITIVE_INFINITY;
    if (inBundlesFor !== undefined && inBundlesFor >= limits.propagationDelay)
      return {
        state: {
          authority: next,
          server: issue(next),
          next: undefined,
          previous: [...new Set([authority.certificate, ...previous])],
          ...paths,
        },
        reason: 'the CA bundles have the successor',
      };
  }
  if (good && (server === undefined || !isUsable(server.certificate, names, now, limits.serverLifetime)))
    return {
      state: { authority, server: issue(authority), next, previous, ...paths },
      reason: 'the certificate was due for renewal',
    };
  if (next === undefined) {
    const due = facts.asked || isDue(authority.certificate, now, limits.authorityLifetime);
    if (!good || (due && previous.length === 0))
      return whole(
        {
          next: issueAuthority(now, limits.authorityLifetime),
          // A user who has read the Secret has read the path.
          ...replacePath(paths),
        },
        facts.asked ? 'another authority was asked for' : 'the authority is due for replacement',
      );
    const inBundlesFor = observed.hasBundle
      ? (observed.inBundlesFor(authority.certificate) ?? 0)
      : facts.serverKnownFor;
    if (previous.length > 0 && Math.min(inBundlesFor, facts.serverKnownFor) >= limits.overlap)
      return whole({ previous: [] }, 'the overlap is over');
  }
  if (remains.path === undefined) return whole({}, 'there was no path');
  const replaced = nextPaths(paths, facts, limits);
  return replaced && whole(replaced.paths, replaced.reason);

  function whole(changes: Partial<RotationState>, reason: string): Step | undefined {
    const state = { ...remains, previous, ...paths, ...changes };
    // Only without a certificate of an authority that is over: the one of its successor comes first.
    return isComplete(state) ? { state, reason } : restart(changes, reason);
  }

  /** Nothing can be served until the successor is in its place, and no client accepts the authority any more. */
  function restart({ next: successor }: Partial<RotationState>, reason: string): Step | undefined {
    if (successor === undefined) return undefined;
    const state = { authority: successor, server: issue(successor), next: undefined, previous, ...paths };
    return { state, reason };
  }
}

/** A path that is lost is made anew; API servers may know what it was. */
function pathsOf({ path, previousPaths = [] }: Remains, observed: Observed): Paths {
  if (path !== undefined) return { path, previousPaths };
  return { path: newPath(), previousPaths: [...new Set([...previousPaths, ...observed.paths])] };
}

/** Valid now, good for all names, and with more than a third of its life before it. */
function isUsable(text: string, names: readonly string[], now: number, lifetime: number): boolean {
  const certificate = new X509Certificate(text);
  const covers = (name: string) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined;
  return isValidAt(text, now) && !isDue(text, now, lifetime) && names.every(covers);
}

/** Two thirds of its life are over. One that was cut short by the end of its authority has a shorter life. */
function isDue(text: string, now: number, lifetime: number): boolean {
  const { validFromDate, validToDate } = new X509Certificate(text);
  const end = validToDate.getTime();
  return now >= end - Math.min(lifetime, end - validFromDate.getTime()) / 3;
}
