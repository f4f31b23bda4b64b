import t from 'tap';
import { type Change, mostAlike } from '../../src/connectivity/changes.ts';
import { compare } from '../../src/connectivity/compare.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { randomFrom } from '../engines/random.ts';
import { tenancy as plain } from './compare.ts';
import { compareExhaustively } from './compare-exhaustively.ts';
import { engineReadings, randomWorld, type Written } from './random-world.ts';
import { denyAll, namespace, pod, policy } from './worlds.ts';

const service = (name: string, direction: 'ingress' | 'egress', port: number, tenants?: string) => ({
  ...{ name, direction, namespace: 'shared', podSelector: { matchLabels: { app: 'web' } }, addresses: [] },
  ports: [{ protocol: 'TCP' as const, first: port, last: port }],
  ...(tenants !== undefined && { tenants: { names: new Set([tenants]) } }),
});
/** Some ports of some pods of the platform are open to some tenants. */
const tenancy = createTenancy(
  {
    ...plain.settings,
    sharedServices: [service('one', 'egress', 80), service('two', 'egress', 443, 'acme'), service('in', 'ingress', 80)],
  },
  [],
);

type Objects = Parameters<typeof readSnapshot>[0];

const read = (objects: Objects) => readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });

function textOf({ change, isCrossing, from, to, ports, causes }: Change): string {
  const end = ({ group, tenants, members, hypothetical }: Change['from']) =>
    [group, tenants.join(), [...members].sort().join(), [...hypothetical].sort().join()].join(' ');
  return JSON.stringify([change, isCrossing, end(from), end(to), ports, causes]);
}

/** With some policies gone, others new, and labels changed. */
function changedFrom(seed: number, objects: readonly Written[], others: readonly Written[]): readonly Written[] {
  const random = randomFrom(seed);
  const isPolicy = ({ kind }: Written) => !['Namespace', 'Pod', 'Tier'].includes(kind);
  const kept = objects
    .filter((one) => !isPolicy(one) || random.below(3) > 0)
    .map((one) => {
      if (isPolicy(one) || random.below(8) > 0) return one;
      const labels = { ...one.metadata.labels, ...random.pick([{ app: 'db' }, { 'bulkhead.dev/tenant': 'beta' }]) };
      return { ...one, metadata: { ...one.metadata, labels } };
    });
  const namespaces = new Set(objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name));
  const fresh = others
    .filter(
      (one) =>
        isPolicy(one) &&
        (one.metadata.namespace === undefined || namespaces.has(one.metadata.namespace)) &&
        random.below(2) === 0,
    )
    .map((one) => ({ ...one, metadata: { ...one.metadata, name: `${one.metadata.name}-new` } }));
  return [...kept, ...fresh].filter(
    ({ kind }, at, all) => kind !== 'BaselineAdminNetworkPolicy' || all.findIndex((one) => one.kind === kind) === at,
  );
}

t.test('random changes: the same as when every pair is asked about', async (t) => {
  let changes = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const reading = engineReadings[seed % engineReadings.length] ?? 'by the book';
    const { objects } = randomWorld(seed, reading);
    const after = changedFrom(seed, objects, randomWorld(seed + 100_000, reading).objects);
    const [one, other] = [read(objects), read(after)];
    const found = compare(one, other, tenancy).changes.map(textOf);
    const expected = compareExhaustively(one, other, tenancy).map(textOf);
    changes += expected.length;
    if (found.join('\n') !== expected.join('\n')) {
      t.strictSame(found, expected, `seed ${seed}, ${reading}`);
      return;
    }
  }
  t.ok(changes > 2000, `${changes} changes`);
});

interface Cluster {
  readonly names: readonly string[];
  readonly objects: Objects;
}

/** Tenants of four namespaces with three pods each, closed but for what is within a tenant. */
function cluster(namespaces: number): Cluster {
  const names = Array.from({ length: namespaces }, (_, at) => `t${Math.floor(at / 4)}-n${at % 4}`);
  const within = (name: string) => {
    const namespaceSelector = { matchLabels: { 'bulkhead.dev/tenant': tenantOf(name) } };
    const [ingress, egress] = [[{ from: [{ namespaceSelector }] }], [{ to: [{ namespaceSelector }] }]];
    return policy(`${name}/within`, { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress, egress });
  };
  const objects = names.flatMap((name) => [
    namespace(name, tenantOf(name)),
    ...['web', 'db', 'job'].map((app) => pod(`${name}/${app}`, { app })),
    denyAll(name),
    within(name),
  ]);
  return { names, objects };
}

const tenantOf = (name: string): string => name.split('-')[0] ?? '';
const spec = (peers: object) => ({
  ...{ podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  ...{ ingress: [{ from: [peers] }], egress: [{ to: [peers] }] },
});
const anyTenant = {
  namespaceSelector: { matchExpressions: [{ key: 'bulkhead.dev/tenant', operator: 'Exists' }] },
};

/** What concerns everyone. */
const cases: Readonly<Record<string, (cluster: Cluster) => readonly [Objects, Objects]>> = {
  'a policy of the same name in each namespace': ({ names, objects }) => [
    objects,
    [...objects, ...names.map((name) => policy(`${name}/open`, spec(anyTenant)))],
  ],
  'a policy of its own name in each namespace': ({ names, objects }) => [
    objects,
    [...objects, ...names.map((name) => policy(`${name}/open-${name}`, spec({ namespaceSelector: {} })))],
  ],
  'all policies go': ({ objects }) => [
    objects,
    objects.filter((one) => (one as unknown as Written).kind !== 'NetworkPolicy'),
  ],
  'each namespace opens to the pods of one app': ({ names, objects }) => [
    objects,
    [
      ...objects,
      ...names.map((name) =>
        policy(`${name}/app`, spec({ ...anyTenant, podSelector: { matchLabels: { app: 'web' } } })),
      ),
    ],
  ],
};

for (const [says, change] of Object.entries(cases))
  t.test(says, async (t) => {
    const small = change(cluster(36)).map(read) as [ReturnType<typeof read>, ReturnType<typeof read>];
    t.strictSame(
      compare(...small, tenancy).changes.map(textOf),
      compareExhaustively(...small, tenancy).map(textOf),
      'the same as when every pair is asked about',
    );
    for (const namespaces of [100, 200, 800]) {
      const { changes, work, workloads, readings } = compare(
        ...(change(cluster(namespaces)).map(read) as typeof small),
        tenancy,
      );
      const most = 4 * workloads ** 1.5 * readings.length;
      t.ok(work < most, `${namespaces} namespaces: ${work} < ${Math.round(most)}`);
      if (namespaces === 800) t.ok(50 * work < workloads ** 2 * readings.length, `${work}: not each pair`);
      t.ok(changes.length < 20 * mostAlike, `${changes.length} changes`);
    }
  });

t.test('one policy is asked about alone', async (t) => {
  const work = [100, 400].map((namespaces) => {
    const { objects } = cluster(namespaces);
    const one = policy('t0-n0/one', spec({ namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': 't1' } } }));
    return compare(read(objects), read([...objects, one]), tenancy).work;
  });
  t.ok((work[1] ?? 0) < 5 * (work[0] ?? 0), work.join());
});
