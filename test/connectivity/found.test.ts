/** What the search of random worlds found, each as the smallest world that shows it. */
import t from 'tap';
import { matrixOf } from '../../src/connectivity/matrix.ts';
import { node, type Party, type PodClass } from '../../src/connectivity/parties.ts';
import { rangesOf } from '../../src/connectivity/port-set.ts';
import { asCalico, asCilium, byTheBook, type Reading } from '../../src/connectivity/readings.ts';
import { formatPort } from '../../src/kubernetes/port-range.ts';
import { namespace, pod, policy, worldOf } from './worlds.ts';

const named = (name: string, port: number, protocol = 'TCP') => ({
  containers: [{ ports: [{ name, containerPort: port, protocol }] }],
});
const base = [
  namespace('acme', 'acme'),
  namespace('beta', 'beta', { env: 'prod' }),
  pod('acme/web', { app: 'web' }, named('http', 8080)),
  pod('beta/db', { app: 'db' }, named('http', 9090, 'UDP')),
];
const outside: Party = { kind: 'address', range: { family: 4, first: 0x08080808n, last: 0x08080808n } };

/** What gets from one to the other. */
function ports(objects: readonly object[], from: string | Party, to: string | Party, reading: Reading = byTheBook) {
  const world = worldOf([...base, ...objects] as Parameters<typeof worldOf>[0], reading);
  const partyOf = (one: string | Party): Party =>
    typeof one === 'string' ? (world.parties.classes.find(({ namespace }) => namespace.name === one) as PodClass) : one;
  const texts = rangesOf(world.connection(partyOf(from), partyOf(to))).map(formatPort);
  return texts.join() === 'all/TCP,all/UDP,all/SCTP' ? 'all' : texts.join();
}

const cluster = (spec: object) =>
  policy(
    'cluster',
    { tier: 'Admin', priority: 1, subject: { namespaces: {} }, ...spec },
    'ClusterNetworkPolicy',
    'policy.networking.k8s.io/v1alpha2',
  );
const cilium = (spec: object) =>
  policy('acme/rules', { endpointSelector: {}, ...spec }, 'CiliumNetworkPolicy', 'cilium.io/v2');
const calico = (spec: object, name = 'rules') =>
  policy(`acme/${name}`, { ...spec }, 'NetworkPolicy', 'projectcalico.org/v3');
const closed = policy('acme/closed', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
const everyPod = { pods: { namespaceSelector: {}, podSelector: {} } };

t.test('ClusterNetworkPolicy: a named port is that of the destination, in its protocol', async (t) => {
  const denied = cluster({
    egress: [{ action: 'Deny', to: [everyPod], protocols: [{ destinationNamedPort: 'http' }] }],
  });
  t.equal(ports([denied], 'acme', 'beta'), 'all/TCP,1-9089/UDP,9091-65535/UDP,all/SCTP');
  t.equal(ports([denied], 'beta', 'acme'), '1-8079/TCP,8081-65535/TCP,all/UDP,all/SCTP');
});

t.test('ClusterNetworkPolicy: a subject that contradicts itself is no pod', async (t) => {
  const podSelector = {
    matchLabels: { app: 'web' },
    matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }],
  };
  const subject = { pods: { namespaceSelector: {}, podSelector } };
  t.equal(ports([cluster({ subject, ingress: [{ action: 'Deny', from: [everyPod] }] })], 'beta', 'acme'), 'all');
});

t.test('ClusterNetworkPolicy: Pass for a peer that is not known denies', async (t) => {
  t.equal(ports([cluster({ ingress: [{ action: 'Pass', from: [{}] }] })], 'beta', 'acme'), '');
});

t.test('Cilium: a rule about ICMP opens and denies no port', async (t) => {
  const icmps = [{ fields: [{ family: 'IPv4', type: 8 }] }];
  t.equal(ports([cilium({ ingress: [{ icmps }] })], 'beta', 'acme', asCilium), '');
  const denying = cilium({ ingressDeny: [{ icmps }], enableDefaultDeny: { ingress: false } });
  t.equal(ports([denying], 'beta', 'acme', asCilium), 'all');
  const both = cilium({ ingress: [{ icmps, toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }] }] }] });
  t.equal(ports([both], 'beta', 'acme', asCilium), '80/TCP');
  const other = cilium({ ingress: [{ toPorts: [{ ports: [{ protocol: 'GRE' }, { port: '81', protocol: 'TCP' }] }] }] });
  t.equal(ports([other], 'beta', 'acme', asCilium), '81/TCP');
});

