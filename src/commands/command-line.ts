/** Arguments in, the outcome of a command out. Node parses them; help and mistakes are explained by help.ts, loaded on demand. */
import { parseArgs } from 'node:util';
import type { Command, ExitCode, LongRunning, Surroundings } from './command.ts';
import { commands } from './commands.ts';
import { Misuse } from './misuse.ts';

/** @throws Misuse, CannotStart */
export async function runCommandLine(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode | LongRunning> {
  const [name = '--help', ...rest] = withoutHelpCommand(args);
  // The help of `bulkhead` itself has a line for each command.
  if (name.startsWith('-')) return explain([name, ...rest], Object.keys(commands), surroundings);
  const file = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (file === undefined) return explain([name], Object.keys(commands), surroundings);
  try {
    const { command } = await file();
    const parsed = rest.some((word) => word === '--help' || word === '-h') ? undefined : parse(rest, command);
    if (parsed === undefined) return await explain([name, ...rest], [name], surroundings);
    return await command.run(parsed.textsOf, surroundings, parsed.operands);
  } catch (error) {
    throw error instanceof Misuse ? new Misuse(error.message, name) : error;
  }
}

/** `help COMMAND` is `COMMAND --help`, so that an unknown command is a mistake in both. */
function withoutHelpCommand(args: readonly string[]): readonly string[] {
  const [first, ...others] = args;
  return first === 'help' ? [...others, '--help'] : args;
}

interface Parsed {
  /** The texts that are given for an option. */
  textsOf(flag: string): readonly string[];
  readonly operands: readonly string[];
}

/** @returns undefined when something is wrong with the arguments */
function parse(args: readonly string[], command: Command): Parsed | undefined {
  const declared = Object.entries(command.options).map(([flag, { value, short }]) => {
    const type = value === undefined ? 'boolean' : 'string';
    return [flag, { type, multiple: true, ...(short !== undefined && { short }) }] as const;
  });
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries(declared),
      strict: true,
      allowPositionals: command.operands !== undefined,
    });
    return { textsOf: (flag) => [values[flag] ?? []].flat().map(String), operands: positionals };
  } catch {
    return undefined;
  }
}

/** Loading commander costs 6 ms, which a start of `serve` does not wait for. */
async function explain(args: readonly string[], names: readonly string[], { print }: Surroundings): Promise<0> {
  const { printHelp } = await import('./help.ts');
  const files = names.map(async (name): Promise<[string, Command][]> => {
    const file = await commands[name]?.();
    return file === undefined ? [] : [[name, file.command]];
  });
  printHelp(args, new Map((await Promise.all(files)).flat()), print);
  return 0;
}
