/** Baselines that somebody undoes, on a real API server: replicas that disagree, and a namespace that ends and comes again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import type { NamespaceRecord } from '../../src/admission/facts.ts';
import { namespaceIsolatedBy } from '../../src/baseline/default-deny.ts';
import { systemClock } from '../../src/client/clock.ts';
import { createConnection } from '../../src/client/connection.ts';
import { kubeconfigAuthentication } from '../../src/client/kubeconfig.ts';
import { type Handler, startListWatch } from '../../src/client/list-watch.ts';
import { connectCluster } from '../../src/cluster/connect-cluster.ts';
import { defaultDenyPath } from '../../src/facts/isolated-namespaces.ts';
import { namespaceRecord } from '../../src/facts/namespaces.ts';
import { createBaselineReconciler } from '../../src/reconcile/baseline-reconciler.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { settings, tenant } from '../baseline/samples.ts';
import { eventually, observe, silent } from '../soak/observer.ts';

const acme = { name: 'acme-web', labels: { 'bulkhead.dev/tenant': 'acme' } };
const namespaces = '/api/v1/namespaces';
const policies = '/apis/networking.k8s.io/v1/networkpolicies';
const quotas = '/api/v1/resourcequotas';
const quota = (pods: string) => ({ resourceQuota: { hard: { pods } } });

/** By how many milliseconds the watches are late for acme-0, acme-1 and so on. */
const lates = [
  { namespaces: 0, policies: 0 },
  { namespaces: 300, policies: 0 },
  { namespaces: 0, policies: 300 },
  { namespaces: 300, policies: 300 },
] as const;
const lateOf = (namespace: string) => lates.find((_, index) => namespace === `acme-${index}`) ?? lates[0];

await clusterTest('baselines that somebody undoes', async (t, plane) => {
  await t.test('two replicas that read different tenants do not write against each other', (t) => comeToRest(t, plane));
  await t.test('a namespace that is made anew while the old one is worked on is closed', (t) =>
    closesTheNext(t, plane),
  );
});

async function comeToRest(t: Test, plane: ControlPlane): Promise<void> {
  await plane.request('POST', namespaces, { metadata: acme });
  /** How often each object was written or removed. */
  const writes = new Map<string, number>();
  const count = (name: string) => void writes.set(name, (writes.get(name) ?? 0) + 1);
  const observer = observe(plane.adminKubeconfig);
  t.teardown(() => observer.stop());
  for (const path of [policies, quotas]) {
    // The status of a quota is written by its controller.
    const specs = new Map<string, string>();
    await observer.follow(path, {
      changed({ metadata: { name }, object }) {
        const spec = JSON.stringify(object.spec);
        if (specs.get(name) !== spec) count(name);
        specs.set(name, spec);
      },
      removed({ name }) {
        count(name);
        specs.delete(name);
      },
    });
  }
  const one = createTenancy(settings([]), [tenant(quota('5'))]);
  let other = createTenancy(settings([]), [tenant({ ...quota('6'), within: 'none' })]);
  const join = async (tenancy: () => typeof one) => {
    const common = { kubeconfig: plane.adminKubeconfig, environment: {}, log: silent, reconcile: true };
    const cluster = await connectCluster({ ...common, tenancy });
    t.teardown(() => cluster.stop());
    await cluster.synced;
    return cluster;
  };
  const clusters = [await join(() => one), await join(() => other)] as const;
  await sleep(8_000);
  for (const name of ['bulkhead-allow-within', 'bulkhead-quota']) {
    const times = writes.get(name) ?? 0;
    // Both put in place what they see, and then heal it: three times at once, and after 1, 3 and 7 seconds at the soonest.
    t.ok(times > 6 && times <= 2 * (1 + 6), `${name} was written ${times} times in eight seconds`);
  }
  t.equal(writes.get('bulkhead-default-deny'), 1, 'the closed door once, and nobody touched it');
  for (const cluster of clusters) t.match(cluster.counters().baselines?.baseline, { conflicts: 2, failed: 0 });
  const { body } = await plane.request('GET', `${namespaces}/acme-web/events`);
  const said = (body as { items: { reason: string; message: string }[] }).items.filter(
    ({ reason }) => reason === 'BaselineConflict',
  );
  t.match(said, [{ message: /again and again/ }], 'one Event says it');

  other = one;
  clusters[1].tenancyChanged();
  await eventually('they agree', () =>
    clusters.every((cluster) => cluster.counters().baselines?.baseline.waiting === 0),
  );
  // The observer may hear of the last write a moment later.
  let before: unknown;
  await eventually('the observer hears of no more writes', async () => {
    before = [...writes];
    await sleep(500);
    return isDeepStrictEqual([...writes], before);
  });
  await sleep(3_000);
  t.same([...writes], before, 'and write nothing any more');
}

