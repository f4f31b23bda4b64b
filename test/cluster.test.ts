import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../src/admission/clock.ts';
import { gather } from '../src/admission/gather.ts';
import { trustedFor } from '../src/client/freshness.ts';
import type { Cluster, ClusterOptions } from '../src/cluster/cluster.ts';
import { connectCluster } from '../src/cluster/connect-cluster.ts';
import { propagationDelay } from '../src/facts/reservations.ts';
import type { AdmissionRequest } from '../src/kubernetes/review.ts';
import { createTenancy } from '../src/tenancy/tenancy.ts';
import { settings, tenant } from './baseline/samples.ts';
import { type FakeApiServer, startFakeApiServer } from './client/fake-api-server.ts';
import { type FakeClock, fakeClock, until } from './client/fake-clock.ts';

const label = 'bulkhead.dev/tenant';
const acmeWeb = { metadata: { name: 'acme-web', labels: { [label]: 'acme' } } };
const ignore = () => {};
const common: Omit<ClusterOptions, 'reconcile'> = {
  environment: {},
  log: { info: ignore, warn: ignore, error: ignore },
  tenancy: () => createTenancy(settings([]), [tenant({ within: 'none' })]),
};

interface Connected {
  readonly server: FakeApiServer;
  readonly clock: FakeClock;
  readonly cluster: Cluster;
}

async function connect(
  t: Test,
  reconcile: boolean,
  prepare: (server: FakeApiServer) => void,
  tenancy = common.tenancy,
): Promise<Connected> {
  const server = await startFakeApiServer();
  prepare(server);
  const directory = t.testdir({});
  const kubeconfig = join(directory, 'config');
  // Plain HTTP is taken only where nothing is to be verified.
  const cluster = { server: server.url, 'insecure-skip-tls-verify': true };
  await writeFile(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'fake', cluster }],
      users: [{ name: 'fake', user: {} }],
      contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
      'current-context': 'fake',
    }),
  );
  const clock = fakeClock();
  const connected = await connectCluster({ ...common, tenancy, kubeconfig, reconcile, clock });
  t.teardown(async () => {
    await connected.stop();
    await server.stop();
  });
  return { server, clock, cluster: connected };
}

t.test('where no cluster is known, it says what to do', async (t) => {
  await t.rejects(connectCluster({ ...common, reconcile: true }), {
    message: 'no cluster is known here: give a kubeconfig, or run in a pod',
  });
});

t.test('a kubeconfig that cannot be read is said at once', async (t) => {
  await t.rejects(connectCluster({ ...common, kubeconfig: '/nowhere/config', reconcile: true }), {
    message: /^the kubeconfig \/nowhere\/config cannot be used/,
  });
});

t.test('it is ready when everything is known, and says why it is not', async (t) => {
  const { server, clock, cluster } = await connect(t, false, (server) => {
    server.put('namespaces', acmeWeb);
    server.failNext({ kind: 'status', code: 403, reason: 'Forbidden' });
  });
  await until('the failure is noticed', () => cluster.ready()?.includes('Forbidden') === true);
  t.equal(cluster.ready(), `the namespaces of ${server.url} are not known yet: 403 Forbidden says the fake`);
  t.equal(cluster.namespaces.lookup('acme-web'), undefined);
  clock.advance(800);
  await cluster.synced;
  t.equal(cluster.ready(), undefined);
  t.match(cluster.namespaces.lookup('acme-web'), { labels: { [label]: 'acme' } });
  t.equal(cluster.namespaces.countOwned('acme'), 1);
});

t.test('where nothing is reconciled, only namespaces are read and nothing is written', async (t) => {
  const { server, cluster } = await connect(t, false, (server) => server.put('namespaces', acmeWeb));
  await cluster.synced;
  await until('the watch is open', () => server.watches.length === 1);
  cluster.tenancyChanged();
  t.match(cluster.counters(), { watches: [{ resource: 'namespaces', objects: 1, failures: 0 }], baselines: undefined });
  t.same([...new Set(server.requests.map(({ method, path }) => `${method} ${path}`))], ['GET /api/v1/namespaces']);
});

