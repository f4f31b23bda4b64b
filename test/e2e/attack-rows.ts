/**
 * Attacks that must be blocked and that no case of test/fixtures shows: one request each, by somebody with every right that RBAC can
 * give. test/e2e/attacks.test.ts sends them, and so does test/e2e/in-use.test.ts at its end.
 */
import type { Test } from 'tap';
import type { Answer } from '../apiserver/api-request.ts';
import type { ControlPlane, User } from '../apiserver/control-plane.ts';

const namespace = '/api/v1/namespaces/beta-data';
const pods = `${namespace}/pods`;
export const policies = '/apis/networking.k8s.io/v1/namespaces/beta-data/networkpolicies';
export const everybody = { ingress: [{}] };

const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'web', image: 'registry.example/web:1' }], ...spec },
});
export const policy = (name: string, spec: object, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ...spec },
});
const sender = (namespaceSelector: object) => ({ ingress: [{ from: [{ namespaceSelector }] }] });
export const labelled = (labels: object) => ({ metadata: { labels } });
const annotated = (annotations: object) => ({ metadata: { annotations } });

/** Half of it would be too much for a server as it comes, and a key of it stops such a server's parser. */
const indigestible = {
  containers: [{ name: 'web', image: 'registry.example/web:1', args: ['x'.repeat(1_200_000)] }],
  volumes: [{ name: 'a', csi: { driver: 'csi.example.com', volumeAttributes: JSON.parse('{"__proto__":"x"}') } }],
};

