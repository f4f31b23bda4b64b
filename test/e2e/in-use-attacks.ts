/** Attacks that no case of test/fixtures shows, in the cluster of docs/in-use.md, at its end: by people with every right that RBAC can give. */
import type { Test } from 'tap';
import type { KubernetesObject } from '../../src/kubernetes/objects.ts';
import type { Answer } from '../apiserver/api-request.ts';
import type { User } from '../apiserver/control-plane.ts';
import { collectionOf } from '../fixtures/review.ts';
import { eventually } from '../soak/observer.ts';
import { sendRows, stageAdmitted, stageOlder } from './attack-rows.ts';
import { people } from './guarded-cluster.ts';
import { laterSettings } from './in-use-later.ts';
import { type Ledger, messageOf } from './in-use-ledger.ts';

const developer = (tenant: string): User => ({ user: 'alice', groups: [`${tenant}-developers`] });
const portal: User = { user: 'system:serviceaccount:portal:controller' };
const replicaSets: User = { user: 'system:serviceaccount:kube-system:replicaset-controller' };
const platform: User = people.platform;

const vpn = 'registry.example.com/vpn:2.1';
const container = (name: string, image: string, capability?: string) => ({
  ...{ name, image },
  ...(capability !== undefined && { securityContext: { capabilities: { add: [capability] } } }),
});
const pod = (namespace: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'attack', namespace, ...metadata },
  spec: { containers: [container('main', vpn)], ...spec },
});
const policy = (namespace: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'attack', namespace },
  spec: { podSelector: {}, ...spec },
});
const namespace = (name: string, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...metadata },
});

/** What the Deployment makes that is exempted. */
const tunnel = container('main', vpn, 'NET_ADMIN');
const ownerReferences = [
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'vpn-5d8', uid: '8b9f6e4c-1', controller: true },
];
const ofDeployment = (...containers: object[]) => pod('delta-net', { containers }, { ownerReferences });

/** Of each kind one from the catalogue. */
const attacks: readonly (readonly [
  sentence: string,
  by: User,
  manifest: KubernetesObject & { readonly spec?: object },
  check: string,
])[] = [
  [
    'NP-02: all namespaces',
    developer('epsilon'),
    policy('epsilon-web', { ingress: [{ from: [{ namespaceSelector: {} }] }] }),
    'cross-tenant-ingress',
  ],
  ['NP-01: a rule without peers', developer('beta'), policy('beta-shop', { ingress: [{}] }), 'cross-tenant-ingress'],
  ['POD-01: the network of the node', developer('acme'), pod('acme-data', { hostNetwork: true }), 'host-network'],
  [
    'POD-06: an identity of Cilium',
    developer('acme'),
    pod('acme-data', {}, { labels: { 'io.cilium.k8s.policy.cluster': 'other' } }),
    'reserved-labels',
  ],
  [
    'POD-08: out of the mesh',
    developer('beta'),
    pod('beta-shop', {}, { annotations: { 'sidecar.istio.io/inject': 'false' } }),
    'reserved-labels',
  ],
  [
    'EXM-03: a pod of its own, with the image and the owner that are exempted',
    developer('delta'),
    ofDeployment(tunnel),
    'network-capabilities',
  ],
  [
    'EXM-02: the exempted pod in another namespace',
    developer('acme'),
    pod('acme-data', { containers: [tunnel] }),
    'network-capabilities',
  ],
  [
    'EXM-04: a second container beside the one that is exempted',
    replicaSets,
    ofDeployment(tunnel, container('rider', 'registry.example.com/rider', 'NET_RAW')),
    'network-capabilities',
  ],
  [
    'EXM-05: an image that begins like the one that is exempted',
    replicaSets,
    ofDeployment(container('main', 'registry.example.com/vpn-evil:2.1', 'NET_ADMIN')),
    'network-capabilities',
  ],
  [
    'EXM-01: an exemption of its own',
    developer('delta'),
    {
      apiVersion: 'bulkhead.dev/v1alpha1',
      kind: 'Exemption',
      metadata: { name: 'more' },
      spec: {
        tenant: 'delta',
        namespace: 'delta-net',
        checks: ['host-network'],
        match: { images: ['registry.example.com/vpn'] },
        reason: 'because',
        owner: 'delta',
        expires: '2030-01-01T00:00:00Z',
      },
    },
    'exemption-writers',
  ],
  ['TEN-24: a namespace of another tenant', developer('acme'), namespace('beta-two'), 'reserved-prefix'],
  [
    'TEN-25: a namespace in the name of the portal’s user',
    developer('acme'),
    namespace('gamma-two', { annotations: { 'openshift.io/requester': 'gina' } }),
    'reserved-prefix',
  ],
];