t.test('namespaces come and go, and their baseline with them', async (t) => {
  const { server, cluster } = await connect(t, true, () => {});
  await cluster.synced;
  await until('the watches are open', () => server.watches.length === 4);
  server.put('namespaces', acmeWeb);
  await until('the baseline is there', () => server.list('networkpolicies').length === 1);
  await until('nothing waits', () => cluster.counters().baselines?.baseline.waiting === 0);
  t.match(cluster.counters(), {
    watches: [
      { resource: 'namespaces' },
      { resource: 'networkpolicies' },
      { resource: 'resourcequotas' },
      { resource: 'limitranges' },
    ],
    baselines: { baseline: { applied: 1, healed: 0, pruned: 0, failed: 0, waiting: 0, withheld: 0 } },
  });
  server.remove('namespaces', 'acme-web');
  await until('it is gone', () => cluster.namespaces.lookup('acme-web') === undefined);
  t.equal(cluster.namespaces.countOwned('acme'), 0);
});

t.test('while the API server is not heard, namespaces are asked for live', async (t) => {
  const { server, clock, cluster } = await connect(t, false, (server) => server.put('namespaces', acmeWeb));
  await cluster.synced;
  await until('the watch is open', () => server.watches.length === 1 && clock.waits().includes(90_000));
  server.watches[0]?.mute();
  clock.advance(3_000);
  t.ok(cluster.namespaces.lookup('acme-web'), 'the silence may still be chance');
  clock.advance(1);
  t.equal(cluster.namespaces.lookup('acme-web'), undefined, 'now it is not taken for granted any more');
  t.match(await cluster.namespaces.fetch('acme-web', new AbortController().signal), { name: 'acme-web' });
  t.ok(cluster.namespaces.lookup('acme-web'), 'but what the API server has confirmed is, for a moment');
  t.equal(cluster.ready(), undefined, 'and it stays ready');
});

t.test('while nothing is heard, a namespace has to be closed itself, and not the one that had its name', async (t) => {
  const { server, clock, cluster } = await connect(t, true, () => {});
  await cluster.synced;
  await until('the watches are open', () => server.watches.length === 3);
  const pod = { family: 'pod', kind: 'Pod', operation: 'CREATE', subresource: '', namespace: 'acme-web', object: {} };
  const admitted = async () => {
    const sources = { ...cluster, tenancy: cluster.tenancy(), clock: systemClock, now: 0, timeBudget: 2_000 };
    const request = { ...pod, user: { username: 'alice', groups: [] } } as unknown as AdmissionRequest;
    return await gather(request, sources).then(
      () => true,
      (error: Error) => error.message,
    );
  };
  const notYet = 'namespace acme-web has no default-deny policy yet, and no pod is admitted before it';
  server.put('namespaces', acmeWeb);
  await until('the baseline is known', () => server.list('networkpolicies').length === 1);
  t.equal(await admitted(), true);

  for (const watch of server.watches) watch.mute();
  clock.advance(3_001);
  t.equal(await admitted(), true, 'the API server itself says so');
  const [door] = server.list('networkpolicies');
  server.remove('networkpolicies', 'bulkhead-default-deny', 'acme-web');
  server.remove('namespaces', 'acme-web');
  const { uid } = server.put('namespaces', acmeWeb).metadata;
  clock.advance(3_001);
  t.equal(await admitted(), notYet, 'nobody has closed the next one');
  if (door === undefined || uid === undefined) throw new Error('there were a door and a uid');
  const annotations = { 'bulkhead.dev/namespace-uid': uid };
  server.put('networkpolicies', { ...door, metadata: { ...door.metadata, annotations } });
  t.equal(await admitted(), true, 'somebody else has');
});

const acme = {
  apiVersion: 'bulkhead.dev/v1alpha1',
  kind: 'Tenant',
  metadata: { name: 'acme', generation: 1, creationTimestamp: '2026-11-21T00:00:00Z' },
  spec: { network: { within: 'none' } },
};

t.test('where tenants are objects, it is ready when they are known', async (t) => {
  const counts: number[] = [];
  const objects = { settings: settings([]), onTenants: (refused: number) => void counts.push(refused) };
  const { server, clock, cluster } = await connect(
    t,
    false,
    (server) => {
      server.put('tenants', acme);
      server.failNext({ kind: 'status', code: 404, reason: 'NotFound' }, ({ path }) => path.endsWith('/tenants'));
    },
    objects,
  );
  const missing = `${server.url} does not serve tenants.bulkhead.dev: apply manifests/crds, or give the tenants as files`;
  await until('the failure is noticed', () => cluster.ready() === missing);
  t.notOk(cluster.tenantsKnown());
  t.equal(cluster.tenancy().tenants.size, 0);
  clock.advance(800);
  await cluster.synced;
  t.equal(cluster.ready(), undefined);
  t.ok(cluster.tenantsKnown());
  t.strictSame([...cluster.tenancy().tenants.keys()], ['acme']);
  t.strictSame(counts, [0]);
  await until('the watch is open', () => server.watches.some(({ resource }) => resource === 'tenants'));
  server.put('tenants', { ...acme, metadata: { ...acme.metadata, generation: 2 }, spec: { mode: 'loud' } });
  await until('the change has come', () => clock.waits().includes(20));
  clock.advance(20);
  t.strictSame(counts, [0, 1], 'a bad version is counted');
  t.equal(cluster.tenancy().tenants.get('acme')?.network.within, 'none', 'and not in force');
  const plain = settings([]);
  const relabelled = { ...plain, tenantLabel: 'example.org/tenant' };
  t.strictSame(cluster.settingsChanged(relabelled), []);
  t.equal(cluster.tenancy().settings.tenantLabel, 'example.org/tenant');
  t.notOk(
    server.requests.some(({ method }) => method !== 'GET'),
    'nothing is written where nothing is reconciled',
  );
});

