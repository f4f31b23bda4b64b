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
  let unlogged: Partial<Record<Refusal, number>> = {};
  let last: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  function logRefusals(): void {
    timer = undefined;
    if (Object.keys(unlogged).length === 0) return;
    log.warn(
      last === undefined ? { refused: unlogged } : { refused: unlogged, last },
      'requests were refused without a review',
    );
    unlogged = {};
    last = undefined;
    timer = setTimeout(logRefusals, intervalMilliseconds).unref();
  }

  return {
    count(reason, detail) {
      last = detail ?? last;
      unlogged[reason] = (unlogged[reason] ?? 0) + 1;
      if (timer === undefined) logRefusals();
    },
    end() {
      clearTimeout(timer);
      logRefusals();
      clearTimeout(timer);
    },
  };
}
