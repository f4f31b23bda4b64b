/** The command line without a process: help, mistakes, and that the data of the commands is what the help prints. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { commands } from '../../src/commands/commands.ts';
import { Misuse } from '../../src/commands/misuse.ts';

const names = Object.keys(commands);

/** What it prints, on one line. */
async function printed(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const outcome = await runCommandLine(args, { print: (line) => lines.push(line), environment: {} });
  t.equal(outcome, 0, `bulkhead ${args.join(' ')} ends with 0`);
  return lines.join('\n').replace(/\s+/g, ' ');
}

async function mistakeOf(...args: string[]): Promise<{ message: string; command: string | undefined }> {
  try {
    await runCommandLine(args, { print: () => {}, environment: {} });
  } catch (error) {
    if (error instanceof Misuse) return { message: error.message, command: error.command };
    throw error;
  }
  throw new Error(`bulkhead ${args.join(' ')} is no mistake`);
}

t.test('the help of bulkhead has a line for each command', async (t) => {
  const help = await printed('--help');
  for (const [name, file] of Object.entries(commands)) {
    const { summary, options, operands } = (await file()).command;
    const words = [
      ...(Object.keys(options).length === 0 ? [] : ['[options]']),
      ...(operands ? [`[${operands.name}...]`] : []),
    ];
    const shown = [name, ...words].join(' ');
    t.match(help, `${shown} ${summary}`, `${name}: ${summary}`);
  }
  for (const args of [[], ['-h'], ['help']])
    t.equal(await printed(...args), help, `bulkhead ${args.join(' ')} is the same`);
});

t.test('the help of a command has each option with what it does and its default', async (t) => {
  for (const [name, file] of Object.entries(commands)) {
    const { summary, options } = (await file()).command;
    const help = await printed(name, '--help');
    t.match(help.toLowerCase(), `usage: bulkhead ${name}`);
    t.match(help.toLowerCase(), `${summary.toLowerCase()}.`);
    for (const [flag, option] of Object.entries(options)) {
      const shown = option.value === undefined ? `--${flag}` : `--${flag} <${option.value}>`;
      t.match(help, `${shown} ${option.help} (default: ${option.default})`, `${name} ${shown}`);
    }
    t.equal(await printed('help', name), help, `bulkhead help ${name} is the same`);
  }
});

t.test('mistakes come with a suggestion, and with the command whose help says more', async (t) => {
  const mistakes = [
    { args: ['serv'], message: "unknown command 'serv' (Did you mean serve?)", command: undefined },
    { args: ['help', 'audits'], message: "unknown command 'audits' (Did you mean audit?)", command: undefined },
    { args: ['constructor'], message: "unknown command 'constructor'", command: undefined },
    { args: ['--verbose'], message: "unknown option '--verbose'", command: undefined },
    {
      args: ['audit', '--tenant', 'x'],
      message: "unknown option '--tenant' (Did you mean --tenants?)",
      command: 'audit',
    },
    {
      args: ['serve', '--read-only=no'],
      message: "unknown option '--read-only=no' (Did you mean --read-only?)",
      command: 'serve',
    },
    {
      args: ['audit', '--tenants', '--config'],
      message: 'an option needs a value (write a value that begins with a dash as --OPTION=VALUE)',
      command: 'audit',
    },
    { args: ['audit', '--config'], message: "option '--config <FILE>' argument missing", command: 'audit' },
    {
      args: ['demo', 'please'],
      message: "too many arguments for 'demo'. Expected 0 arguments but got 1.",
      command: 'demo',
    },
  ];
  for (const { args, ...mistake } of mistakes) t.same(await mistakeOf(...args), mistake, `bulkhead ${args.join(' ')}`);
});

t.test('version prints what an issue report needs', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  t.equal(
    await printed('version'),
    `bulkhead ${version} node ${process.version}`,
    'no commit: it runs from its sources',
  );
});

t.test('no command is loaded before it is asked for', async (t) => {
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from '(\.[^']+)';/gm);
    for (const [, path = ''] of imports) load(join(dirname(file), path));
  };
  load('src/main.ts');
  t.ok(loaded.has('src/commands/commands.ts'), 'the table of commands is');
  t.notOk(loaded.has('src/commands/help.ts'), 'the help is not, nor commander');
  for (const name of names) t.notOk(loaded.has(`src/commands/${name}.ts`), `${name}.ts is not`);
});
