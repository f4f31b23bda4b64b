/** What a command is: a summary, options and `run`. Each has a file of its own, and a line in commands.ts. */
import type { Options, Values } from './options.ts';

/** A process that goes on after `run`, until a signal ends it. */
export interface LongRunning {
  /** Goes on until every client has left its connection, then ends. Rejects as `stop` does. */
  drain(): Promise<void>;
  /** Ends once the requests in flight are answered. Rejects when a part of it could not be ended; the others are. */
  stop(): Promise<void>;
}

/** What `run` may use of the process. */
export interface Surroundings {
  /** Prints a line on the standard output. */
  print(line: string): void;
  /** Prints a line on the standard error that is no part of the answer. Undefined: there is none. */
  remark?(line: string): void;
  /** The variables of the process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The standard input. Undefined: there is none. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Shows in one line of a terminal how far a command is; an empty text takes it away. Undefined: there is no terminal. */
  readonly progress?: ((text: string) => void) | undefined;
}

/**
 * @param operands the words that belong to no option
 * @throws Misuse when options contradict each other, CannotStart when files or the cluster must be mended first
 */
type Run<Given> = (
  values: Given,
  surroundings: Surroundings,
  operands: readonly string[],
) => Promise<ExitCode | LongRunning>;

/** Words after the options, of any number. */
export interface Operands {
  /** In capitals, as in the help. */
  readonly name: string;
  readonly help: string;
}

/** 1: the command did what it should, and the answer is bad. 2: a part could not be read, so the answer may be wrong. */
export type ExitCode = 0 | 1 | 2;

export interface Command {
  /** Imperative, without a full stop: the line of the command in `bulkhead --help`. */
  readonly summary: string;
  /** Sentences that only `bulkhead COMMAND --help` prints, below the summary. */
  readonly details?: string | undefined;
  readonly options: Options;
  /** Undefined: there are none, and a word too many is a mistake. */
  readonly operands?: Operands | undefined;
  readonly run: Run<(flag: string) => readonly string[]>;
}

/** A command whose `run` gets the values of its options, each of the type that the option reads. */
export function defineCommand<Declared extends Options>(definition: {
  readonly summary: string;
  readonly details?: string;
  readonly options: Declared;
  readonly operands?: Operands;
  readonly run: Run<Values<Declared>>;
}): Command & { readonly options: Declared } {
  const { summary, details, options, operands, run } = definition;
  return {
    summary,
    details,
    options,
    operands,
    run: async (textsOf, surroundings, words) => run(readValues(options, textsOf), surroundings, words),
  };
}

function readValues<Declared extends Options>(
  options: Declared,
  textsOf: (flag: string) => readonly string[],
): Values<Declared> {
  const values = Object.entries(options).map(([flag, option]) => [flag, option.read(textsOf(flag), `--${flag}`)]);
  return Object.fromEntries(values) as Values<Declared>;
}
