/** The log: one JSON object a line, written in blocks so that most lines cost no system call. */
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';

export type Level = 'info' | 'warn' | 'error';

export interface Logger extends PinoLogger {
  /**
   * Writes the same line as the method of that level would. For what happens at every request: pino puts a line together piece by
   * piece, and making it at once costs a third of the instructions.
   * @param fields in the order of the line, with the message as `msg`
   */
  record(level: Level, fields: Readonly<Record<string, unknown>> & { readonly msg: string }): void;
}

export interface Log {
  readonly log: Logger;
  /** Writes what is buffered. To be called before the process ends; a crash may lose the last second. */
  flush(): void;
}

/** Lines are written when so many characters have gathered, or after `flushMilliseconds`. */
const blockLength = 16_384;
const flushMilliseconds = 1000;

/** @param stream where lines go instead of the standard output, unbuffered; for tests */
export function createLog(level: string, stream?: DestinationStream): Log {
  if (stream !== undefined) return { log: logger(level, stream), flush: () => {} };
  // Written at once and in order, as every program writes to its standard output: lines in flight would be lost or late at the end.
  const output = destination({ dest: 1, sync: true });
  // Gathered here and not by pino's own `minLength`, which measures all that has gathered again at every line.
  let gathered = '';
  const pass = (): void => {
    if (gathered !== '') output.write(gathered);
    gathered = '';
  };
  setInterval(pass, flushMilliseconds).unref();
  const write = (line: string): void => {
    gathered += line;
    if (gathered.length >= blockLength) pass();
  };
  const flush = (): void => {
    pass();
    output.flushSync();
  };
  return { log: logger(level, { write }), flush };
}

function logger(level: string, output: DestinationStream): Logger {
  // No process id and host name in every line: the pod's name is added by whoever collects the lines.
  const log = pino({ level, base: null }, output);
  return Object.assign(log, {
    record(level: Level, fields: Readonly<Record<string, unknown>>): void {
      if (!log.isLevelEnabled(level)) return;
      output.write(`{"level":${log.levels.values[level]},"time":${Date.now()},${JSON.stringify(fields).slice(1)}\n`);
    },
  });
}
