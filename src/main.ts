#!/usr/bin/env node
/** The process: the only file that reads argv and env, installs signal handlers, and sets exit codes. Commands are in commands/. */
import { inspect } from 'node:util';
import { CannotStart } from './commands/cannot-start.ts';
import type { LongRunning, Surroundings } from './commands/command.ts';
import { runCommandLine } from './commands/command-line.ts';
import { Misuse } from './commands/misuse.ts';

async function main(): Promise<void> {
  const outcome = await runCommandLine(process.argv.slice(2), surroundings);
  if (typeof outcome === 'number') process.exitCode = outcome;
  else endOnSignals(outcome);
}

/** Streams are made when they are asked for: `serve` needs none of them. */
const surroundings: Surroundings = {
  print(line) {
    // A reader such as `head` may end before everything is printed. The answer is the exit code all the same.
    if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', endedEarly);
    process.stdout.write(`${line}\n`);
  },
  remark: (line) => void process.stderr.write(`bulkhead: ${line}\n`),
  environment: process.env,
  get input() {
    return process.stdin;
  },
  get progress() {
    return process.stderr.isTTY ? (text: string) => process.stderr.write(`\r\u001B[K${text}`) : undefined;
  },
};

function endedEarly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** The first SIGTERM lets clients leave at their own pace. A second one, or an interrupt at the keyboard, does not wait for them. */
function endOnSignals(running: LongRunning): void {
  const end = () => running.stop().catch(endedBadly);
  process.once('SIGTERM', () => {
    process.once('SIGTERM', end);
    running.drain().catch(endedBadly);
  });
  process.once('SIGINT', end);
}

/** A part that did not end may keep the process alive. */
function endedBadly(error: unknown): never {
  process.stderr.write(`bulkhead: ${inspect(error)}\n`);
  process.exit(1);
}

main().catch((error: unknown) => {
  if (error instanceof Misuse) {
    const help = ['bulkhead', error.command, '--help'].filter((word) => word !== undefined).join(' ');
    process.stderr.write(`bulkhead: ${error.message}\nTry: ${help}\n`);
    process.exitCode = 2;
  } else if (error instanceof CannotStart) {
    // On the standard error whatever the log level is: a process that does not start always says why.
    for (const line of error.message.split('\n')) process.stderr.write(`bulkhead: ${line}\n`);
    process.exitCode = error.code;
  } else throw error;
});
