/** How far a command is, on a terminal. */
import type { Clock } from '../client/clock.ts';
import type { Surroundings } from './command.ts';

/** A command that takes longer says how far it is. */
const quietMilliseconds = 1000;
const tickMilliseconds = 200;

export type OnProgress = (done: number, all: number, what: string) => void;

/** Says nothing within the first second, and then not more often than a person reads. */
export function progressOf({ progress }: Pick<Surroundings, 'progress'>, now: () => number): OnProgress {
  let last = now() + quietMilliseconds - tickMilliseconds;
  return (done, all, what) => {
    if (progress === undefined || now() - last < tickMilliseconds) return;
    last = now();
    progress(`${done} of ${all} ${what}`);
  };
}

/** What is read of a cluster, one by one. */
export interface Counting {
  one(): void;
  end(): void;
}

/** It does not keep the process alive. */
const background: Pick<Clock, 'after'> = {
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};

/** While a server lets wait nothing happens that could tell, so a clock does. */
export function countingOf(
  { progress }: Pick<Surroundings, 'progress'>,
  clock: Pick<Clock, 'after'> = background,
): Counting {
  if (progress === undefined) return { one() {}, end() {} };
  let [count, shown] = [0, ''];
  const show = (): void => {
    const text = `${count} objects`;
    if (text !== shown) progress(text);
    shown = text;
    cancel = clock.after(tickMilliseconds, show);
  };
  let cancel = clock.after(quietMilliseconds, show);
  return {
    one: () => void count++,
    end() {
      cancel();
      if (shown !== '') progress('');
    },
  };
}
