import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';

/**
 * The shell starts a guard in the background and then becomes the program itself, so the pid is the program's own.
 * The guard reads a pipe whose only writer is this process: when this process ends, in whatever way, the kernel closes
 * the pipe and the guard kills the whole process group, itself included. No pid is remembered, so none can be reused.
 */
const guardThenBecome = '(read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 & exec "$@" 3<&-';

type Output = 'pipe' | number;

/**
 * Starts a program that cannot outlive this process, not even when this process is killed with SIGKILL.
 *
 * @param command absolute path, or a name found on PATH
 * @param options `input` is the program's stdin (default: none), `output` takes its stdout and stderr: a file descriptor
 *   or `pipe` (default)
 * @returns the program; an unknown command ends with code 127
 */
export function spawnGuarded(
  command: string,
  commandArguments: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: 'pipe' | 'ignore'; output?: Output; directory?: string } = {},
): ChildProcess {
  const output = options.output ?? 'pipe';
  const child = spawn('/bin/sh', ['-c', guardThenBecome, 'sh', command, ...commandArguments], {
    detached: true,
    stdio: [options.input ?? 'ignore', output, output, 'pipe'],
    ...(options.env && { env: options.env }),
    ...(options.directory && { cwd: options.directory }),
  });
  const pipe = child.stdio[3];
  if (pipe instanceof Socket) {
    // The pipe alone must not keep this process running; and once the program has ended its guard may go.
    pipe.on('error', () => {}).unref();
    child.once('exit', () => pipe.destroy());
  }
  return child;
}

/** Kills the program and everything it started, and waits until it is gone. Nothing happens when it has already ended. */
export async function killGuarded(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  child.ref();
  const ended = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}

/** Whether the program has ended, by itself or by a signal. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Removes the folder as soon as this process has ended. Tries several times, because the programs that write to it are
 * killed in the same moment and may still make a file while the first removal runs.
 *
 * @returns the guard; who removes the folder itself kills it with `killGuarded`
 */
export function guardFolder(directory: string): ChildProcess {
  const script = 'read -r _; for attempt in 1 2 3 4 5; do rm -rf "$1"; sleep 0.3; done';
  const guard = spawn('/bin/sh', ['-c', script, 'sh', directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return guard;
}