t.test('Cilium: the tier Baseline opens what a NetworkPolicy only leaves out', async (t) => {
  const open = cluster({ tier: 'Baseline', ingress: [{ action: 'Accept', from: [everyPod] }] });
  t.equal(ports([closed, open], 'beta', 'acme', asCilium), 'all');
  t.equal(ports([closed, open], outside, 'acme', asCilium), '');
  t.equal(ports([closed, open], 'beta', 'acme'), '', 'by the API it does not');
});

t.test('Cilium: namespaces without a label are addresses and nodes too', async (t) => {
  const without = { matchExpressions: [{ key: 'env', operator: 'DoesNotExist' }] };
  const open = cluster({ ingress: [{ action: 'Accept', from: [{ namespaces: without }] }] });
  t.equal(ports([closed, open], outside, 'acme', asCilium), 'all');
  t.equal(ports([closed, open], node, 'acme', asCilium), 'all');
  t.equal(ports([closed, open], 'beta', 'acme', asCilium), '');
  t.equal(ports([closed, open], outside, 'acme'), '', 'by the API they are not');
  const asPods = { pods: { namespaceSelector: without, podSelector: {} } };
  t.equal(ports([closed, cluster({ ingress: [{ action: 'Accept', from: [asPods] }] })], outside, 'acme', asCilium), '');
});

t.test('Cilium: rules for nobody isolate in a direction that policyTypes leaves out (NP-21)', async (t) => {
  const nobody = { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] };
  const spec = { podSelector: {}, policyTypes: ['Ingress'], egress: [{ to: [{ podSelector: nobody }] }] };
  t.equal(ports([policy('acme/untyped', spec)], 'acme', 'beta', asCilium), '');
  t.equal(ports([policy('acme/untyped', spec)], 'acme', 'beta'), 'all');
});

t.test('Calico: rules of a direction that types leaves out are not in force', async (t) => {
  const spec = { tier: 'kube-admin', types: ['Ingress'], egress: [{ action: 'Deny', protocol: 'UDP' }] };
  t.equal(ports([calico(spec)], 'acme', 'beta', asCalico), 'all');
});

t.test('Calico: a rule about ICMP, or by the port of the source, denies no port', async (t) => {
  const after = { action: 'Allow' };
  const icmp = calico({ ingress: [{ action: 'Deny', protocol: 'ICMP' }, after] });
  t.equal(ports([icmp], 'beta', 'acme', asCalico), 'all');
  const bySource = calico({ ingress: [{ action: 'Deny', protocol: 'TCP', source: { ports: [1024] } }, after] });
  t.equal(ports([bySource], 'beta', 'acme', asCalico), 'all');
});

t.test('Calico: a tier may come before that of ClusterNetworkPolicies', async (t) => {
  const tier = (order: number) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'Tier',
    metadata: { name: 'early' },
    spec: { order, defaultAction: 'Pass' },
  });
  const allow = calico({ tier: 'early', ingress: [{ action: 'Allow' }] });
  const deny = cluster({ ingress: [{ action: 'Deny', from: [everyPod] }] });
  t.equal(ports([tier(100), allow, deny], 'beta', 'acme', asCalico), 'all');
  t.equal(ports([tier(5000), allow, deny], 'beta', 'acme', asCalico), '');
});

t.test('the matrix resolves a named port on each pod that everybody may go to', async (t) => {
  const egress = policy('acme/named', {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [{ ports: [{ port: 'http' }] }, { ports: [{ protocol: 'UDP', port: 'http' }] }],
  });
  const matrix = matrixOf(worldOf([...base, egress]));
  const cell = (to: string) => rangesOf(matrix.cell('acme', to)?.ports ?? []).map(formatPort);
  t.strictSame(cell('acme'), ['8080/TCP']);
  t.strictSame(cell('beta'), ['9090/UDP']);
});