export async function sendAttacks(t: Test, { plane, attacks: seen }: Ledger): Promise<void> {
  const post = async (by: User, manifest: KubernetesObject, query = '') =>
    plane.request('POST', `${collectionOf(manifest)}${query}`, manifest, { kubeconfig: await plane.kubeconfigFor(by) });
  const patch = async (by: User, path: string, body: object) => {
    const contentType = 'application/strategic-merge-patch+json';
    return plane.request('PATCH', path, body, { contentType, kubeconfig: await plane.kubeconfigFor(by) });
  };
  const refused = (sentence: string, answer: Answer, check: string) => {
    t.equal(answer.status, 403, sentence, { text: answer.text });
    t.match(messageOf(answer), `docs/checks/${check}.md`, `${sentence}: ${check}`);
    seen.add(sentence.slice(0, sentence.indexOf(':')));
  };
  for (const [sentence, by, manifest, check] of attacks) refused(sentence, await post(by, manifest), check);
  const exempted = await post(replicaSets, ofDeployment(tunnel), '?dryRun=All');
  t.equal(exempted.status, 201, 'what the Deployment makes is still admitted', { text: exempted.text });

  const { items } = (await plane.request('GET', '/api/v1/namespaces/delta-net/pods')).body as {
    items: { metadata: { name: string } }[];
  };
  const running = `/api/v1/namespaces/delta-net/pods/${items[0]?.metadata.name}`;
  const another = { spec: { containers: [{ name: 'client', image: 'registry.example.com/other' }] } };
  refused(
    'EXM-06: another image in the running pod that is exempted',
    await patch(developer('delta'), running, another),
    'network-capabilities',
  );
  const moved = { metadata: { annotations: { 'scheduler.alpha.kubernetes.io/node-selector': 'pool=acme' } } };
  refused(
    'TEN-26: the portal writes a key that it was not given',
    await patch(portal, '/api/v1/namespaces/gamma-lab', moved),
    'reserved-labels',
  );
}

/** Under the settings and tenants of in-use-later.ts. */
export async function sendLaterAttacks(
  t: Test,
  ledger: Ledger,
  configure: (settings: object) => Promise<void>,
): Promise<void> {
  const { plane, attacks: seen } = ledger;
  await stageOlder(plane);
  await stageAdmitted(plane);
  for (const id of await sendRows(t, plane, people.bob)) seen.add(id);

  const kubeconfig = await plane.kubeconfigFor(platform);
  const inUse = await plane.request('DELETE', '/apis/bulkhead.dev/v1alpha1/tenants/beta', undefined, { kubeconfig });
  t.match(inUse, { status: 403, text: 'docs/checks/tenant-in-use.md' }, 'TEN-12: a tenant in use stays');
  seen.add('TEN-12');

  await t.test('gates', (t) => sendToGates(t, ledger));

  const abroad = policy('acme-web', { ingress: [{ from: [{ ipBlock: { cidr: '2000::/3' } }] }] });
  const options = { kubeconfig: ledger.kubeconfig('acme developer') };
  const send = () => plane.request('POST', `${collectionOf(abroad)}?dryRun=All`, abroad, options);
  t.match(await send(), { status: 201 }, 'the settings say that the cluster has no IPv6');
  const settings = await laterSettings();
  delete settings.spec.network.ipFamilies;
  await configure(settings);
  await eventually('they do not say so', async () => (await send()).status !== 201);
  const unlisted = { status: 403, text: 'docs/checks/ip-block.md' };
  t.match(await send(), unlisted, 'IP-01: addresses of a family whose ranges are not listed');
  seen.add('IP-01');
}

async function sendToGates(t: Test, { plane, kubeconfig, attacks: seen }: Ledger): Promise<void> {
  const port = 5437;
  const collection = (namespace: string) => `/apis/bulkhead.dev/v1alpha1/namespaces/${namespace}/gaterequests`;
  const ask = (namespace: string, tenant: string, direction: string, by: string) => {
    const spec = { tenant, direction, ports: [{ port }], expires: '2090-01-01T00:00:00Z' };
    const body = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'GateRequest', metadata: { name: 'asks' }, spec };
    return plane.request('POST', collection(namespace), body, { kubeconfig: by });
  };
  const [acme, beta, delta] = (['acme developer', 'beta developer', 'delta developer'] as const).map(kubeconfig);
  const isKnown = async (namespace: string) =>
    (await plane.request('GET', `${collection(namespace)}/asks`)).text.includes('"conditions"');
  const namespaceSelector = { matchLabels: { 'bulkhead.dev/tenant': 'beta' } };
  const toBeta = policy('acme-web', {
    policyTypes: ['Egress'],
    egress: [{ to: [{ namespaceSelector }], ports: [{ port }] }],
  });
  const open = async () =>
    plane.request('POST', `${collectionOf(toBeta)}?dryRun=All`, toBeta, { kubeconfig: acme ?? '' });
  const shut = { status: 403, text: 'docs/checks/cross-tenant-egress.md' };

  t.match(await ask('acme-web', 'beta', 'egress', acme ?? ''), { status: 201 });
  t.match(await ask('delta-one', 'acme', 'ingress', delta ?? ''), { status: 201 });
  await eventually('both are known', async () => (await isKnown('acme-web')) && (await isKnown('delta-one')));
  t.match(await open(), shut, 'GAT-02: the mirror of a third tenant opens nothing');
  seen.add('GAT-02');
  t.match(await ask('beta-data', 'acme', 'ingress', beta ?? ''), { status: 201 });
  await eventually('the mirror opens it', async () => (await open()).status === 201);
  await plane.request('DELETE', `${collection('beta-data')}/asks`, undefined, { kubeconfig: beta ?? '' });
  await eventually('it is shut', async () => (await open()).status !== 201);
  t.match(await open(), shut, 'GAT-04: nothing stays open once one half is withdrawn');
  seen.add('GAT-04');
}
