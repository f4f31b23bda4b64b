/**
 * `npm run bench:connectivity`: who reaches whom in large clusters, each in a process of its own, the first run of it. The programs are
 * compiled, as those of the image are. Prints wall-clock time, time of the processor, and memory with the objects. Ends with 1 when a bound
 * is broken.
 *
 *   issue    10,000 namespaces of 1,000 tenants, 100,000 pods (Deployments of five replicas), 50,000 policies: the matrix of tenants
 *   scale    25,000 namespaces, 100,000 pods, 75,000 policies: as Antrea's test of scale makes them
 *   growth   the first at a tenth of the size
 *   explain  two pods of the first, from the snapshot
 *   diff     the first at a tenth of the size, and at four tenths, beside itself without policies
 *   events   the first while it changes: pods, policies and labels of namespaces; after each, pods that it is about are asked for
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Compared, Events, Explained, Measured } from './connectivity-child.ts';

const most = { ms: 1500, megabytes: 400, explainMs: 50, eventMs: 1 };
/** Of the exponent, from a tenth of the pods to all. */
const mostGrowth = 1.2;
/** The same of the work of a comparison, from 10,000 to 40,000 pods. */
const mostDiffGrowth = 1.5;

const runs = Number(process.argv[2] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
try {
  const program = join(folder, 'child.mjs');
  const entryPoints = [join(import.meta.dirname, 'connectivity-child.ts')];
  await build({ entryPoints, outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });

  const run = (...what: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...what], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  const best = (which: string): Measured => {
    const all = Array.from({ length: runs }, (): Measured => JSON.parse(run('matrix', which)));
    all.sort((one, other) => one.ms - other.ms);
    const [first] = all;
    if (first === undefined) throw new Error('no run');
    const { ms, cpu, megabytes, phases, classes, cells } = first;
    const text = Object.entries(phases).map(([phase, time]) => `${phase} ${time}`);
    process.stdout.write(
      `${which}: ${ms} ms (best of ${runs}; processor ${cpu} ms; ${text.join(', ')}), ${megabytes} MB, ${classes} classes, ${cells} cells\n`,
    );
    return first;
  };
  const [large, other, small] = [best('issue'), best('scale'), best('growth')];
  const exponent = Math.log10(large.ms / small.ms);
  process.stdout.write(`growth: n^${exponent.toFixed(2)} from 10,000 to 100,000 pods\n`);
  const explained: Explained = JSON.parse(run('explain'));
  process.stdout.write(
    `explain: ${explained.ms.toFixed(1)} ms from the snapshot (processor ${explained.cpu.toFixed(1)} ms): ${explained.open}\n`,
  );
  const [few, many] = ['growth', 'fourfold'].map((which): Compared => JSON.parse(run('diff', which)));
  for (const one of [few, many])
    process.stdout.write(
      `diff: all policies go, ${one?.workloads} workloads: ${one?.ms} ms, ${one?.changes} changes, ${one?.work} pairs and bodies\n`,
    );
  const diffExponent = Math.log((many?.work ?? 0) / (few?.work ?? 1)) / Math.log(4);
  const [events] = Array.from({ length: runs }, (): Events => JSON.parse(run('events'))).toSorted(
    (one, other) => (one.all?.[1] ?? 0) - (other.all?.[1] ?? 0),
  );
  for (const [kind, times] of Object.entries(events ?? {})) {
    const [median, late, slowest] = times.map((time) => time.toFixed(3));
    process.stdout.write(`event: ${kind}: median ${median} ms, p99 ${late} ms, slowest ${slowest} ms\n`);
  }
  const broken = [
    ...(large.ms > most.ms ? [`issue: ${most.ms} ms`] : []),
    ...(large.megabytes > most.megabytes ? [`issue: ${most.megabytes} MB`] : []),
    ...(other.ms > most.ms ? [`scale: ${most.ms} ms`] : []),
    ...(exponent > mostGrowth ? [`growth: n^${mostGrowth}`] : []),
    ...(diffExponent > mostDiffGrowth ? [`diff: n^${mostDiffGrowth}`] : []),
    ...(explained.ms > most.explainMs ? [`explain: ${most.explainMs} ms`] : []),
    ...((events?.all?.[1] ?? Number.POSITIVE_INFINITY) > most.eventMs ? [`event: p99 of ${most.eventMs} ms`] : []),
  ];
  if (broken.length > 0) process.stdout.write(`broken bounds: ${broken.join('; ')}\n`);
  process.exitCode = broken.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
}