t.test('it is not ready while nobody can say what is exempted', async (t) => {
  const objects = { settings: settings([]), onTenants: ignore };
  const { server, clock, cluster } = await connect(
    t,
    false,
    (server) =>
      server.failNext({ kind: 'status', code: 404, reason: 'NotFound' }, ({ path }) => path.endsWith('/exemptions')),
    objects,
  );
  const missing = `${server.url} does not serve exemptions.bulkhead.dev: apply manifests/crds, or give the tenants as files`;
  await until('the failure is noticed', () => cluster.ready() === missing);
  t.notOk(cluster.tenantsKnown());
  clock.advance(800);
  await cluster.synced;
  t.ok(cluster.tenantsKnown());
});

const withoutRequests = (server: FakeApiServer): void => {
  for (let index = 0; index < 100; index++)
    server.failNext({ kind: 'status', code: 404, reason: 'NotFound' }, ({ path }) => path.endsWith('/gaterequests'));
};

t.test('where gates come from the platform, a cluster need not serve the requests for them', async (t) => {
  const { server, cluster } = await connect(t, false, withoutRequests, { settings: settings([]), onTenants: ignore });
  await cluster.synced;
  await until('they were asked for', () => server.requests.some(({ path }) => path.endsWith('/gaterequests')));
  t.equal(cluster.ready(), undefined);
  t.ok(cluster.tenantsKnown());
});

t.test('where gates come from tenants, it is not ready while the requests are not known', async (t) => {
  const ports = [{ protocol: 'TCP', first: 443, last: 443 }] as const;
  const asking = { ...settings([]), gates: { from: 'tenants', ports, between: undefined } } as const;
  const objects = { settings: settings([]), onTenants: ignore };
  const { server, cluster } = await connect(t, false, withoutRequests, objects);
  await cluster.synced;
  t.strictSame(cluster.settingsChanged(asking), []);
  const missing = `${server.url} does not serve gaterequests.bulkhead.dev: apply manifests/crds, or give the tenants as files`;
  await until('the failure is noticed', () => cluster.ready() === missing);
  t.notOk(cluster.tenantsKnown(), 'no review is answered by half of the facts');
  const [problem, ...others] = cluster.problemsOf(asking);
  t.match(problem, { path: 'spec.gates.from', reason: /not listed them: 404/, fix: 'apply manifests/crds first' });
  t.strictSame(others, [], 'so a reload does not put them in force');
  t.strictSame(cluster.problemsOf(settings([])), []);
  t.strictSame(cluster.settingsChanged(settings([])), []);
  t.ok(cluster.tenantsKnown(), 'and with the former settings it goes on');
});

t.test('GAT-04: requests that were not heard for five minutes are not known any more', async (t) => {
  const ports = [{ protocol: 'TCP', first: 443, last: 443 }] as const;
  const asking = { ...settings([]), gates: { from: 'tenants', ports, between: undefined } } as const;
  const { server, clock, cluster } = await connect(t, false, ignore, { settings: asking, onTenants: ignore });
  await cluster.synced;
  await until('they are known', () => cluster.tenantsKnown());
  t.strictSame(cluster.problemsOf(asking), []);
  const opened = () => server.watches.filter(({ resource }) => resource !== 'gaterequests').length === 3;
  await until('the watches are open', () => opened() && server.watches.length === 4);
  // Whatever is asked for them from now on fails.
  withoutRequests(server);
  server.watches.find(({ resource }) => resource === 'gaterequests')?.end();
  await until('the watch is closed', () => server.watches.length === 3);
  clock.advance(300_001);
  t.notOk(cluster.tenantsKnown());
});

