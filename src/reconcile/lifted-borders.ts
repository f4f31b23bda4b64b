/**
 * When the passes of a border that is given up may go, once its denies are gone. In a rollout, another replica may still have settings that
 * want the border, and restore it. A deny without the passes would cut off what is agreed, and passes alone change nothing. So they wait.
 */
import type { Clock } from '../client/clock.ts';

export interface LiftedBorders {
  /**
   * @param denied whether a part that denies was there just now
   * @returns milliseconds until the passes may go; 0: now
   */
  left(tenant: string, denied: boolean): number;
  /** It is kept again, or nothing of it is left. */
  forget(tenant: string): void;
}

/** What a watch may need, at the most, to tell of a deny that is restored. */
const least = 5_000;

/**
 * As long as others restored the denies, and as long again: their next wait (conflictLimits) is at most the sum of all before, twice, as
 * each is at least half of its limit, and it is at most a minute.
 */
const most = 75_000;

export function createLiftedBorders(clock: Clock): LiftedBorders {
  const lifted = new Map<string, { readonly first: number; readonly last: number }>();
  return {
    left(tenant, denied) {
      const now = clock.now();
      const before = lifted.get(tenant);
      const first = before?.first ?? now;
      const last = denied ? now : (before?.last ?? now);
      lifted.set(tenant, { first, last });
      return Math.max(0, last + Math.min(most, least + 2 * (last - first)) - now);
    },
    forget: (tenant) => void lifted.delete(tenant),
  };
}
