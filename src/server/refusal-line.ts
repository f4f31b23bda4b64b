/** Requests that are refused without a review, in the log: one line at a time for all of them, so that a flood of them is no flood of lines. */
import type { Logger } from './log.ts';
import type { Refusal } from './refusals.ts';

export interface RefusalLog {
  /**
   * The first is logged at once, those that follow together when the interval is over.
   * @param detail of the refused client; a line for several has that of the last one
   */
  count(reason: Refusal, detail?: string): void;
  /** Logs the refusals that are not logged yet. */
  end(): void;
}

export function createRefusalLog(log: Logger, intervalMilliseconds = 1000): RefusalLog {
  let untold: Partial<Record<Refusal, number>> = {};
  let last: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  function tell(): void {
    timer = undefined;
    if (Object.keys(untold).length === 0) return;
    log.warn(
      last === undefined ? { refused: untold } : { refused: untold, last },
      'requests were refused without a review',
    );
    untold = {};
    last = undefined;
    timer = setTimeout(tell, intervalMilliseconds).unref();
  }

  return {
    count(reason, detail) {
      last = detail ?? last;
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
