/** How far a command is, on a terminal. */
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
