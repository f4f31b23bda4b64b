/** Pods and the policy that closes their namespace: which comes first, in every way in which pods come to be (POD-16). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { keysSince, revisionIn } from '../soak/etcd.ts';
import { eventually } from '../soak/observer.ts';
import { forbidPolicies } from './forbidden-policies.ts';
import { type GuardedCluster, guardedTest } from './guarded-cluster.ts';

/** The tenant has a quota, so a pod must say what it needs. */
const resources = { requests: { cpu: '100m', memory: '64Mi' } };
const containers = [{ name: 'main', image: 'example.org/web', resources }];
const label = 'bulkhead.dev/tenant';
const notYet =
  /namespace acme-broken has no default-deny policy yet, and no pod is admitted before it\n\s+fix: try again in 1 second/;

const everything = `
apiVersion: v1
kind: Namespace
metadata:
  name: acme-shop
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: acme-shop
spec:
  replicas: 2
  selector:
    matchLabels: { app: web }
  template:
    metadata:
      labels: { app: web }
    spec:
      containers:
        - name: web
          image: example.org/web
          resources: { requests: { cpu: 100m, memory: 64Mi } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: acme-shop
spec:
  podSelector:
    matchLabels: { app: web }
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector: {}
`;

await guardedTest('pods come after the policy that closes their namespace', async (t, cluster) => {
  // First, while nothing else is written.
  await t.test('a dry run, a refusal and a conflict write nothing', (t) => writesNothing(t, cluster));
  await t.test('a file with a namespace, a deployment and a policy is applied at the first try', (t) =>
    comesAfterItsPolicy(t, cluster),
  );
  await t.test('a namespace that cannot be closed gets no pod, and gets its pods once it can', (t) =>
    waitsForItsPolicy(t, cluster),
  );
});

async function writesNothing(t: Test, cluster: GuardedCluster): Promise<void> {
  const { plane } = cluster;
  const [alice, carol] = [await cluster.kubeconfig('alice'), await cluster.kubeconfig('carol')];
  const post = async (path: string, body: object, kubeconfig = alice) =>
    (await plane.request('POST', path, body, { kubeconfig })).status;
  const namespaces = '/api/v1/namespaces';
  const [pods, policies] = [
    '/api/v1/namespaces/acme-web/pods',
    '/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies',
  ];
  const named = (name: string) => ({ metadata: { name } });
  const pod = (name: string) => ({ ...named(name), spec: { containers } });
  const policy = { ...named('mine'), spec: { podSelector: {} } };
  const nothing = { times: 0, keys: [] };

  t.equal(await post(namespaces, named('acme-web')), 201);
  await accountIn(cluster, 'acme-web');
  // The controllers know the quota.
  await eventually('a pod is let in', async () => (await post(pods, pod('first'))) === 201);
  const rests = async () => (await writtenBy(cluster, () => sleep(1_000))).times === 0;
  await eventually('nothing is written any more', rests);

  const rows: readonly [what: string, status: number, send: () => Promise<number>][] = [
    ['a dry run of a namespace', 201, () => post(`${namespaces}?dryRun=All`, named('acme-dry'))],
    // That namespace was never written, and the API server says so before anybody is asked.
    ['a dry run of a pod in it', 404, () => post('/api/v1/namespaces/acme-dry/pods?dryRun=All', pod('dry'))],
    ['a dry run of a pod', 201, () => post(`${pods}?dryRun=All`, pod('dry'))],
    ['a dry run of a policy', 201, () => post(`${policies}?dryRun=All`, policy)],
    ['a namespace of a stranger', 403, () => post(namespaces, named('stranger'), carol)],
    ['a namespace with the name of another tenant', 403, () => post(namespaces, named('beta-web'))],
    ['a namespace that exists', 409, () => post(namespaces, named('acme-web'))],
  ];
  const before = await everythingIn(cluster);
  for (const [what, status, send] of rows) {
    const written = await writtenBy(cluster, async () => t.equal(await send(), status, what));
    t.same(written, nothing, `${what} leaves the revision of etcd as it is`);
  }
  t.same(await writtenBy(cluster, () => sleep(3_000)), nothing, 'and nothing is written because of them later on');
  t.same(await everythingIn(cluster), before, 'no namespace, policy, quota or Event is left behind');

  const real: readonly [what: string, send: () => Promise<number>][] = [
    ['a policy', () => post(policies, policy)],
    ['a pod', () => post(pods, pod('second'))],
    ['a namespace', () => post(namespaces, named('acme-dry'))],
  ];
  for (const [what, send] of real) {
    const { times } = await writtenBy(cluster, async () => t.equal(await send(), 201, what));
    t.ok(times > 0, `while ${what} that is meant changes it, by ${times}`);
  }
}

