/** Servers and clients of a measurement, each on a processor of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { host, type Listening } from '../bench/child.ts';
import { type Scenario, targetOf } from '../bench/scenarios.ts';
import type { Load, LoadReport } from './load-client.ts';

export interface PinnedServer extends Listening {
  readonly pid: number;
  stop(): Promise<void>;
}

export interface PinnedClient {
  run(load: Load): Promise<LoadReport>;
  stop(): Promise<void>;
}

/** The server has the first processor, the client the second. */
const processors = { server: 0, client: 1 } as const;

/** @throws on a machine on which they would disturb each other */
export function needTwoProcessors(): void {
  if (availableParallelism() < 2) throw new Error('server and client need a processor each: this machine has one');
}

/** @param file of test/bench */
export async function startPinnedServer(
  file: 'bare-server.ts' | 'bulkhead-server.ts',
  argument: number,
  flags: readonly string[] = [],
): Promise<PinnedServer> {
  const child = pinned(processors.server, [...flags, join(import.meta.dirname, '../bench', file), String(argument)]);
  const [listening] = (await once(child, 'message')) as [Listening];
  if (child.pid === undefined) throw new Error(`${file} has no process`);
  return { ...listening, pid: child.pid, stop: () => end(child) };
}

export function startPinnedClient(): PinnedClient {
  const child = pinned(processors.client, [join(import.meta.dirname, 'load-client.ts')]);
  return {
    async run(load) {
      const report = once(child, 'message') as Promise<[LoadReport]>;
      child.send(load);
      return (await report)[0];
    },
    stop: () => end(child),
  };
}

function pinned(processor: number, nodeArguments: readonly string[]): ChildProcess {
  // taskset becomes the program: the process that is measured is this one. It is told the end of this process by its channel.
  return spawn('taskset', ['--cpu-list', String(processor), process.execPath, ...nodeArguments], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** A review as the API server sends it, as it goes over the wire. Base64. `own` as for the target. */
export function requestOf(scenario: Scenario, own?: string): string {
  const head = `POST ${targetOf(scenario, own)} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${scenario.body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), scenario.body]).toString('base64');
}
