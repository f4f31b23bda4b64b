/**
 * Searches for a policy on which src/reach and the naive evaluator disagree.
 * `npm run search -- [--cases 1000000] [--seed 1] [--path 12:0:3]`: prints the seed, what was seen so far, and the first
 * disagreement, made as small as it gets, as the documents and the policy that show it. Ends with 1 when there is one.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util';
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { Border } from '../../src/reach/violation.ts';
import { emptyTally, proveBorder, type Tally } from './border-proof.ts';
import type { World, WrittenSpec } from './evaluator.ts';
import { policy } from './search-policies.ts';
import { borderOf, documentsOf, world } from './search-worlds.ts';
import { judge } from './world.ts';

/** After so many cases the search says how far it is, and goes on with the next seed. */
const atOnce = 100_000;

const someCase = fc.tuple(world, policy).map(([world, write]) => ({ world, spec: write(world) }));

/**
 * The first disagreement, in words for people; undefined when there is none.
 * @param tally what is seen is added to it
 * @param path where the search of this seed shall begin, as a counterexample gives it
 * @param change makes a border with a bug; policies of which both say the same show no bug, and are not tried
 */
export function search(
  cases: number,
  seed: number,
  tally: Tally,
  path?: string,
  change?: (border: Border) => Border,
): string | undefined {
  const property = fc.property(someCase, ({ world, spec }) => {
    const border = borderOf(world);
    const verdicts = judge(spec, change?.(border) ?? border);
    if (change !== undefined && isDeepStrictEqual(verdicts, judge(spec, border))) return;
    proveBorder(spec, world, verdicts, tally);
  });
  const found = fc.check(property, { numRuns: cases, seed, ...(path !== undefined && { path }) });
  if (!found.failed || found.counterexample === null) return undefined;
  const [{ world: where, spec }] = found.counterexample;
  const reason = found.errorInstance instanceof Error ? found.errorInstance.message : String(found.errorInstance);
  const counts = `case ${found.numRuns} of seed ${seed}, made smaller ${found.numShrinks} times`;
  const again = `again with --seed ${seed} --path ${found.counterexamplePath}`;
  return `${counts}; ${again}\n${reason}\n${writeDown(where, spec)}`;
}

function writeDown(where: World, spec: WrittenSpec): string {
  const metadata = { name: 'found', namespace: where.namespace };
  const object = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec };
  const documents = [...documentsOf(where), object].map((document) =>
    stringify(document, { aliasDuplicateObjects: false }),
  );
  return `# as of ${new Date(where.now).toISOString()}\n${documents.join('---\n')}`;
}

/** One line a figure. */
export function summary({ cases, admitted, verdicts, agreed, addresses, unprovenInVain }: Tally): string {
  const peers = Object.values(verdicts).reduce((sum, count) => sum + count, 0);
  const share = (count: number, all: number) => `${count} (${((100 * count) / all).toFixed(2)} %)`;
  return [
    `${cases} policies, ${share(admitted, cases)} admitted`,
    ...Object.entries(verdicts).map(([verdict, count]) => `  ${verdict}: ${share(count, peers)}`),
    `  of the contained, ${agreed} open to others by agreement, and ${addresses} are addresses`,
    `  unproven in vain: ${share(unprovenInVain, cases)}`,
  ].join('\n');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { cases: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
  });
  // A path leads to one case.
  const cases = values.path === undefined ? Number(values.cases ?? 1_000_000) : 1;
  let seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (!Number.isInteger(cases) || cases < 1 || !Number.isInteger(seed)) {
    throw new Error('--cases and --seed are whole numbers, and there is at least one case');
  }
  const tally = emptyTally();
  process.stdout.write(`seed ${seed}\n`);
  for (let left = cases; left > 0; left -= atOnce, seed++) {
    const counterexample = search(Math.min(left, atOnce), seed, tally, values.path);
    process.stdout.write(`${summary(tally)}\n`);
    if (counterexample !== undefined) {
      process.stdout.write(counterexample);
      process.exitCode = 1;
      break;
    }
  }
}
