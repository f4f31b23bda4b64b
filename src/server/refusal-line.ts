/** Requests that are refused without a review, in the log: one line at a time for all of them, so that a flood of them is no flood of lines. */
import type { Logger } from './log.ts';
import type { Refusal } from './metrics.ts';

export interface RefusalLog {
  /** The first is told at once, those that follow together when the interval is over. */
  count(reason: Refusal): void;
  /** Tells what is not told yet. */
  end(): void;
}

export function createRefusalLog(log: Logger, intervalMilliseconds = 1000): RefusalLog {
  let untold: Partial<Record<Refusal, number>> = {};
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    timer = undefined;
    if (Object.keys(untold).length === 0) return;
    log.warn({ refused: untold }, 'requests were refused without a review');
    untold = {};
    timer = setTimeout(tell, intervalMilliseconds).unref();
  }

  return {
    count(reason) {
      untold[reason] = (untold[reason] ?? 0) + 1;
      if (timer === undefined) tell();
    },
    end() {
      clearTimeout(timer);
      tell();
      clearTimeout(timer);
    },
  };
}
