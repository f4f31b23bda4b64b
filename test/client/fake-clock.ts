import type { Clock } from '../../src/client/clock.ts';

/** Time that stands still until the test moves it. */
export interface FakeClock extends Clock {
  /** Moves time on, and runs what becomes due on the way, in order. */
  advance(milliseconds: number): void;
  /** The waits that are running, in milliseconds from now, shortest first. */
  waits(): number[];
}

/** @param chance what `random` gives, always */
export function fakeClock(chance = 0.5): FakeClock {
  let now = 1_000;
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  const sorted = () => [...timers].sort((one, other) => one.at - other.at);
  return {
    now: () => now,
    random: () => chance,
    after(milliseconds, run) {
      const timer = { at: now + milliseconds, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(milliseconds) {
      const end = now + milliseconds;
      for (let [next] = sorted(); next !== undefined && next.at <= end; [next] = sorted()) {
        timers.delete(next);
        now = next.at;
        next.run();
      }
      now = end;
    },
    waits: () => sorted().map(({ at }) => at - now),
  };
}

/** Lets the event loop turn until `condition` holds; for what really goes over a socket. Fails after ten seconds of real time. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