async function closesTheNext(t: Test, plane: ControlPlane): Promise<void> {
  const authentication = kubeconfigAuthentication({ kind: 'kubeconfig', path: plane.adminKubeconfig });
  const connection = createConnection(authentication, systemClock);
  const records = new Map<string, NamespaceRecord>();
  const tenancy = createTenancy(settings([]), [tenant(quota('5'))]);
  const reconciler = createBaselineReconciler(
    connection,
    systemClock,
    silent,
    () => tenancy,
    (name) => records.get(name),
    { record: () => true },
  );
  /** The same handler, told later. */
  const delayed = (by: (namespace: string) => number, handler: Handler): Handler => ({
    changed(object) {
      const { name, namespace } = object.metadata;
      setTimeout(() => handler.changed(object), by(namespace || name));
    },
    removed(object) {
      setTimeout(() => handler.removed(object), by(object.namespace || object.name));
    },
  });
  const { NetworkPolicy, ResourceQuota } = reconciler.handlers;
  const followed: readonly [path: string, handler: Handler][] = [
    [
      namespaces,
      delayed((namespace) => lateOf(namespace).namespaces, {
        changed(object) {
          records.set(object.metadata.name, namespaceRecord(object));
          reconciler.namespaceChanged(object.metadata.name);
        },
        removed({ name }) {
          records.delete(name);
          reconciler.namespaceChanged(name);
        },
      }),
    ],
    [policies, delayed((namespace) => lateOf(namespace).policies, NetworkPolicy)],
    [quotas, ResourceQuota],
  ];
  const watches = followed.map(([path, handler]) =>
    startListWatch({ connection, clock: systemClock, log: silent, path, handler }),
  );
  t.teardown(async () => {
    await Promise.all(watches.map((watch) => watch.stop()));
    await reconciler.stop();
    connection.close();
  });
  await Promise.all(watches.map((watch) => watch.synced));
  reconciler.begin();

  const create = async (name: string): Promise<string> => {
    for (;;) {
      const { status, body } = await plane.request('POST', namespaces, { metadata: { ...acme, name } });
      if (status === 201) return (body as { metadata: { uid: string } }).metadata.uid;
      await sleep(1);
    }
  };
  const isWhole = async (name: string, uid: string) => {
    const { status, body } = await plane.request('GET', defaultDenyPath(name));
    const quota = await plane.request('GET', `${namespaces}/${name}/resourcequotas/bulkhead-quota`);
    return status === 200 && quota.status === 200 && namespaceIsolatedBy(body as Record<string, unknown>) === uid;
  };

  const uids = new Set<string>();
  async function renew(name: string): Promise<void> {
    const old = await create(name);
    await eventually(`${name} is closed`, () => isWhole(name, old));
    // There is something to do all the while.
    let hurting = true;
    const hurt = (async () => {
      while (hurting) {
        await plane.request('DELETE', defaultDenyPath(name));
        await sleep(5);
      }
    })();
    await plane.request('DELETE', `${namespaces}/${name}`);
    const uid = await create(name);
    hurting = false;
    await hurt;
    await eventually(`the new ${name} is closed`, () => isWhole(name, uid));
    uids.add(old).add(uid);
  }
  const names = lates.map((_, index) => `acme-${index}`);
  for (let round = 1; round <= 2; round++) {
    await Promise.all(names.map(renew));
    await eventually('nothing waits', () => reconciler.counters().waiting === 0);
    await Promise.all(names.map((name) => plane.request('DELETE', `${namespaces}/${name}`)));
  }
  t.equal(uids.size, 2 * 2 * lates.length, 'each was another namespace, and each was closed');
  const { applied, healed, failed } = reconciler.counters();
  t.ok(failed < 20 * uids.size, `what failed was not tried without end: ${failed} of ${applied + healed + failed}`);
}
