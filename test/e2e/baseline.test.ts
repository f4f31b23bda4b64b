/** Baselines in a real cluster: a real API server with its namespace controller, and no webhook. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { connectCluster } from '../../src/cluster/connect-cluster.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { settings, tenant } from '../baseline/samples.ts';

const label = 'bulkhead.dev/tenant';
const baseline = ['bulkhead-allow-dns', 'bulkhead-allow-within', 'bulkhead-default-deny', 'bulkhead-quota'];
const policies = '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies';
const defaultDeny = `${policies}/bulkhead-default-deny`;
const denySpec = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };

const shared = settings([
  {
    name: 'dns',
    direction: 'egress',
    namespace: 'kube-system',
    podSelector: { matchLabels: { 'k8s-app': 'kube-dns' }, matchExpressions: [] },
    ports: [
      { protocol: 'UDP', first: 53, last: 53 },
      { protocol: 'SCTP', first: 1, last: 65535 },
      { protocol: 'TCP', first: 5353, last: 5400 },
    ],
    addresses: [{ family: 4, first: 0xa9fe140an, last: 0xa9fe140an }],
  },
]);

/** As people write quantities; the API server writes them differently. */
const acme = tenant({
  resourceQuota: { hard: { pods: '0.01k', 'requests.cpu': '1500m', 'requests.memory': '1024Mi' } },
});

interface Observed {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: unknown;
  };
  readonly spec: unknown;
}

/** Waits until `look` finds something; a minute is the time that a controller of Kubernetes may take, not what is promised. */
async function eventually<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}

async function itemsAt(plane: ControlPlane, path: string): Promise<readonly Observed[]> {
  const { status, body } = await plane.request('GET', path);
  if (status !== 200) return [];
  return (body as { items?: readonly Observed[] }).items ?? [];
}

async function managedIn(plane: ControlPlane, namespace: string): Promise<readonly Observed[]> {
  const [one, other] = await Promise.all([
    itemsAt(plane, `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`),
    itemsAt(plane, `/api/v1/namespaces/${namespace}/resourcequotas`),
  ]);
  return [...one, ...other];
}

const namesOf = (objects: readonly Observed[]) => objects.map(({ metadata }) => metadata.name);

async function hasBaseline(plane: ControlPlane, namespace: string): Promise<readonly Observed[]> {
  return await eventually(`${namespace} has its baseline`, async () => {
    const objects = await managedIn(plane, namespace);
    return objects.length >= baseline.length ? objects : undefined;
  });
}

/** The closed door as it is, once it is closed. */
async function isHealed(plane: ControlPlane): Promise<Observed> {
  return await eventually('the closed door is healed', async () => {
    const { status, body } = await plane.request('GET', defaultDeny);
    const found = body as Observed;
    const healed =
      status === 200 &&
      JSON.stringify(found.spec) === JSON.stringify(denySpec) &&
      found.metadata.labels?.[label] === 'acme' &&
      found.metadata.labels['app.kubernetes.io/managed-by'] === 'bulkhead' &&
      found.metadata.ownerReferences === undefined;
    return healed ? found : undefined;
  });
}

async function atRest(cluster: Cluster): Promise<void> {
  let quiet = 0;
  await eventually('nothing is written any more', async () => {
    quiet = cluster.counters().baselines?.baseline.waiting === 0 ? quiet + 1 : 0;
    return quiet > 10 ? quiet : undefined;
  });
}

