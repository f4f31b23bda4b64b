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
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { say } from './observer.ts';
import type { FollowerReport } from './scale-follower.ts';

const few = 100;
const many = 10_000;
/** After the start V8 gives memory back by and by. */
const restMilliseconds = 20_000;
const limits = { readyMilliseconds: 5_000, bytesPerNamespace: 6 * 1024 };

/** The flags of Node with which the image runs Bulkhead: they bound how much memory is kept for objects that live shortly. */
async function imageFlags(): Promise<string[]> {
  const dockerfile = await readFile(join(import.meta.dirname, '../../Dockerfile'), 'utf8');
  const [, entrypoint] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  const words: readonly string[] = JSON.parse(entrypoint ?? '[]');
  return words.filter((word) => word.startsWith('--'));
}

async function follow(namespaces: number): Promise<FollowerReport & { readonly writes: number }> {
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
    return { ...report, writes };
  } finally {
    server.kill();
    await rm(directory, { recursive: true });
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const [small, large] = [await follow(few), await follow(many)];
for (const [namespaces, report] of [
  [few, small],
  [many, large],
] as const) {
  say(
    `${namespaces} namespaces, ${report.objects} objects: ready after ${Math.round(report.readyMilliseconds)} ms, ` +
      `resident ${mebibytes(report.residentAtReady)} then, ${mebibytes(report.residentAtRest)} at rest, ` +
      `heap ${mebibytes(report.heapAtRest)}, ${report.writes} writes`,
  );
}
const bytesPerNamespace = (large.residentAtRest - small.residentAtRest) / (many - few);
say(`${Math.round(bytesPerNamespace)} bytes resident for each namespace beyond the first ${few}`);
const missed = [
  large.objects === many * 6 ? undefined : `${large.objects} objects are known instead of ${many * 6}`,
  large.readyMilliseconds <= limits.readyMilliseconds ? undefined : 'it was ready too late',
  bytesPerNamespace <= limits.bytesPerNamespace ? undefined : 'it takes too much memory',
  small.writes + large.writes + large.applied === 0 ? undefined : 'it wrote although nothing was to be written',
].filter((one) => one !== undefined);
for (const one of missed) say(one);
process.exitCode = missed.length === 0 ? 0 : 1;
