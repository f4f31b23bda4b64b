/** When borders are kept, and what is said while they cannot be: the definition comes, goes and comes again, and the right to it is missing. */
import t from 'tap';
import type { Answer, Connection } from '../../src/client/connection.ts';
import { broken } from '../../src/client/failure.ts';
import type { Handler, ListWatch } from '../../src/client/list-watch.ts';
import { keepDataPlaneBorders } from '../../src/reconcile/data-plane-borders.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import type { Settings } from '../../src/tenancy/settings.ts';
import { createTenancy, undeclaredTenant } from '../../src/tenancy/tenancy.ts';
import { fakeClock } from '../client/fake-clock.ts';

const acme = undeclaredTenant('acme');
const discovery = '/apis/policy.networking.k8s.io/v1alpha2';
const served: Answer = { ok: true, body: { resources: [{ name: 'clusternetworkpolicies' }] } };
const empty: Answer = { ok: true, body: { metadata: { resourceVersion: '1' }, items: [] } };
const refused = (status: number): Answer => ({ ...broken(new Error(`${status}`)), kind: 'refused', status });
/** Promises of the parts run to their ends. */
const rest = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

function start(more: Partial<Settings>) {
  const clock = fakeClock();
  const told: string[] = [];
  const asked: string[] = [];
  const answers = { discovery: refused(404), list: empty };
  const watched = { trouble: undefined as string | undefined, count: 0 };
  let tenancy = createTenancy({ ...defaultSettings, ...more }, [acme]);
  const connection: Connection = {
    async request(method, path) {
      asked.push(`${method} ${path.split('?')[0]}`);
      if (method !== 'GET') return refused(500);
      return path === discovery ? answers.discovery : answers.list;
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
    ...{ connection, clock, log, follow, wallClock: () => 0, tenancy: () => tenancy },
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
    tenancy = createTenancy({ ...defaultSettings, ...settings }, [acme]);
    borders.tenancyChanged();
  };
  return { borders, answers, watched, asked, told, logged, after, change, reason: () => borders.stateOf(acme)?.reason };
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