await clusterTest('every namespace of a tenant is brought to its baseline and kept there', async (t, plane) => {
  const warnings: unknown[] = [];
  const log = {
    info: () => {},
    warn: (fields: unknown) => void warnings.push(fields),
    error: (fields: unknown, message: string) => t.fail(message, { fields }),
  };
  let tenancy = createTenancy(shared, [acme]);
  const create = async (name: string, labels: Record<string, string>) => {
    const { status } = await plane.request('POST', '/api/v1/namespaces', { metadata: { name, labels } });
    t.equal(status, 201, `namespace ${name} is created`);
  };
  await create('acme-old', { [label]: 'acme' });

  const cluster = await connectCluster({
    kubeconfig: plane.adminKubeconfig,
    environment: {},
    log,
    tenancy: () => tenancy,
    reconcile: true,
  });
  t.teardown(() => cluster.stop());
  t.match(cluster.ready(), /^the namespaces of https:.* are not known yet$/);
  await cluster.synced;
  t.equal(cluster.ready(), undefined);

  await t.test('a namespace that was there before', async (t) => {
    t.same(namesOf(await hasBaseline(plane, 'acme-old')), baseline);
    t.match(cluster.namespaces.lookup('acme-old'), { name: 'acme-old', terminating: false });
    t.equal(cluster.namespaces.countOwned('acme'), 1);
  });

  await t.test('a new namespace', async (t) => {
    await create('acme-web', { [label]: 'acme' });
    await create('free', {});
    const objects = await hasBaseline(plane, 'acme-web');
    t.same(namesOf(objects), baseline);
    for (const { metadata } of objects) {
      t.equal(metadata.labels?.[label], 'acme', `${metadata.name} names the tenant`);
    }
    await atRest(cluster);
    t.same(await managedIn(plane, 'free'), [], 'a namespace without a tenant gets nothing');
    t.match(await cluster.namespaces.fetch('acme-web', new AbortController().signal), { labels: { [label]: 'acme' } });
    t.equal(await cluster.namespaces.fetch('nowhere', new AbortController().signal), undefined);
    t.equal(await cluster.namespaces.hasPods('acme-web', new AbortController().signal), false);
  });

  await t.test('what the API server stored is recognised: nothing is written twice', async (t) => {
    const versions = async () => (await managedIn(plane, 'acme-web')).map(({ metadata }) => metadata.resourceVersion);
    const before = [await versions(), cluster.counters().baselines?.baseline];
    cluster.tenancyChanged();
    await atRest(cluster);
    t.same([await versions(), cluster.counters().baselines?.baseline], before);
  });

  const merge = { contentType: 'application/merge-patch+json' };
  const edits: readonly [string, () => Promise<unknown>][] = [
    ['deleted', () => plane.request('DELETE', defaultDeny)],
    ['edited to let everybody in', () => plane.request('PATCH', defaultDeny, { spec: { ingress: [{}] } }, merge)],
    [
      'narrowed to few pods',
      () => plane.request('PATCH', defaultDeny, { spec: { podSelector: { matchLabels: { a: 'b' } } } }, merge),
    ],
    ['not marked any more', () => plane.request('PATCH', defaultDeny, { metadata: { labels: null } }, merge)],
    [
      'given an owner',
      () => {
        const owner = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: 'kube-root-ca.crt',
          uid: 'no-such-uid',
          controller: false,
        };
        return plane.request('PATCH', defaultDeny, { metadata: { ownerReferences: [owner] } }, merge);
      },
    ],
    ['deleted with all others', () => plane.request('DELETE', policies)],
  ];
  for (const [name, edit] of edits) {
    await t.test(`a closed door that is ${name}`, async (t) => {
      const healed = cluster.counters().baselines?.baseline.healed ?? 0;
      t.match(await edit(), { status: 200 }, 'without the webhook anybody can');
      await eventually('it is counted', async () =>
        (cluster.counters().baselines?.baseline.healed ?? 0) > healed ? true : undefined,
      );
      t.match((await isHealed(plane)).metadata.name, 'bulkhead-default-deny');
      t.same(namesOf(await hasBaseline(plane, 'acme-web')), baseline);
    });
  }

  await t.test('an edited quota', async (_t) => {
    const path = '/api/v1/namespaces/acme-web/resourcequotas/bulkhead-quota';
    await plane.request('PATCH', path, { spec: { hard: { pods: '1000', services: '5' } } }, merge);
    await eventually('it is healed', async () => {
      const { hard } = ((await plane.request('GET', path)).body as { spec: { hard: Record<string, string> } }).spec;
      return hard.pods === '10' && !Object.hasOwn(hard, 'services') ? true : undefined;
    });
  });

  await t.test('when the tenants change', async (t) => {
    tenancy = createTenancy(shared, [tenant({ within: 'none' })]);
    cluster.tenancyChanged();
    await eventually('the rest is removed', async () => {
      const names = namesOf(await managedIn(plane, 'acme-web'));
      return names.join() === 'bulkhead-allow-dns,bulkhead-default-deny' ? names : undefined;
    });
    tenancy = createTenancy(shared, [acme]);
    cluster.tenancyChanged();
    t.same(namesOf(await hasBaseline(plane, 'acme-web')), baseline);
  });

  await t.test('when the API server was away', async (t) => {
    await plane.killApiServer();
    await eventually('that is noticed', async () => (warnings.length > 0 ? true : undefined));
    await plane.startApiServer();
    await plane.request('DELETE', defaultDeny);
    t.match((await isHealed(plane)).metadata.name, 'bulkhead-default-deny');
    await create('acme-late', { [label]: 'acme' });
    t.same(namesOf(await hasBaseline(plane, 'acme-late')), baseline);
    t.equal(cluster.ready(), undefined, 'it was ready all the time');
  });

  await t.test('a namespace that is deleted', async (t) => {
    const failed = cluster.counters().baselines?.baseline.failed;
    await plane.request('DELETE', '/api/v1/namespaces/acme-web');
    await eventually('it is gone', async () =>
      (await plane.request('GET', '/api/v1/namespaces/acme-web')).status === 404 ? true : undefined,
    );
    await eventually('that is known', async () => (cluster.namespaces.lookup('acme-web') ? undefined : true));
    t.equal(cluster.counters().baselines?.baseline.failed, failed, 'and nothing was tried in vain');
  });

  for (const { resource, handlerErrors } of cluster.counters().watches) t.equal(handlerErrors, 0, resource);
});
