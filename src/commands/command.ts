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
  /** The variables of the process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @throws Misuse when options contradict each other, CannotStart when files or the cluster must be mended first */
type Run<Given> = (values: Given, surroundings: Surroundings) => Promise<ExitCode | LongRunning>;

/** 1: the command did what it should, and the answer is bad. */
export type ExitCode = 0 | 1;

export interface Command {
  /** Imperative, without a full stop: the line of the command in `bulkhead --help`. */
  readonly summary: string;
  /** Sentences that only `bulkhead COMMAND --help` prints, below the summary. */
  readonly details?: string | undefined;
  readonly options: Options;
  readonly run: Run<(flag: string) => readonly string[]>;
}

/** A command whose `run` gets the values of its options, each of the type that the option reads. */
export function defineCommand<Declared extends Options>(definition: {
  readonly summary: string;
  readonly details?: string;
  readonly options: Declared;
  readonly run: Run<Values<Declared>>;
}): Command & { readonly options: Declared } {
  const { summary, details, options, run } = definition;
  return {
    summary,
    details,
    options,
    run: async (textsOf, surroundings) => run(readValues(options, textsOf), surroundings),
  };
}

function readValues<Declared extends Options>(
  options: Declared,
  textsOf: (flag: string) => readonly string[],
): Values<Declared> {
  const values = Object.entries(options).map(([flag, option]) => [flag, option.read(textsOf(flag), `--${flag}`)]);
  return Object.fromEntries(values) as Values<Declared>;
}
