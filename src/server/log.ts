/** The log: one JSON object a line, written in blocks so that a line costs no system call on the path of a request. */
import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export interface Log {
  readonly log: Logger;
  /** Writes what is buffered. To be called before the process ends; a crash may lose the last second. */
  flush(): void;
}

/** Lines are written when so many bytes have gathered, or after `flushMilliseconds`. */
const blockBytes = 4096;
const flushMilliseconds = 1000;

/** @param stream where lines go instead of the standard output, unbuffered; for tests */
export function createLog(level: string, stream?: DestinationStream): Log {
  // No process id and host name in every line: the pod's name is added by whoever collects the lines.
  const options = { level, base: null };
  if (stream !== undefined) return { log: pino(options, stream), flush: () => {} };
  const output = destination({ dest: 1, sync: false, minLength: blockBytes, periodicFlush: flushMilliseconds });
  return { log: pino(options, output), flush: () => output.flushSync() };
}
