/** Pods and the policy that closes their namespace: which comes first, in every way in which pods come to be (POD-16). */
import type { Test } from 'tap';
import { eventually } from '../soak/observer.ts';
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

await guardedTest(
  'a file with a namespace, a deployment and a policy is applied at the first try',
  async (t, cluster) => {
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
  },
);

await guardedTest(
  'a namespace that cannot be closed gets no pod, and gets its pods once it can',
  async (t, cluster) => {
    const { plane } = cluster;
    await forbidPolicies(cluster);
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
  },
);

await guardedTest('a dry run and a refusal write nothing', async (t, cluster) => {
  const { plane } = cluster;
  const kubeconfig = await cluster.kubeconfig('alice');
  const stranger = await cluster.kubeconfig('carol');
  const post = async (path: string, body: object, who = kubeconfig) =>
    (await plane.request('POST', path, body, { kubeconfig: who })).status;
  t.equal(await post('/api/v1/namespaces', { metadata: { name: 'acme-web' } }), 201);
  await accountIn(cluster, 'acme-web');
  const pods = '/api/v1/namespaces/acme-web/pods';
  t.equal(await post(pods, { metadata: { name: 'first' }, spec: { containers } }), 201);
  const policy = { metadata: { name: 'mine' }, spec: { podSelector: {} } };

  const rows: readonly [what: string, status: number, send: () => Promise<number>][] = [
    ['a namespace', 201, () => post('/api/v1/namespaces?dryRun=All', { metadata: { name: 'acme-dry' } })],
    // That namespace was never written, and the API server says so before anybody is asked.
    [
      'a pod in it',
      404,
      () => post('/api/v1/namespaces/acme-dry/pods?dryRun=All', { metadata: { name: 'p' }, spec: { containers } }),
    ],
    ['a pod', 201, () => post(`${pods}?dryRun=All`, { metadata: { name: 'dry' }, spec: { containers } })],
    ['a policy', 201, () => post('/apis/networking.k8s.io/v1/namespaces/acme-web/networkpolicies?dryRun=All', policy)],
    ['a namespace of a stranger', 403, () => post('/api/v1/namespaces', { metadata: { name: 'stranger' } }, stranger)],
    ['a namespace that exists', 409, () => post('/api/v1/namespaces', { metadata: { name: 'acme-web' } })],
  ];
  for (const [what, status, send] of rows) {
    t.equal(await writesNothing(t, cluster, send), status, `${what} changes nothing in etcd`);
  }
  const { body } = await plane.request('GET', '/apis/networking.k8s.io/v1/networkpolicies');
  const where = new Set((body as { items: Item[] }).items.map(({ metadata }) => metadata.namespace));
  t.same([...where], ['acme-web'], 'and no namespace that never was has a policy');
});

interface Item {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
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

/**
 * Sends until etcd's revision is the same before and after. The control plane itself writes now and then (leases, quotas), so a
 * try in which something moved proves nothing; what always writes never passes.
 */
async function writesNothing(t: Test, { plane }: GuardedCluster, send: () => Promise<number>): Promise<number> {
  const revision = async () => {
    const { body } = await plane.request('GET', '/api/v1/namespaces?limit=1');
    return (body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
  };
  for (let attempt = 1; attempt <= 50; attempt++) {
    const before = await revision();
    const status = await send();
    // Whatever would be written because of it is written within milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 100));
    if ((await revision()) === before) return status;
  }
  t.fail('every time something was written');
  return 0;
}

/** An API server that takes no baseline into some namespaces. */
async function forbidPolicies({ plane }: GuardedCluster): Promise<void> {
  const api = '/apis/admissionregistration.k8s.io/v1';
  const policy = {
    metadata: { name: 'broken' },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        namespaceSelector: { matchLabels: { broken: 'yes' } },
        resourceRules: [
          {
            apiGroups: ['networking.k8s.io'],
            apiVersions: ['v1'],
            operations: ['CREATE'],
            resources: ['networkpolicies'],
          },
        ],
      },
      validations: [{ expression: 'false', message: 'no policies here, please' }],
    },
  };
  const binding = { metadata: { name: 'broken' }, spec: { policyName: 'broken', validationActions: ['Deny'] } };
  await plane.request('POST', `${api}/validatingadmissionpolicies`, policy);
  await plane.request('POST', `${api}/validatingadmissionpolicybindings`, binding);
  const probe = { metadata: { name: 'probe', labels: { broken: 'yes' } } };
  await plane.request('POST', '/api/v1/namespaces', probe);
  await eventually('the API server goes by it', async () => {
    const path = '/apis/networking.k8s.io/v1/namespaces/probe/networkpolicies?dryRun=All';
    return (
      (await plane.request('POST', path, { metadata: { name: 'probe' }, spec: { podSelector: {} } })).status !== 201
    );
  });
}
