/**
 * Authorities that stay in a CA bundle for a while although this replica does not name them: another replica may serve by them, with
 * other files, another Secret, or certificates that come another way.
 */
import type { RotationState } from '../certificates/rotation-state.ts';
import type { Clock } from '../client/clock.ts';

export interface RetainedAuthorities {
  /**
   * @param own     what is to be named in any case
   * @param written what Bulkhead has written there
   * @returns what is to be named
   */
  with(own: readonly string[], written: readonly string[]): readonly string[];
  /**
   * What the Secret says now. One that is on its way out there stays as long as a replica may serve by it, and no longer; also
   * when an older Secret is put back meanwhile that does not know it.
   *
   * @param overlap milliseconds for which a replica may serve by it
   */
  learned(state: Pick<RotationState, 'authority' | 'next' | 'previous'>, overlap: number): void;
  /** What no CA bundle has any more is forgotten; if it comes back, its time begins again. */
  named(authorities: readonly string[]): void;
}

/** @param retention milliseconds for which one stays */
export function createRetainedAuthorities(clock: Pick<Clock, 'now'>, retention: number): RetainedAuthorities {
  /** Since when one has been in CA bundles alone. */
  const since = new Map<string, number>();
  /** Until when one stays that was seen on its way out. */
  const leavingUntil = new Map<string, number>();
  /** What the Secret has on its way out now. */
  let leaving: readonly string[] = [];

  function stays(authority: string): boolean {
    const end = leavingUntil.get(authority);
    if (end !== undefined) return clock.now() < end;
    const start = since.get(authority) ?? clock.now();
    since.set(authority, start);
    return clock.now() - start < retention;
  }

  return {
    with(own, written) {
      for (const one of own) since.delete(one);
      const others = written.filter((one) => !own.includes(one));
      return [...new Set([...own, ...others.filter(stays)])];
    },
    learned({ authority, next, previous }, overlap) {
      leaving = previous;
      for (const one of [authority, next]) if (one !== undefined) leavingUntil.delete(one.certificate);
      for (const one of previous) if (!leavingUntil.has(one)) leavingUntil.set(one, clock.now() + overlap);
    },
    named(authorities) {
      for (const one of [...since.keys(), ...leavingUntil.keys()]) {
        if (authorities.includes(one)) continue;
        since.delete(one);
        // The Secret will have it named again, where webhook configurations were deleted and applied.
        if (!leaving.includes(one)) leavingUntil.delete(one);
      }
    },
  };
}