async function comesAfterItsPolicy(t: Test, cluster: GuardedCluster): Promise<void> {
  const { code, stderr } = await cluster.kubectl('alice', ['apply', '-f', '-'], everything);
  t.equal(code, 0, `kubectl apply passes ${stderr}`);
  const pods = '/api/v1/namespaces/acme-shop/pods';
  await eventually('the deployment has its pods', async () => (await itemsAt(cluster, pods)).length === 2);
  const [door] = (await itemsAt(cluster, '/apis/networking.k8s.io/v1/namespaces/acme-shop/networkpolicies')).filter(
    ({ metadata }) => metadata.name === 'bulkhead-default-deny',
  );
  for (const pod of await itemsAt(cluster, pods)) {
    t.ok(
      Number(door?.metadata.resourceVersion) < Number(pod.metadata.resourceVersion),
      'the policy is older than the pod',
    );
    t.equal(pod.metadata.labels?.[label], 'acme');
  }
}

async function waitsForItsPolicy(t: Test, cluster: GuardedCluster): Promise<void> {
  const { plane } = cluster;
  await forbidPolicies(plane);
  const kubeconfig = await cluster.kubeconfig('alice');
  const platform = await cluster.kubeconfig('platform');
  const broken = { metadata: { name: 'acme-broken', labels: { broken: 'yes' } } };
  t.match(await plane.request('POST', '/api/v1/namespaces', broken, { kubeconfig }), { status: 201 });
  await accountIn(cluster, 'acme-broken');
  const path = '/api/v1/namespaces/acme-broken/pods';
  const pod = (name: string, more: { metadata?: object; spec?: object } = {}) => ({
    metadata: { name, ...more.metadata },
    spec: { containers, ...more.spec },
  });
  const mirror = {
    metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } },
    spec: { nodeName: 'n1', automountServiceAccountToken: false },
  };
  const rows: readonly [what: string, path: string, body: object, kubeconfig: string][] = [
    ['a pod', path, pod('plain'), kubeconfig],
    ['one that names its node', path, pod('placed', { spec: { nodeName: 'n1' } }), kubeconfig],
    ['the mirror of a static pod', path, pod('mirror', mirror), plane.adminKubeconfig],
    ['a dry run', `${path}?dryRun=All`, pod('dry'), kubeconfig],
    ['a pod of the platform', path, pod('theirs'), platform],
  ];
  await Promise.all(
    rows.map(async ([what, to, body, who]) => {
      const { status, body: answer } = await plane.request('POST', to, body, { kubeconfig: who });
      t.equal(status, 503, `${what} is refused for now: ${JSON.stringify(answer)}`);
      t.match(answer, { reason: 'ServiceUnavailable', details: { retryAfterSeconds: 1 }, message: notYet }, what);
    }),
  );
  t.same(await itemsAt(cluster, path), [], 'none came to be');
  await t.test('and people can see why', async (t) => {
    const { stdout } = await cluster.kubectl('alice', ['get', 'events', '-n', 'acme-broken', '-o', 'json']);
    const failed = JSON.parse(stdout).items.filter(({ reason }: { reason: string }) => reason === 'BaselineFailed');
    t.match(failed, [
      { involvedObject: { kind: 'Namespace', name: 'acme-broken' }, message: /no policies here, please/ },
    ]);
    t.equal(failed.length, 1, 'one Event, however often it is tried');
  });

  await plane.request('DELETE', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/broken');
  await eventually('a pod is admitted', async () => {
    const { status } = await plane.request('POST', path, pod('plain'), { kubeconfig });
    return status === 201;
  });
  t.match(
    await plane.request(
      'GET',
      '/apis/networking.k8s.io/v1/namespaces/acme-broken/networkpolicies/bulkhead-default-deny',
    ),
    {
      status: 200,
    },
  );
}

interface Item {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

async function itemsAt({ plane }: GuardedCluster, path: string): Promise<readonly Item[]> {
  return ((await plane.request('GET', path)).body as { readonly items: readonly Item[] }).items;
}

/** Pods need the account of their namespace, which a controller makes. */
async function accountIn({ plane }: GuardedCluster, namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await eventually(`${namespace} has its account`, async () => (await plane.request('GET', path)).status === 200);
}

/** What Bulkhead could leave behind, with the version of each. */
async function everythingIn(cluster: GuardedCluster): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of [
    '/api/v1/namespaces',
    '/apis/networking.k8s.io/v1/networkpolicies',
    '/api/v1/resourcequotas',
    '/api/v1/events',
  ]) {
    for (const { metadata } of await itemsAt(cluster, path))
      found.push(`${path} ${metadata.namespace ?? ''}/${metadata.name} at ${metadata.resourceVersion}`);
  }
  return found.sort();
}

/** What etcd is written by a run, and a while longer. The API server renews leases of its own now and then, which does not count. */
async function writtenBy({ plane }: GuardedCluster, run: () => Promise<unknown>): Promise<Written> {
  const before = await revisionIn(plane);
  await run();
  await sleep(200);
  const after = await revisionIn(plane);
  const times = after.revision - before.revision - (after.renewals - before.renewals);
  return { times, keys: times === 0 ? [] : await keysSince(plane, before.revision) };
}

interface Written {
  /** By how much the revision has grown. */
  readonly times: number;
  readonly keys: readonly string[];
}
