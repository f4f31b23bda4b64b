/**
 * Memory that nobody needs is given back while nobody asks. What a start leaves behind is a tenth of what an idle replica keeps; later
 * probes, scrapes and watches fill the young generation, of which Node gives nothing back by itself.
 *
 *   5 s after the start    whatever happens: the first reviews are answered, and their code is compiled
 *   every 30 s             when no review came in since the last look
 *
 * A pause of 30 ms (40 where there are 5,000 namespaces), in which a review would wait. Only where Node lets a program do it
 * (--expose-gc, as the image says).
 */
import type { Clock } from '../client/clock.ts';

const afterStart = 5_000;
const period = 30_000;

export interface TidyOptions {
  readonly clock: Clock;
  /** How many reviews have come in since the start. */
  readonly reviews: () => number;
  readonly collect?: () => void;
}

/** @returns what ends it */
export function tidyUpWhenIdle({ clock, reviews, collect = collectGarbage }: TidyOptions): () => void {
  let seen = 0;
  let cancel = clock.after(afterStart, () => {
    collect();
    look();
  });
  function look(): void {
    seen = reviews();
    cancel = clock.after(period, () => {
      if (reviews() === seen) collect();
      look();
    });
  }
  return () => cancel();
}

function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