/** What the API server gives every pod, and lets no update take away. */
const givenTolerations = ['not-ready', 'unreachable'].map((name) => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

type Row = readonly [
  sentence: string,
  method: string,
  path: string,
  body: object | undefined,
  check: string,
  /** If not a member of beta. */
  by?: User,
];

const rows: readonly Row[] = [
  [
    'ADM-05: labels by which others let a sender opt out change nothing',
    'POST',
    pods,
    pod(
      'a',
      { hostNetwork: true },
      { labels: { 'admission.bulkhead.dev/ignore': 'true', 'control-plane': 'bulkhead' } },
    ),
    'host-network',
  ],
  [
    'ADM-06: what is large and hard to parse is judged',
    'POST',
    pods,
    pod('a', { ...indigestible, hostNetwork: true }),
    'host-network',
  ],
  [
    'ADM-08: what was created well is not updated badly',
    'PATCH',
    `${policies}/own`,
    { spec: everybody },
    'cross-tenant-ingress',
  ],
  [
    'ADM-21: whose a policy is follows from its namespace, whatever label it was stored with',
    'PATCH',
    `${policies}/own`,
    labelled({ 'bulkhead.dev/tenant': 'acme' }),
    'policy-tenant-label',
  ],
  [
    'ADM-11: a policy that is being deleted is not widened',
    'PATCH',
    `${policies}/ending`,
    { spec: everybody },
    'cross-tenant-ingress',
  ],
  [
    'ADM-22: what was too wide before is not widened',
    'PATCH',
    `${policies}/legacy`,
    { spec: everybody },
    'cross-tenant-ingress',
  ],
  [
    'TEN-02: a namespace without an owner is not adopted',
    'PATCH',
    '/api/v1/namespaces/nobodys',
    labelled({ 'bulkhead.dev/tenant': 'beta' }),
    'tenant-label-frozen',
  ],
  [
    'TEN-04: the namespaces of the system are under the rules',
    'PATCH',
    '/api/v1/namespaces/kube-system',
    labelled({ 'bulkhead.dev/tenant': 'beta' }),
    'tenant-label-frozen',
  ],
  [
    'TEN-08: a reserved key is found among others',
    'PATCH',
    namespace,
    labelled({ AAA: 'a', Hnc: 'a', 'hnc.x-k8s.io/included-namespace': 'false', aaa: 'a', zzz: 'a' }),
    'reserved-labels',
  ],
  [
    'TEN-15: a namespace joins no hierarchy',
    'PATCH',
    namespace,
    labelled({ 'hnc.x-k8s.io/included-namespace': 'false' }),
    'reserved-labels',
  ],
  [
    'TEN-20: a namespace does not choose the nodes of its pods',
    'PATCH',
    namespace,
    annotated({ 'scheduler.alpha.kubernetes.io/node-selector': 'pool=acme' }),
    'reserved-labels',
  ],
  [
    'TEN-21: nor their addresses',
    'PATCH',
    namespace,
    annotated({ 'cni.projectcalico.org/ipv4pools': '["acme"]' }),
    'reserved-labels',
  ],
  [
    'NP-14: a policy too large to be judged is refused',
    'POST',
    policies,
    policy('a', { ingress: [{ from: Array.from({ length: 1001 }, () => ({ podSelector: {} })) }] }),
    'cross-tenant-ingress',
  ],
  [
    'POD-10: a label that matters is not changed afterwards',
    'PATCH',
    `${pods}/web`,
    labelled({ 'bulkhead.dev/tenant': 'acme' }),
    'pod-tenant-label',
  ],
  [
    'POD-24: a toleration of everything is not added to a running pod',
    'PATCH',
    `${pods}/web`,
    { spec: { tolerations: [...givenTolerations, { operator: 'Exists' }] } },
    'tolerations',
  ],
  [
    'POD-11: an ephemeral container gets no power over the network',
    'PATCH',
    `${pods}/web/ephemeralcontainers`,
    {
      spec: {
        ephemeralContainers: [{ name: 'a', image: 'a', securityContext: { capabilities: { add: ['NET_ADMIN'] } } }],
      },
    },
    'ephemeral-containers',
  ],
  [
    'SRV-06: a key that every object of JavaScript has is no label',
    'POST',
    policies,
    policy('a', sender({ matchLabels: { constructor: 'a' } })),
    'cross-tenant-ingress',
  ],
  [
    'ADM-09: nobody is exempt by his name',
    'POST',
    pods,
    pod('a', { hostNetwork: true }),
    'host-network',
    { user: 'system:serviceaccount:kube-system:replicaset-controller' },
  ],
  [
    'TEN-10: a policy whose name is older than Bulkhead does not become a managed one',
    'PATCH',
    `${policies}/bulkhead-legacy`,
    labelled({ 'app.kubernetes.io/managed-by': 'bulkhead' }),
    'managed-policy',
  ],
  ['ADM-16: a collection is not deleted with what is managed in it', 'DELETE', policies, undefined, 'managed-policy'],
];

/** Writes what is older than Bulkhead in the namespace of beta. */
export async function stageOlder(plane: ControlPlane): Promise<void> {
  await done(plane, 'POST', '/api/v1/namespaces', { metadata: { name: 'nobodys' } });
  await done(plane, 'POST', policies, policy('legacy', sender({})));
  await done(plane, 'POST', policies, policy('bulkhead-legacy', sender({})));
}

/** Writes what Bulkhead has admitted there. */
export async function stageAdmitted(plane: ControlPlane): Promise<void> {
  await done(plane, 'POST', policies, policy('own', { ingress: [] }));
  await done(plane, 'POST', policies, policy('ending', { ingress: [] }, { finalizers: ['example.com/stays'] }));
  await done(plane, 'DELETE', `${policies}/ending`);
  await done(plane, 'POST', pods, pod('web'));
}

async function done(plane: ControlPlane, method: string, path: string, body?: object): Promise<void> {
  const { status, text } = await plane.request(method, path, body);
  if (status >= 300) throw new Error(`${method} ${path} before the attacks: ${text}`);
}

/**
 * Sends each as a dry run first, which gets the same answer (ADM-13).
 *
 * @returns the ids of the attacks
 */
export async function sendRows(t: Test, plane: ControlPlane, member: User): Promise<readonly string[]> {
  for (const [sentence, method, path, body, check, by = member] of rows) {
    const contentType = method === 'PATCH' ? mergePatchFor(path) : 'application/json';
    const options = { contentType, kubeconfig: await plane.kubeconfigFor(by) };
    const messageOf = (answer: Answer) => (answer.body as { message?: string }).message ?? '';
    const dry = await plane.request(method, `${path}?dryRun=All`, body, options);
    const real = await plane.request(method, path, body, options);
    t.equal(real.status, 403, sentence, { text: real.text.slice(0, 1000) });
    t.match(messageOf(real), `docs/checks/${check}.md`, `${sentence}: by its check`);
    t.equal(messageOf(dry), messageOf(real), `${sentence}: a dry run says the same (ADM-13)`);
  }
  const { status } = await plane.request('GET', `${policies}/bulkhead-default-deny`);
  t.equal(status, 200, 'ADM-16: what is managed is still there');

  const elsewhere = pod('a', {}, { namespace: 'kube-system' });
  t.match(
    await plane.request('POST', pods, elsewhere, { kubeconfig: await plane.kubeconfigFor(member) }),
    { status: 400, text: 'does not match the namespace' },
    'ADM-15: the API server refuses an object of another namespace than the request',
  );
  return ['ADM-13', 'ADM-15', ...rows.map(([sentence]) => sentence.slice(0, sentence.indexOf(':')))];
}

/** Ephemeral containers are merged by name. */
function mergePatchFor(path: string): string {
  return path.includes('ephemeralcontainers')
    ? 'application/strategic-merge-patch+json'
    : 'application/merge-patch+json';
}
