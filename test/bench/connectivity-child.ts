/** What `connectivity.ts` runs in a process of its own: `matrix CLUSTER`, `diff CLUSTER`, `explain` or `events`. Prints JSON. */
import { compare } from '../../src/connectivity/compare.ts';
import { type End, findEnd, portsAt } from '../../src/connectivity/endpoints.ts';
import { explain } from '../../src/connectivity/explain.ts';
import { createLive } from '../../src/connectivity/live.ts';
import { matrixOf } from '../../src/connectivity/matrix.ts';
import { narrowed } from '../../src/connectivity/narrowed.ts';
import { createParties } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { byTheBook } from '../../src/connectivity/readings.ts';
import { createWorld } from '../../src/connectivity/world.ts';
import type { JsonMap } from '../../src/kubernetes/json.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { randomFrom } from '../engines/random.ts';
import { issue, namespaceOf, podOf, policyOf, scale, tenantLabel } from './large-clusters.ts';

const clusters: Readonly<Record<string, () => JsonMap[]>> = {
  issue: () => issue(10_000, 1_000),
  growth: () => issue(1_000, 100),
  fourfold: () => issue(4_000, 400),
  scale: () => scale(25_000),
};
const tenancy = createTenancy(defaultSettings, []);
const options = { hasPods: true, withBaseline: false };

export interface Measured {
  readonly ms: number;
  /** Of the processor, collection of garbage in other threads included. */
  readonly cpu: number;
  readonly megabytes: number;
  readonly phases: Readonly<Record<'read' | 'parties' | 'world' | 'matrix', number>>;
  readonly classes: number;
  readonly cells: number;
}

export interface Explained {
  readonly ms: number;
  /** Of the processor in this thread. */
  readonly cpu: number;
  readonly open: string;
}

function measure(objects: readonly JsonMap[]): Measured {
  const cpu = process.cpuUsage();
  const times = [performance.now()];
  const lap = (): void => {
    times.push(performance.now());
  };
  const snapshot = readSnapshot(objects, tenancy, options);
  lap();
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  lap();
  const world = createWorld(snapshot, parties, tenancy.settings, byTheBook);
  lap();
  const { cells } = matrixOf(world);
  lap();
  const { user, system } = process.cpuUsage(cpu);
  const phase = (index: number) => Math.round((times[index + 1] ?? 0) - (times[index] ?? 0));
  return {
    ms: Math.round((times.at(-1) ?? 0) - (times[0] ?? 0)),
    cpu: Math.round((user + system) / 1000),
    megabytes: Math.round(process.memoryUsage().rss / 1e6),
    phases: { read: phase(0), parties: phase(1), world: phase(2), matrix: phase(3) },
    ...{ classes: parties.classes.length, cells: cells.length },
  };
}

export interface Compared {
  readonly ms: number;
  readonly changes: number;
  readonly work: number;
  readonly workloads: number;
}

/** Every policy goes: what concerns everyone. */
function measureDiff(objects: readonly JsonMap[]): Compared {
  const before = readSnapshot(objects, tenancy, options);
  const after = { ...before, policies: [] };
  const begin = performance.now();
  const { changes, work, workloads } = compare(before, after, tenancy);
  return { ms: Math.round(performance.now() - begin), changes: changes.length, work, workloads };
}

/** Milliseconds of the processor in this thread, in steps of some. */
function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** As `bulkhead explain` asks it, once. */
function measureExplain(objects: readonly JsonMap[]): Explained {
  const snapshot = readSnapshot(objects, tenancy, options);
  const begin = [performance.now(), threadTime()] as const;
  const [from, to] = ['namespace-5000/pod-0', 'namespace-4999/pod-9'];
  const near = narrowed(snapshot, [from, to], 'default', tenancy);
  const parties = createParties(near.namespaces, near.workloads, tenancy);
  const [source, target] = [from, to].map((one) =>
    findEnd(one, 'default', snapshot, parties, tenancy.settings),
  ) as End[];
  if (source === undefined || target === undefined) throw new Error('no ends');
  const portOf = portsAt({ protocol: 'TCP', port: 5432 }, target);
  if ('unknown' in portOf) throw new Error(portOf.unknown);
  const { answers } = explain(createWorld(near, parties, tenancy.settings, byTheBook), source, target, portOf);
  const [ms, cpu] = [performance.now() - begin[0], threadTime() - begin[1]];
  return { ms, cpu, open: answers.every(({ open }) => open.length > 0) ? 'open' : 'blocked' };
}

/** Median, p99 and the slowest, in milliseconds, of each kind of event and of all. */
export type Events = Readonly<Record<string, readonly [median: number, late: number, slowest: number]>>;

function measureEvents(objects: readonly JsonMap[]): Events {
  const live = createLive(objects, tenancy, byTheBook);
  // Once, so that every plan is there to be thrown away.
  for (const pods of live.world.parties.classes)
    for (const direction of ['ingress', 'egress'] as const) live.world.plan(pods, direction);
  const random = randomFrom(1);
  const times = new Map<string, number[]>();
  const both = ['Ingress', 'Egress'];
  for (let event = 0; event < 20_000; event++) {
    const index = random.below(10_000);
    const name = `namespace-${index}`;
    const tenant = { [tenantLabel]: `tenant-${random.below(1_000)}` };
    const [kind, object] = random.pick<readonly [string, JsonMap]>([
      [
        'pod',
        podOf(name, `pod-${random.below(12)}`, { app: random.pick(['web', 'db', 'new']) }, random.below(1 << 20)),
      ],
      [
        'policy',
        policyOf(name, random.pick(['default-deny', 'more']), { podSelector: {}, policyTypes: random.some(both, 2) }),
      ],
      [
        'policy',
        policyOf(name, 'allow-within', {
          ...{ podSelector: {}, policyTypes: both },
          ...{ ingress: [{ from: [{ namespaceSelector: { matchLabels: tenant } }] }], egress: [] },
        }),
      ],
      ['namespace', namespaceOf(name, { ...tenant, env: 'prod' })],
    ]);
    const goes = kind !== 'namespace' && random.below(4) === 0;
    const begin = performance.now();
    if (goes) live.remove(object);
    else live.put(object);
    const { world } = live;
    const other = world.parties.classes[random.below(world.parties.classes.length)];
    for (const pods of world.parties.byName.get(name)?.classes ?? [])
      if (other !== undefined) {
        world.connection(pods, other);
        world.connection(other, pods);
      }
    const time = performance.now() - begin;
    for (const key of [`${goes ? 'remove' : 'put'} ${kind}`, 'all']) {
      const own = times.get(key) ?? [];
      times.set(key, own);
      own.push(time);
    }
  }
  return Object.fromEntries(
    [...times].map(([key, own]) => {
      const sorted = own.toSorted((one, another) => one - another);
      const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
      return [key, [at(0.5), at(0.99), at(1)] as const];
    }),
  );
}

const [what, name = 'issue'] = process.argv.slice(2);
const objects = clusters[name]?.() ?? [];
const answer =
  what === 'explain'
    ? measureExplain(objects)
    : what === 'events'
      ? measureEvents(objects)
      : what === 'diff'
        ? measureDiff(objects)
        : measure(objects);
process.stdout.write(JSON.stringify(answer));
