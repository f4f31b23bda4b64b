/**
 * Random worlds as src/connectivity and as other judges decide them: the evaluator of naive.ts, Cilium's own code and cyclonus' matcher.
 *
 *   npm run connectivity -- --worlds 10000 --seed 1
 */
import { parseArgs } from 'node:util';
import type { Engine } from '../engines/engine.ts';
import { startEngines } from '../engines/engine.ts';
import { smaller } from '../engines/shrink.ts';
import { differenceWith, type Read, readWorld } from './compare.ts';
import { differenceWithEngine, questionOf } from './engines.ts';
import { createNaive, type Naive } from './naive.ts';
import { type EngineReading, engineReadings, type RandomWorld, randomWorld } from './random-world.ts';

export interface Judged {
  readonly world: RandomWorld;
  readonly naive: Naive;
  readonly read: Read;
}

export interface Found {
  readonly world: RandomWorld;
  /** In words: which flow, and what the judge says of it. */
  readonly difference: string;
  /** Undefined: the evaluator. */
  readonly by: Engine | undefined;
}

export interface Searched {
  readonly worlds: number;
  /** Of these, how many each engine was asked about. */
  readonly asked: ReadonlyMap<string, number>;
  readonly found: readonly Found[];
}

/** By its number, a world is always the same; the readings take turns. */
export function judgedAt(number: number, among: readonly EngineReading[] = engineReadings): Judged {
  return judgedIn(randomWorld(number, among[number % among.length] ?? 'by the book'));
}

function judgedIn(world: RandomWorld): Judged {
  return { world, naive: createNaive(world), read: readWorld(world) };
}

/** @param enough found ones, after which it ends */
export async function search(
  seed: number,
  count: number,
  engines: readonly Engine[],
  enough = 5,
  told: (done: number) => void = () => {},
): Promise<Searched> {
  const asked = new Map<string, number>();
  const found: Found[] = [];
  let worlds = 0;
  for (; worlds < count && found.length < enough; worlds++) {
    const judged = judgedAt(seed * 1_000_003 + worlds);
    const { world } = judged;
    const plain = differenceWith(judged.naive, judged.read);
    if (plain !== undefined) found.push({ world, difference: plain, by: undefined });
    for (const engine of engines) {
      const question = askedOf(judged, engine);
      if (question === undefined) continue;
      asked.set(engine.name, (asked.get(engine.name) ?? 0) + 1);
      const difference = await differenceWithEngine(question, judged.naive, judged.read, engine);
      if (difference !== undefined) found.push({ world, difference, by: engine });
    }
    told(worlds + 1);
  }
  return { worlds, asked, found };
}

/** Each engine is of one reading. */
function askedOf({ world, naive }: Judged, { name }: Engine) {
  return world.reading === (name === 'cilium' ? 'Cilium' : 'by the book') ? questionOf(world, naive, name) : undefined;
}

/** What may be missing in an object that the API server takes. */
const optional: ReadonlySet<string> = new Set([
  ...[
    'matchLabels',
    'matchExpressions',
    'except',
    'ports',
    'notPorts',
    'protocols',
    'icmps',
    'toPorts',
    'order',
    'nets',
  ],
  ...['ingress', 'egress', 'ingressDeny', 'egressDeny', 'enableDefaultDeny', 'role', 'app', 'env', 'tier'],
]);

/** A smaller world with a difference from the same judge. */
async function shrunk({ world, by }: Found): Promise<Found> {
  const again = async (objects: RandomWorld['objects']): Promise<string | undefined> => {
    // A list that must have items is not to be emptied.
    if (/"(from|to|types|policyTypes|networks|values)":\[\]/.test(JSON.stringify(objects))) return undefined;
    try {
      const judged = judgedIn({ ...world, objects });
      if (by === undefined) return differenceWith(judged.naive, judged.read);
      const question = askedOf(judged, by);
      return question && (await differenceWithEngine(question, judged.naive, judged.read, by));
    } catch {
      return undefined;
    }
  };
  const objects = await smaller(
    world.objects,
    async (candidate) => (await again(candidate)) !== undefined,
    (key) => typeof key === 'number' || optional.has(key),
  );
  return { world: { ...world, objects }, difference: (await again(objects)) ?? '', by };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { worlds: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
  });
  const [seed, count] = [Number(values.seed), Number(values.worlds)];
  const engines = await startEngines(['cilium', 'cyclonus']);
  if ('missing' in engines) throw new Error(engines.missing);
  const begin = performance.now();
  const { worlds, asked, found } = await search(seed, count, engines, 5, (done) => {
    if (process.stderr.isTTY && done % 100 === 0) process.stderr.write(`\r${done} of ${count}`);
  });
  for (const one of found) {
    const { world, difference } = await shrunk(one);
    process.stdout.write(`world ${world.seed}, ${world.reading}: ${difference}\n`);
    for (const object of world.objects) process.stdout.write(`  ${JSON.stringify(object)}\n`);
  }
  await Promise.all(engines.map((one) => one.stop()));
  const byEngine = [...asked].map(([name, number]) => `${name} ${number}`).join(', ');
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  process.stdout.write(
    `${worlds} worlds, seed ${seed}: ${found.length} differences; asked besides: ${byEngine}; ${seconds} s\n`,
  );
  process.exitCode = found.length > 0 ? 1 : 0;
}
