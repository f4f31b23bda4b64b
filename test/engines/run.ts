/**
 * `npm run engines -- [--policies 5000] [--seed N] [--from BATCH] [--engines cilium,cyclonus] [--kind CiliumNetworkPolicy] [--resume FILE]`: searches for a policy
 * on which Bulkhead and the engines disagree. FILE keeps the progress, so a stopped search resumes, and its numbers
 * add up over days. Ends with 1 when there is a counterexample.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { admitByChecks } from './admit.ts';
import { runBorderBatches } from './data-plane-border.ts';
import { type EngineName, engineNames, isEngineName, startEngines } from './engine.ts';
import { authorizationPolicy } from './kinds/authorization-policy.ts';
import { calicoNetworkPolicy } from './kinds/calico-network-policy.ts';
import { ciliumNetworkPolicy } from './kinds/cilium-network-policy.ts';
import { networkPolicy } from './kinds/network-policy.ts';
import { addTo, type Counterexample, emptyTally, policiesInBatch, runBatches, type Tally } from './search.ts';

/** The contents of FILE. */
interface Progress {
  readonly seed: number;
  readonly engines: readonly EngineName[];
  /** The next batch. */
  batch: number;
  /** Of this search, over all of its runs. */
  seconds: number;
  readonly tally: Tally;
  readonly counterexamples: Counterexample[];
}

/** One line a figure. */
export function summary(
  {
    policies,
    admitted,
    exempted,
    flows,
    witnesses,
    unasked,
    invalid,
    untaken,
    pods,
    podsAdmitted,
    podsExempted,
    podsAsked,
  }: Tally,
  seconds: number,
): string {
  const share = (count: number) => `${count} (${((100 * count) / Math.max(1, policies)).toFixed(1)} %)`;
  return [
    `${policies} policies in ${seconds.toFixed(0)} s, ${(policies / Math.max(0.001, seconds)).toFixed(0)} a second`,
    `  admitted: ${share(admitted)}; refused with something invalid: ${share(invalid)}`,
    `  flows looked up in the engines: ${flows}`,
    `  witnesses that got through: ${witnesses}; not to be asked: ${unasked}`,
    `  admitted and not taken by an engine: ${untaken}`,
    `  admitted by exemptions alone: ${exempted}`,
    `  pods: ${pods}; admitted: ${podsAdmitted}, of them by exemptions alone: ${podsExempted}; identities asked of Cilium: ${podsAsked}`,
  ].join('\n');
}

async function readProgress(file: string): Promise<Progress | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A search that is stopped while it writes leaves the file as it was. */
async function writeProgress(file: string, progress: Progress): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(progress, null, 2)}\n`);
  await rename(`${file}.new`, file);
}

/** The engines that read a kind. */
function readersOf(kind: string): readonly EngineName[] {
  if (kind === 'NetworkPolicy') return engineNames;
  if (kind === 'CiliumNetworkPolicy') return ['cilium'];
  if (kind === 'CalicoNetworkPolicy') return ['calico'];
  if (kind === 'AuthorizationPolicy') return ['istio'];
  if (kind === 'ClusterNetworkPolicy') return ['cilium'];
  throw new Error(
    '--kind is NetworkPolicy, CiliumNetworkPolicy, CalicoNetworkPolicy, ClusterNetworkPolicy or AuthorizationPolicy',
  );
}

type Seen = Parameters<typeof runBatches>[2];

async function search(
  kind: string,
  options: Omit<Parameters<typeof runBatches>[0], 'kind'>,
  from: number,
  seen: Seen,
): Promise<void> {
  const [engine] = options.engines;
  if (kind === 'ClusterNetworkPolicy' && engine !== undefined) await runBorderBatches(engine, options.seed, from, seen);
  else if (kind === 'NetworkPolicy') await runBatches({ ...options, kind: networkPolicy }, from, seen);
  else if (kind === 'CiliumNetworkPolicy') await runBatches({ ...options, kind: ciliumNetworkPolicy }, from, seen);
  else {
    // Exemptions are tried with the kinds above: the kind of Calico has the name of one of them.
    const { admit: _, ...others } = options;
    if (kind === 'CalicoNetworkPolicy') await runBatches({ ...others, kind: calicoNetworkPolicy }, from, seen);
    else await runBatches({ ...others, kind: authorizationPolicy }, from, seen);
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      policies: { type: 'string', default: '5000' },
      seed: { type: 'string' },
      from: { type: 'string', default: '0' },
      engines: { type: 'string' },
      kind: { type: 'string', default: 'NetworkPolicy' },
      resume: { type: 'string' },
    },
  });
  const readers = readersOf(values.kind);
  const names = values.engines?.split(',') ?? readers;
  if (!names.every(isEngineName)) throw new Error(`--engines are some of ${engineNames.join(',')}`);
  const kept = values.resume === undefined ? undefined : await readProgress(values.resume);
  const seed = Number(values.seed ?? kept?.seed ?? Math.floor(Math.random() * 2 ** 31));
  const [wanted, from] = [Number(values.policies), Number(values.from)];
  if (![seed, wanted, from].every(Number.isInteger) || wanted < 1) {
    throw new Error('--policies, --seed and --from are whole numbers, and there is at least one policy');
  }
  if (kept !== undefined && (kept.seed !== seed || kept.engines.join() !== names.join())) {
    throw new Error(`${values.resume} is of seed ${kept.seed} and of the engines ${kept.engines.join(',')}`);
  }
  const progress: Progress = kept ?? {
    seed,
    engines: names,
    batch: from,
    seconds: 0,
    tally: emptyTally(),
    counterexamples: [],
  };
  process.stdout.write(`seed ${seed}, from batch ${progress.batch}\n`);
  if (progress.tally.policies < wanted) {
    const engines = await startEngines(names);
    if ('missing' in engines) throw new Error(engines.missing);
    const before = progress.seconds;
    const started = Date.now();
    let printed = started;
    try {
      const soundnessAlone = names.length < readers.length;
      await search(
        values.kind,
        { engines, seed, soundnessAlone, admit: admitByChecks },
        progress.batch,
        async (batch, tally, counterexample) => {
          addTo(progress.tally, tally);
          progress.batch = batch + 1;
          progress.seconds = before + (Date.now() - started) / 1_000;
          if (counterexample !== undefined) progress.counterexamples.push(counterexample);
          const done = counterexample !== undefined || progress.tally.policies >= wanted;
          if (done || Date.now() - printed > 10_000) {
            printed = Date.now();
            process.stdout.write(`${summary(progress.tally, progress.seconds)}\n`);
            if (values.resume !== undefined) await writeProgress(values.resume, progress);
          }
          return done;
        },
      );
    } finally {
      await Promise.all(engines.map((engine) => engine.stop()));
    }
  } else process.stdout.write(`${summary(progress.tally, progress.seconds)}\n`);
  const [first] = progress.counterexamples;
  if (first === undefined) return 0;
  const again = `npm run engines -- --seed ${seed} --from ${first.batch} --policies ${policiesInBatch} --engines ${names.join(',')} --kind ${values.kind}`;
  process.stdout.write(`\n${first.kind}: ${first.text}\nagain: ${again}\n${first.yaml}`);
  return 1;
}

if (import.meta.main) process.exitCode = await main();