t.test('tenants that were not heard for five minutes are not known any more', async (t) => {
  const objects = { settings: settings([]), onTenants: ignore };
  const { server, clock, cluster } = await connect(t, false, (server) => server.put('tenants', acme), objects);
  await cluster.synced;
  const opened = () => server.watches.some(({ resource }) => resource === 'tenants');
  await until('the watch is open', opened);
  // From now on the tenants cannot be read.
  const ofTenants = ({ path }: { readonly path: string }) => path.endsWith('/tenants');
  for (let index = 0; index < 100; index++)
    server.failNext({ kind: 'status', code: 403, reason: 'Forbidden' }, ofTenants);
  server.watches.find(({ resource }) => resource === 'tenants')?.end();
  await until('the watch is closed', () => !opened());
  clock.advance(300_000);
  t.ok(cluster.tenantsKnown());
  t.equal(cluster.ready(), undefined);
  clock.advance(1);
  t.notOk(cluster.tenantsKnown());
  t.match(cluster.ready(), `the tenants of ${server.url} are not known any more`);
  await until('the failure is noticed', () => {
    // The end of the watch may be heard after the clock was moved, and its back-off begins then.
    clock.advance(1_000);
    return cluster.ready()?.includes('403 Forbidden') === true;
  });
});

t.test('a Tenant object changes the baselines of its namespaces, and gets its status', async (t) => {
  const objects = { settings: settings([]), onTenants: ignore };
  const { server, clock, cluster } = await connect(
    t,
    true,
    (server) => {
      server.put('tenants', acme);
      server.put('namespaces', acmeWeb);
    },
    objects,
  );
  await cluster.synced;
  await until('the baseline is there', () => server.list('networkpolicies').length === 1);
  const path = '/apis/bulkhead.dev/v1alpha1/tenants/acme/status';
  clock.advance(1_500);
  await until('the status is written', () => server.requests.some((request) => request.path === path));
  const written = server.requests.find((request) => request.path === path);
  t.match(written?.body, { status: { namespaces: 1, conditions: [{ type: 'Ready', status: 'True' }] } });
  await until('the watch is open', () => server.watches.some(({ resource }) => resource === 'tenants'));
  const open = { ...acme, metadata: { ...acme.metadata, generation: 2 }, spec: { network: { within: 'namespace' } } };
  server.put('tenants', open);
  await until('the change has come', () => clock.waits().includes(20));
  clock.advance(20);
  await until('the baseline follows', () => server.list('networkpolicies').length === 2);
});

t.test('a reserved name is free when the reservation has propagated, and again after it was given up', async (t) => {
  const withPrefix = { ...acme, spec: { ...acme.spec, namespaces: { prefix: 'acme-' } } };
  const objects = { settings: settings([]), onTenants: ignore };
  const { server, clock, cluster } = await connect(t, false, (server) => server.put('tenants', withPrefix), objects);
  await cluster.synced;
  // Each of the four waits for silence: none is still being opened when the clock is moved.
  await until('the watches are open', () => clock.waits().filter((wait) => wait === 90_000).length === 4);
  const isFree = () => cluster.namespaces.isFree('acme-new', 'acme');
  let names = 0;
  /** Time goes by, and the watch of the namespaces is heard. */
  const later = async (milliseconds: number) => {
    clock.advance(milliseconds);
    const name = `other-${names++}`;
    server.put('namespaces', { metadata: { name } });
    await until('the watch is heard', () => cluster.namespaces.lookup(name) !== undefined);
  };
  await later(propagationDelay.objects + trustedFor - 1);
  t.notOk(isFree(), 'another replica may not have known of it yet');
  clock.advance(1);
  t.notOk(isFree(), 'the watch was not heard since');
  await later(0);
  t.ok(isFree());
  clock.advance(20_000);
  t.ok(isFree(), 'the watch may be quiet');
  server.put('namespaces', { metadata: { name: 'acme-new' } });
  await until('the namespace is known', () => cluster.namespaces.lookup('acme-new') !== undefined);
  t.notOk(isFree(), 'there is a namespace of this name');
  server.remove('namespaces', 'acme-new');
  await until('it is gone', isFree);

  for (const [generation, spec] of [acme.spec, withPrefix.spec].entries()) {
    server.put('tenants', { ...acme, metadata: { ...acme.metadata, generation: generation + 2 }, spec });
    await until('the change has come', () => clock.waits().includes(20));
    clock.advance(20);
  }
  await later(propagationDelay.objects + trustedFor - 1);
  t.notOk(isFree(), 'a reservation that was given up begins anew');
  await later(1);
  t.ok(isFree());
});
