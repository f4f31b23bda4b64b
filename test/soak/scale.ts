/**
 * How Bulkhead follows a large cluster: 10,000 namespaces with 50,000 managed policies, from recorded lists.
 *
 *   ready            at most 5 s after a cold start
 *   memory           at most 6 KB resident for each namespace beyond the first hundred, once it is at rest
 *   steady state     no write
 *
 * Prints its figures and ends with 1 when one of them is missed. `node test/soak/scale.ts`, about two minutes.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageFlags } from './image-flags.ts';
import { say } from './observer.ts';
import type { FollowerReport } from './scale-follower.ts';

export interface ScaleOptions {
  /** Namespaces of the two clusters that are compared. */
  readonly few: number;
  readonly many: number;
  /** After the start V8 gives memory back by and by. */
  readonly restMilliseconds: number;
}

interface Followed extends FollowerReport {
  readonly namespaces: number;
  /** Requests that would have written. */
  readonly writes: number;
}

export interface ScaleResult {
  readonly small: Followed;
  readonly large: Followed;
}

const full: ScaleOptions = { few: 100, many: 10_000, restMilliseconds: 20_000 };
export const fullLimits = { readyMilliseconds: 5_000, bytesPerNamespace: 6 * 1024 };

/** Each namespace has five policies. */
const objectsOfNamespace = 6;

function bytesPerNamespace({ small, large }: ScaleResult): number {
  return (large.residentAtRest - small.residentAtRest) / (large.namespaces - small.namespaces);
}

/** What should have been otherwise. Without limits nothing is asked of time and memory. */
export function missedScale(result: ScaleResult, limits?: typeof fullLimits): string[] {
  const missed: string[] = [];
  for (const { namespaces, objects, writes, applied } of [result.small, result.large]) {
    if (objects !== namespaces * objectsOfNamespace || objects === 0)
      missed.push(`${objects} objects are known instead of ${namespaces * objectsOfNamespace}`);
    if (writes + applied !== 0) missed.push(`it wrote ${writes} times although nothing was to be written`);
  }
  if (limits === undefined) return missed;
  if (!(result.large.readyMilliseconds <= limits.readyMilliseconds)) missed.push('it was ready too late');
  if (!(bytesPerNamespace(result) <= limits.bytesPerNamespace)) missed.push('it takes too much memory');
  return missed;
}

async function follow(namespaces: number, restMilliseconds: number): Promise<Followed> {
  const directory = await mkdtemp(join(tmpdir(), 'bulkhead-scale-'));
  const server = fork(join(import.meta.dirname, 'recorded-cluster.ts'), [String(namespaces)]);
  try {
    const [{ url }] = (await once(server, 'message')) as [{ url: string }];
    const kubeconfig = join(directory, 'kubeconfig');
    await writeFile(
      kubeconfig,
      JSON.stringify({
        clusters: [{ name: 'recorded', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
        users: [{ name: 'recorded', user: {} }],
        contexts: [{ name: 'recorded', context: { cluster: 'recorded', user: 'recorded' } }],
        'current-context': 'recorded',
      }),
    );
    const follower = fork(join(import.meta.dirname, 'scale-follower.ts'), [kubeconfig, String(restMilliseconds)], {
      execArgv: await imageFlags(),
    });
    const [report] = (await once(follower, 'message')) as [FollowerReport];
    server.send('writes?');
    const [{ writes }] = (await once(server, 'message')) as [{ writes: number }];
    return { ...report, namespaces, writes };
  } finally {
    server.kill();
    await rm(directory, { recursive: true });
  }
}

/** One after the other, so that neither takes anything from the other. */
export async function measureScale({ few, many, restMilliseconds }: ScaleOptions): Promise<ScaleResult> {
  return { small: await follow(few, restMilliseconds), large: await follow(many, restMilliseconds) };
}

export function describeScale(result: ScaleResult): string {
  const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return [
    ...[result.small, result.large].map(
      ({ namespaces, objects, readyMilliseconds, residentAtReady, residentAtRest, heapAtRest, writes }) =>
        `${namespaces} namespaces, ${objects} objects: ready after ${Math.round(readyMilliseconds)} ms, ` +
        `resident ${mebibytes(residentAtReady)} then, ${mebibytes(residentAtRest)} at rest, ` +
        `heap ${mebibytes(heapAtRest)}, ${writes} writes`,
    ),
    `${Math.round(bytesPerNamespace(result))} bytes resident for each namespace beyond the first ${result.small.namespaces}`,
  ].join('\n');
}

if (import.meta.main) {
  const result = await measureScale(full);
  say(describeScale(result));
  const missed = missedScale(result, fullLimits);
  for (const one of missed) say(one);
  process.exitCode = missed.length === 0 ? 0 : 1;
}
