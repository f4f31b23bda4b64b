/** The log: one JSON object a line, written in blocks so that most lines cost no system call. */
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';

export type Level = 'info' | 'warn' | 'error';

export interface Logger extends PinoLogger {
  /**
   * Writes the same line as the method of that level would. For what happens at every request: pino puts a line together piece by
   * piece, which takes 35,000 instructions for the line of a review, against 17,000.
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
  if (stream !== undefined)
    return { log: logger(level, { write: (line) => stream.write(printable(line)) }), flush: () => {} };
  // Written at once and in order, as every program writes to its standard output: lines in flight would be lost or late at the end.
  const output = destination({ dest: 1, sync: true });
  // pino's own `minLength` measures all that has gathered again at every line: 7,000 instructions more with blocks of 4 KiB.
  let gathered = '';
  const pass = (): void => {
    if (gathered !== '') output.write(printable(gathered));
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

/**
 * What a terminal or a reader of lines could take for more than text, and JSON leaves as it is: control characters (U+009B begins
 * a command as ESC [ does), what some readers end a line at (U+0085, U+2028), and what is invisible or reorders text. The end of
 * the line itself stays.
 */
const unprintable = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * The same lines of JSON with these escaped: they come from names in requests, and from what API servers say (SRV-13).
 * Most lines are ASCII, which a native search finds out for a whole block at a fraction of what an expression costs.
 */
function printable(lines: string): string {
  if (Buffer.byteLength(lines) === lines.length && !lines.includes('\u007f')) return lines;
  return lines.replace(unprintable, (character) =>
    Array.from({ length: character.length }, (_, index) => codeUnit(character.charCodeAt(index))).join(''),
  );
}

function codeUnit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

function logger(level: string, output: DestinationStream): Logger {
  // No process id and host name in every line: the collector of the logs adds the name of the pod.
  const log = pino({ level, base: null }, output);
  return Object.assign(log, {
    record(level: Level, fields: Readonly<Record<string, unknown>>): void {
      if (!log.isLevelEnabled(level)) return;
      output.write(`{"level":${log.levels.values[level]},"time":${Date.now()},${JSON.stringify(fields).slice(1)}\n`);
    },
  });
}
