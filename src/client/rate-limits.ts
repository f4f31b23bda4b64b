import type { BackoffLimits } from './backoff.ts';
import type { Clock } from './clock.ts';

export interface RateLimitOptions extends BackoffLimits {
  /** So many times may come one right after the other; after the last of them the first wait begins. */
  readonly free: number;
}

/** Waits by key that grow from one time to the next. Each is at least half of its limit ("equal jitter"), so the rate is bounded. */
export interface RateLimits {
  /** Milliseconds until it may be done; 0: at once. */
  left(key: string): number;
  /**
   * It was done: its next wait begins.
   *
   * @param asked milliseconds that it lasts at least
   * @returns how long it is, in milliseconds
   */
  begin(key: string, asked?: number): number;
  /** Lets a wait that has begun last so long at most, but no less than was asked for. */
  shorten(key: string, milliseconds: number): void;
  forget(key: string): void;
  /** How many keys were done so often lately that they had to wait. */
  size(): number;
}

/** A key that was at rest for so long is forgotten. Longer than any wait in a conflict. */
const calmAfter = 300_000;

interface Wait {
  readonly count: number;
  readonly at: number;
  readonly asked: number;
  readonly until: number;
}

export function createRateLimits({ free, first, limit }: RateLimitOptions, clock: Clock): RateLimits {
  /** The one that began last is the last. */
  const waits = new Map<string, Wait>();

  function forgetOld(): void {
    for (const [key, { until }] of waits) {
      if (clock.now() - until < calmAfter) return;
      waits.delete(key);
    }
  }

  return {
    left: (key) => Math.max(0, (waits.get(key)?.until ?? 0) - clock.now()),
    begin(key, asked = 0) {
      forgetOld();
      const count = (waits.get(key)?.count ?? 0) + 1;
      const longest = count < free ? 0 : Math.min(limit, first * 2 ** Math.min(count - free, 30));
      const wait = Math.max(asked, (longest * (1 + clock.random())) / 2);
      const at = clock.now();
      waits.delete(key);
      waits.set(key, { count, at, asked, until: at + wait });
      return wait;
    },
    shorten(key, milliseconds) {
      const wait = waits.get(key);
      if (wait === undefined) return;
      const { at, asked, until } = wait;
      waits.set(key, { ...wait, until: Math.min(until, at + Math.max(asked, milliseconds)) });
    },
    forget: (key) => void waits.delete(key),
    size() {
      forgetOld();
      return [...waits.values()].filter(({ count }) => count >= free).length;
    },
  };
}
