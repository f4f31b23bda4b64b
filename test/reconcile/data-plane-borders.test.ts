/** When borders are kept, and what is said while they cannot be: the definition comes, goes and comes again, and the right to it is missing. */
import t from 'tap';
import type { Answer, Connection } from '../../src/client/connection.ts';
import { broken } from '../../src/client/failure.ts';
import type { Handler, ListWatch } from '../../src/client/list-watch.ts';
import { keepDataPlaneBorders } from '../../src/reconcile/data-plane-borders.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import type { Gate, Tenant } from '../../src/tenancy/tenant.ts';
import { fakeClock } from '../client/fake-clock.ts';

const acme = undeclaredTenant('acme');
const discovery = '/apis/policy.networking.k8s.io/v1alpha2';
const served: Answer = { ok: true, body: { resources: [{ name: 'clusternetworkpolicies' }] } };
const empty: Answer = { ok: true, body: { metadata: { resourceVersion: '1' }, items: [] } };
const refused = (status: number): Answer => ({ ...broken(new Error(`${status}`)), kind: 'refused', status });
/** Promises of the parts run to their ends. */
const rest = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

const stored = (body: unknown): unknown => {
  const object = Object(body);
  return { ...object, metadata: { ...object.metadata, uid: `${object.metadata?.name}`, resourceVersion: '1' } };
};

function start(more: Partial<Settings>, tenants: readonly Tenant[] = [acme]) {
  const clock = fakeClock();
  const told: string[] = [];
  const asked: string[] = [];
  const answers = { discovery: refused(404), list: empty, writes: false };
  const items: unknown[] = [];
  // Each request takes a millisecond.
  const wall = { now: 0 };
  const watched = { trouble: undefined as string | undefined, count: 0 };
  let tenancy = createTenancy({ ...defaultSettings, ...more }, tenants);
  const connection: Connection = {
    async request(method, path, { body }) {
      asked.push(`${method} ${path.split('?')[0]}`);
      wall.now++;
      if (method !== 'GET' && !answers.writes) return refused(500);
      if (method === 'POST') items.push(stored(body));
      if (method !== 'GET') return { ok: true, body: stored(body) };
      if (path === discovery) return answers.discovery;
      return items.length === 0 ? answers.list : { ok: true, body: { items } };
    },
    open: () => Promise.reject(new Error('no watch is opened here')),
    close() {},
  };
  const follow = (_: string, __: Handler): ListWatch => {
    watched.count++;
    return {
      synced: Promise.resolve(),
      staleness: () => 0,
      isCurrent: () => true,
      trouble: () => watched.trouble,
      counters: () => ({ objects: 0, lists: 1, watches: 1, failures: 0, handlerErrors: 0 }),
      stop: async () => {},
    };
  };
  const logged: string[] = [];
  const log = { info: (_: object, text: string) => void logged.push(text), warn() {}, error() {} };
  const borders = keepDataPlaneBorders({
    ...{ connection, clock, log, follow, wallClock: () => wall.now, tenancy: () => tenancy },
    countOwned: () => 0,
    tell: (reason) => void told.push(reason),
    onState: () => {},
  });
  const after = async (milliseconds: number) => {
    await rest();
    clock.advance(milliseconds);
    await rest();
  };
  const change = (settings: Partial<Settings>) => {
    tenancy = createTenancy({ ...defaultSettings, ...settings }, tenants);
    borders.tenancyChanged();
  };
  return {
    borders,
    answers,
    wall,
    watched,
    asked,
    told,
    logged,
    after,
    change,
    reason: () => borders.stateOf(acme)?.reason,
  };
}

t.test('the definition comes, goes, and comes again', async (t) => {
  const { borders, answers, watched, told, after, reason } = start({ clusterPolicy: { deniesNodes: false } });
  borders.begin();
  await after(0);
  t.equal(reason(), 'NotServed');
  t.match(borders.counters(), { served: false, tenants: { NotServed: 1 } });
  t.strictSame(told, ['BorderNotServed'], 'told once');
  answers.discovery = served;
  await after(20_000);
  t.equal(watched.count, 1, 'it is followed');
  t.equal(reason(), 'Failed', 'and written to');
  watched.trouble = '404 not found';
  await after(20_000);
  t.equal(reason(), 'NotServed');
  watched.trouble = undefined;
  await after(20_000);
  t.not(reason(), 'NotServed');
  await borders.stop();
});

t.test('without the right to it', async (t) => {
  const { borders, answers, after } = start({ clusterPolicy: { deniesNodes: false } });
  answers.discovery = served;
  answers.list = refused(403);
  borders.begin();
  await after(0);
  t.match(borders.stateOf(acme), { reason: 'NotServed', message: /apply manifests\/components\/cluster-policy/ });
  await borders.stop();
});

t.test('without the setting nothing is followed, unless something was left behind', async (t) => {
  for (const [items, follows] of [
    [[], 0],
    [[{ metadata: { name: 'bulkhead-acme.deny' } }], 1],
  ] as const) {
    const { borders, answers, watched, after, reason } = start({});
    answers.discovery = served;
    answers.list = { ok: true, body: { items } };
    borders.begin();
    await after(0);
    t.equal(watched.count, follows);
    t.equal(reason(), undefined);
    t.match(borders.counters(), { wanted: false });
    await borders.stop();
  }
});

t.test('in observe it is shown, and nothing is written', async (t) => {
  const { borders, answers, asked, logged, after, change, reason } = start({
    ...{ clusterPolicy: { deniesNodes: false }, enforcement: 'observe' },
  });
  answers.discovery = served;
  borders.begin();
  await after(0);
  t.equal(reason(), 'Withheld');
  t.strictSame(logged, ['mode enforce would put these ClusterNetworkPolicies in place']);
  t.ok(
    asked.every((one) => one.startsWith('GET ')),
    asked.join(),
  );
  change({ clusterPolicy: { deniesNodes: false } });
  await after(0);
  t.ok(
    asked.some((one) => one.startsWith('POST ')),
    'until the settings say enforce',
  );
  await borders.stop();
});

t.test('a gate that ends while the border is written is closed', async (t) => {
  const half = { direction: 'ingress', ports: [], expires: undefined } as const;
  const withGate = (name: string, gate: Gate): Tenant => {
    const tenant = undeclaredTenant(name);
    return { ...tenant, network: { ...tenant.network, gates: [gate] } };
  };
  const ends = 10;
  const { borders, answers, wall, asked, after } = start({ clusterPolicy: { deniesNodes: false } }, [
    withGate('acme', { ...half, tenant: 'beta', expires: ends }),
    withGate('beta', { ...half, tenant: 'acme', direction: 'egress' }),
  ]);
  answers.discovery = served;
  answers.writes = true;
  wall.now = ends - 4;
  borders.begin();
  for (let turn = 0; turn < 10; turn++) await after(1);
  const gate = `${discovery}/clusternetworkpolicies/bulkhead-acme.gate.beta`;
  t.ok(asked.includes(`POST ${discovery}/clusternetworkpolicies`), 'it was open when the border was made');
  t.ok(wall.now > ends);
  t.ok(asked.includes(`DELETE ${gate}`), asked.join('\n'));
  await borders.stop();
});
