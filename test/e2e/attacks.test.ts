/**
 * Attacks that must be blocked and that no other test shows with a real API server: one request each, by somebody with every
 * right that RBAC can give, sent as a dry run first, which gets the same answer (ADM-13).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { clusterTest } from '../apiserver/cluster-test.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { guard } from './guarded-cluster.ts';

const namespace = '/api/v1/namespaces/beta-data';
const pods = `${namespace}/pods`;
const policies = '/apis/networking.k8s.io/v1/namespaces/beta-data/networkpolicies';
const everybody = { ingress: [{}] };

const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'web', image: 'registry.example/web:1' }], ...spec },
});
const policy = (name: string, spec: object, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  spec: { podSelector: {}, policyTypes: ['Ingress'], ...spec },
});
const sender = (namespaceSelector: object) => ({ ingress: [{ from: [{ namespaceSelector }] }] });
const labelled = (labels: object) => ({ metadata: { labels } });
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

type Row = readonly [sentence: string, method: string, path: string, body: object | undefined, refusal: string];

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
  ['ADM-16: a collection is not deleted with what is managed in it', 'DELETE', policies, undefined, 'managed-policy'],
];

await clusterTest(
  'attacks that the API server lets through are refused',
  async (t, plane) => {
    const done = async (method: string, path: string, body?: object) => {
      const { status, text } = await plane.request(method, path, body);
      t.ok(status < 300, `${method} ${path} before the attacks`, { text });
    };
    await done('POST', '/api/v1/namespaces', { metadata: { name: 'nobodys' } });
    await done('POST', '/api/v1/namespaces', {
      metadata: { name: 'beta-data', labels: { 'bulkhead.dev/tenant': 'beta' } },
    });
    await done('POST', policies, policy('legacy', sender({})));
    await done('POST', policies, policy('bulkhead-legacy', sender({})));
    const cluster = await guard(plane);
    t.teardown(() => cluster.stop());
    await done('POST', policies, policy('own', { ingress: [] }));
    await done('POST', policies, policy('ending', { ingress: [] }, { finalizers: ['example.com/stays'] }));
    await done('DELETE', `${policies}/ending`);
    await done('POST', pods, pod('web'));

    const kubeconfig = await cluster.kubeconfig('bob');
    const send = async (method: string, path: string, body?: object, who = kubeconfig) => {
      const contentType = method === 'PATCH' ? mergePatchFor(path) : 'application/json';
      const { status, text, body: answer } = await plane.request(method, path, body, { contentType, kubeconfig: who });
      return { status, text, message: (answer as { message?: string }).message };
    };
    for (const [sentence, method, path, body, check] of rows) {
      const dry = await send(method, `${path}?dryRun=All`, body);
      const { status, text, message = '' } = await send(method, path, body);
      t.equal(status, 403, sentence, { text: text.slice(0, 1000) });
      t.match(message, `docs/checks/${check}.md`, `${sentence}: by its check`);
      t.equal(dry.message, message, `${sentence}: a dry run says the same (ADM-13)`);
    }
    const { status } = await plane.request('GET', `${policies}/bulkhead-default-deny`);
    t.equal(status, 200, 'ADM-16: what is managed is still there');

    const controller = await plane.kubeconfigFor({ user: 'system:serviceaccount:kube-system:replicaset-controller' });
    t.match(
      await send('POST', pods, pod('a', { hostNetwork: true }), controller),
      { status: 403, message: 'docs/checks/host-network.md' },
      'ADM-09: nobody is exempt by his name',
    );
    t.match(
      await send('POST', pods, pod('a', {}, { namespace: 'kube-system' })),
      { status: 400, message: 'does not match the namespace' },
      'ADM-15: the API server refuses an object of another namespace than the request',
    );
    t.equal(
      (await send('PATCH', `${policies}/legacy`, labelled({ team: 'web' }))).status,
      200,
      'ADM-22: what was too wide before can still be labelled',
    );
    const older = `${policies}/bulkhead-legacy`;
    t.match(
      await send('PATCH', older, labelled({ 'app.kubernetes.io/managed-by': 'bulkhead' })),
      { status: 403, message: 'docs/checks/managed-policy.md' },
      'TEN-10: a policy whose name is older than Bulkhead does not become a managed one',
    );
    t.equal((await send('DELETE', older)).status, 200, 'and its owner may delete it');

    const refusals = new Set<string | undefined>();
    for (const name of ['acme-q', 'gamma-q', 'kube-q', 'bulkhead-q', 'ingress-nginx']) {
      const { status, message } = await send('POST', '/api/v1/namespaces?dryRun=All', { metadata: { name } });
      t.equal(status, 403, name);
      refusals.add(message?.replaceAll(name, 'NAME'));
    }
    t.match(
      [...refusals],
      [/or one that begins with beta-\n/],
      'TEN-24: the refusal is one text for all reserved names',
    );
    t.equal(refusals.size, 1);

    await t.test('a resource of the same name in another group is not taken for the real one (TEN-14)', (t) =>
      isNotTakenForTheRealOne(t, plane),
    );
  },
  { controllers: false },
);

async function isNotTakenForTheRealOne(t: Test, plane: ControlPlane): Promise<void> {
  const names = { plural: 'networkpolicies', singular: 'networkpolicy', kind: 'NetworkPolicy' };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const made = await plane.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'networkpolicies.example.com' },
    spec: {
      group: 'example.com',
      names,
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  });
  t.equal(made.status, 201, made.text);
  const object = { apiVersion: 'example.com/v1', kind: 'NetworkPolicy', ...policy('theirs', everybody) };
  const path = '/apis/example.com/v1/namespaces/default/networkpolicies';
  let answer = await plane.request('POST', path, object);
  for (let attempt = 0; answer.status === 404 && attempt < 100; attempt++) {
    await sleep(100);
    answer = await plane.request('POST', path, object);
  }
  t.equal(answer.status, 201, answer.text);
  t.notMatch(answer.text, 'bulkhead.dev/tenant', 'it is neither refused nor labelled');
}

/** Ephemeral containers are merged by name. */
function mergePatchFor(path: string): string {
  return path.includes('ephemeralcontainers')
    ? 'application/strategic-merge-patch+json'
    : 'application/merge-patch+json';
}
