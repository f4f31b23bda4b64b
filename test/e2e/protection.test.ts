/** What Bulkhead has put in place stays: against tenants, against controllers that are made to act for them, and to the end of the namespace. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import type { Answer } from '../apiserver/api-request.ts';
import { eventually } from '../soak/observer.ts';
import { type GuardedCluster, guardedTest } from './guarded-cluster.ts';

const policiesOf = (name: string) => `/apis/networking.k8s.io/v1/namespaces/${name}/networkpolicies`;
const pathOf = (name: string) => `/api/v1/namespaces/${name}`;
const merge = { contentType: 'application/merge-patch+json' };
const everyone = ['system:serviceaccounts', 'system:authenticated'];
const controllers = {
  'garbage collector': { user: 'system:serviceaccount:kube-system:generic-garbage-collector', groups: everyone },
  'namespace controller': { user: 'system:serviceaccount:kube-system:namespace-controller', groups: everyone },
} as const;

interface Policy {
  readonly metadata: {
    readonly uid: string;
    readonly name: string;
    readonly ownerReferences?: unknown;
    readonly finalizers?: unknown;
    readonly deletionTimestamp?: string;
  };
  readonly spec: unknown;
}

await guardedTest('what Bulkhead has put in place stays', async (t, cluster) => {
  await t.test('nobody but the platform touches a managed policy', (t) => guardsPolicies(t, cluster));
  await t.test('the policies of a namespace outlive its pods, and the namespace still ends', (t) =>
    outlivesPods(t, cluster),
  );
  await t.test('an owner goes, and what hung on it stays', (t) => outlivesOwners(t, cluster));
});

async function guardsPolicies(t: Test, cluster: GuardedCluster): Promise<void> {
  const { plane } = cluster;
  const policies = await isolatedNamespace(cluster, 'acme-web');
  const door = `${policies}/bulkhead-default-deny`;
  const alice = await cluster.kubeconfig('alice');
  const bait = { apiVersion: 'v1', kind: 'ConfigMap', name: 'kube-root-ca.crt', uid: 'no-such-uid' };
  const shadow = { metadata: { name: 'bulkhead-allow-all' }, spec: { podSelector: {}, policyTypes: ['Ingress'] } };
  const claim = { 'app.kubernetes.io/managed-by': 'bulkhead' };
  const ways: readonly [what: string, send: (kubeconfig: string) => Promise<Answer>][] = [
    ['delete it', (kubeconfig) => plane.request('DELETE', door, undefined, { kubeconfig })],
    ['delete it dry', (kubeconfig) => plane.request('DELETE', `${door}?dryRun=All`, undefined, { kubeconfig })],
    ['delete all of them', (kubeconfig) => plane.request('DELETE', policies, undefined, { kubeconfig })],
    [
      'own it',
      (kubeconfig) => plane.request('PATCH', door, { metadata: { ownerReferences: [bait] } }, { ...merge, kubeconfig }),
    ],
    [
      'finalize it',
      (kubeconfig) =>
        plane.request('PATCH', door, { metadata: { finalizers: ['example.org/mine'] } }, { ...merge, kubeconfig }),
    ],
    [
      'tie it to another namespace',
      (kubeconfig) =>
        plane.request(
          'PATCH',
          door,
          { metadata: { annotations: { 'bulkhead.dev/namespace-uid': 'x' } } },
          { ...merge, kubeconfig },
        ),
    ],
    ['take a name of its kind', (kubeconfig) => plane.request('POST', policies, shadow, { kubeconfig })],
    [
      'have one generated',
      (kubeconfig) =>
        plane.request('POST', policies, { ...shadow, metadata: { generateName: 'bulkhead-' } }, { kubeconfig }),
    ],
    [
      'pass for one',
      (kubeconfig) =>
        plane.request('POST', policies, { ...shadow, metadata: { name: 'x', labels: claim } }, { kubeconfig }),
    ],
  ];
  const before = await policy(cluster, door);
  for (const [what, send] of ways) {
    const { status, body } = await send(alice);
    t.equal(status, 403, `a tenant cannot ${what}`);
    t.match(body, { message: /managed-policy/ }, `a tenant cannot ${what}: the check says why`);
  }
  const quota = '/api/v1/namespaces/acme-web/resourcequotas';
  const quotaWays: readonly [what: string, send: () => Promise<Answer>][] = [
    [
      'raise its quota',
      () =>
        plane.request(
          'PATCH',
          `${quota}/bulkhead-quota`,
          { spec: { hard: { pods: '9' } } },
          { ...merge, kubeconfig: alice },
        ),
    ],
    ['delete its quota', () => plane.request('DELETE', `${quota}/bulkhead-quota`, undefined, { kubeconfig: alice })],
    ['delete all quotas', () => plane.request('DELETE', quota, undefined, { kubeconfig: alice })],
  ];
  for (const [what, send] of quotaWays) {
    t.match(await send(), { status: 403, body: { message: /managed-quota, docs/ } }, `a tenant cannot ${what}`);
  }
  for (const [who, user] of Object.entries(controllers)) {
    const kubeconfig = await plane.kubeconfigFor(user);
    const { status } = await plane.request('DELETE', door, undefined, { kubeconfig });
    t.equal(status, 403, `the ${who} cannot delete it while the namespace is in use`);
  }
  t.equal((await policy(cluster, door))?.metadata.uid, before?.metadata.uid, 'it is the same one all the time');

  const hurts: readonly [what: string, send: () => Promise<Answer>][] = [
    ['deleted', () => plane.request('DELETE', door)],
    ['deleted in the foreground', () => plane.request('DELETE', `${door}?propagationPolicy=Foreground`)],
    [
      'given an owner that does not exist',
      () => plane.request('PATCH', door, { metadata: { ownerReferences: [bait] } }, merge),
    ],
    [
      'given a finalizer',
      () => plane.request('PATCH', door, { metadata: { finalizers: ['example.org/mine'] } }, merge),
    ],
  ];
  for (const [what, send] of hurts) {
    const { status, body } = await send();
    t.equal(status, 200, `the platform may: ${what} ${JSON.stringify(body)}`);
    await eventually(`what is ${what} is healed`, async () => {
      const { ownerReferences, finalizers, deletionTimestamp } = (await policy(cluster, door))?.metadata ?? {
        finalizers: [],
      };
      return [ownerReferences, finalizers, deletionTimestamp].every((one) => one === undefined);
    });
    t.pass(`what is ${what} is healed`);
  }
  const { stdout } = await cluster.kubectl('alice', ['get', 'events', '-n', 'acme-web', '-o', 'json']);
  const healed = JSON.parse(stdout).items.filter(({ reason }: { reason: string }) => reason === 'BaselineHealed');
  t.match(healed, [{ message: 'restored after it was deleted or changed: NetworkPolicy bulkhead-default-deny' }]);
  t.equal(healed.length, 1, 'and one Event says so');
}

async function outlivesPods(t: Test, cluster: GuardedCluster): Promise<void> {
  const { plane } = cluster;
  const namespace = pathOf('acme-ending');
  const policies = await isolatedNamespace(cluster, 'acme-ending');
  const door = `${policies}/bulkhead-default-deny`;
  // Nobody runs this pod, so it takes a finalizer to make it stay, as a kubelet's grace period would.
  const resources = { requests: { cpu: '100m', memory: '64Mi' } };
  const pod = {
    metadata: { name: 'stays', finalizers: ['example.org/stay'] },
    spec: { containers: [{ name: 'main', image: 'example.org/web', resources }] },
  };
  const kubeconfig = await cluster.kubeconfig('alice');
  t.match(await plane.request('POST', `${namespace}/pods`, pod, { kubeconfig }), { status: 201 });
  t.match(
    await plane.request('DELETE', namespace, undefined, { kubeconfig }),
    { status: 200 },
    'alice deletes the namespace',
  );
  await eventually('the pod is being deleted', async () => {
    const { body } = await plane.request('GET', `${namespace}/pods/stays`);
    return (body as Policy).metadata.deletionTimestamp !== undefined;
  });
  const before = await policy(cluster, door);
  for (const user of Object.values(controllers)) {
    const controller = await plane.kubeconfigFor(user);
    for (const path of [door, policies]) {
      const { status, body } = await plane.request('DELETE', path, undefined, { kubeconfig: controller });
      t.equal(status, 403, `${user.user} cannot delete ${path} while the pod is there`);
      t.match(body, { message: /managed-policy, docs/ });
    }
  }
  // The namespace controller itself tries again and again.
  await sleep(3_000);
  t.equal((await policy(cluster, door))?.metadata.uid, before?.metadata.uid, 'the closed door is still there');

  t.match(await plane.request('PATCH', `${namespace}/pods/stays`, { metadata: { finalizers: null } }, merge), {
    status: 200,
  });
  await eventually('the namespace is gone', async () => (await plane.request('GET', namespace)).status === 404);
  t.equal(await policy(cluster, door), undefined, 'and its policies with it');

  await t.test('a new namespace of that name is closed anew', async (t) => {
    await isolatedNamespace(cluster, 'acme-ending');
    t.not((await policy(cluster, door))?.metadata.uid, before?.metadata.uid);
    t.match(await plane.request('POST', `${namespace}/pods`, { ...pod, metadata: { name: 'next' } }, { kubeconfig }), {
      status: 201,
    });
  });
}

async function outlivesOwners(t: Test, cluster: GuardedCluster): Promise<void> {
  const { plane } = cluster;
  const namespace = pathOf('acme-owned');
  await isolatedNamespace(cluster, 'acme-owned');
  const alice = { ...merge, kubeconfig: await cluster.kubeconfig('alice') };
  const collector = { ...merge, kubeconfig: await plane.kubeconfigFor(controllers['garbage collector']) };
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'bait', uid: 'no-such-uid', blockOwnerDeletion: true };
  const hangingOn = (...ownerReferences: readonly object[]) => ({ metadata: { ownerReferences } });
  const refused = { status: 403, body: { message: /namespace-owner-references, docs/ } };
  t.match(await plane.request('PATCH', namespace, hangingOn(owner), alice), refused);
  t.match(await plane.request('PATCH', namespace, hangingOn(owner), merge), { status: 200 }, 'the platform may');
  t.match(await plane.request('PATCH', namespace, hangingOn(), alice), refused);
  const other = { ...owner, uid: 'another-uid' };
  t.match(await plane.request('PATCH', namespace, hangingOn(owner, other), collector), refused);
  const unblocked = { ...owner, blockOwnerDeletion: false };
  t.match(await plane.request('PATCH', namespace, hangingOn(unblocked), collector), { status: 200 });
  t.match(await plane.request('PATCH', namespace, hangingOn(), collector), { status: 200 }, 'as with cascade=orphan');
}

async function policy({ plane }: GuardedCluster, door: string): Promise<Policy | undefined> {
  const { status, body } = await plane.request('GET', door);
  return status === 200 ? (body as Policy) : undefined;
}

/**
 * Created by alice, closed, and with the account that pods need.
 *
 * @returns the path of its policies
 */
async function isolatedNamespace(cluster: GuardedCluster, name: string): Promise<string> {
  const { plane } = cluster;
  const policies = policiesOf(name);
  const kubeconfig = await cluster.kubeconfig('alice');
  const { status, body } = await plane.request('POST', '/api/v1/namespaces', { metadata: { name } }, { kubeconfig });
  if (status !== 201) throw new Error(JSON.stringify(body));
  await eventually(
    'it is closed',
    async () => (await policy(cluster, `${policies}/bulkhead-default-deny`)) !== undefined,
  );
  const account = `${pathOf(name)}/serviceaccounts/default`;
  await eventually('it has its account', async () => (await plane.request('GET', account)).status === 200);
  return policies;
}
