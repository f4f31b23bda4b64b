/** The help that commander makes from the data of the commands, and what it finds wrong with arguments. */
import { CommanderError, Command as Parser, Option as ParserOption } from 'commander';
import type { Command } from './command.ts';
import { Misuse } from './misuse.ts';
import { helpOf } from './options.ts';

/**
 * Prints the help that the arguments ask for.
 * @throws Misuse when they ask for none: they are then wrong
 */
export function printHelp(
  args: readonly string[],
  commands: ReadonlyMap<string, Command>,
  print: (line: string) => void,
): void {
  const program = new Parser('bulkhead')
    .description('Keep the tenants of one Kubernetes cluster apart.')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    // Beside long flags 37 of 80 columns are left, which commander would not wrap.
    .configureHelp({ minWidthToWrap: 30 })
    // commander would print mistakes and end the process itself; main does both.
    .exitOverride()
    .configureOutput({ writeOut: (text) => print(text.trimEnd()), writeErr: () => {} });
  for (const [name, command] of commands) {
    const parser = program.command(name).summary(command.summary).description(descriptionOf(command));
    for (const [flag, option] of Object.entries(command.options)) {
      const { value, short } = option;
      const flags = `${short === undefined ? '' : `-${short}, `}--${flag}${value === undefined ? '' : ` <${value}>`}`;
      parser.addOption(new ParserOption(flags, helpOf(option)));
    }
    if (command.operands !== undefined) parser.argument(`[${command.operands.name}...]`, command.operands.help);
    parser.action(() => {});
  }
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The help is thrown as well, with exit code 0.
    if (error.exitCode === 0) return;
    throw new Misuse(error.message.replace(/^error: /, '').replaceAll('\n', ' '));
  }
  // commander takes `--tenants --config` for a folder of that name; Node refuses it.
  throw new Misuse('an option needs a value (write a value that begins with a dash as --OPTION=VALUE)');
}

function descriptionOf({ summary, details }: Command): string {
  const sentence = `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`;
  return details === undefined ? sentence : `${sentence} ${details}`;
}
