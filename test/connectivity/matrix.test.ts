import t from 'tap';
import { matrixOf } from '../../src/connectivity/matrix.ts';
import { rangesOf } from '../../src/connectivity/port-set.ts';
import { asCalico, asCilium } from '../../src/connectivity/readings.ts';
import { formatPort } from '../../src/kubernetes/port-range.ts';
import { denyAll, namespace, pod, policy, worldOf } from './worlds.ts';

const base = [
  namespace('acme-web', 'acme'),
  namespace('acme-db', 'acme'),
  namespace('beta-web', 'beta'),
  namespace('kube-system'),
  pod('acme-web/front', { app: 'front' }),
  pod('acme-db/db', { app: 'db' }, { containers: [{ ports: [{ name: 'sql', containerPort: 5432 }] }] }),
  pod('beta-web/front', { app: 'front' }),
  pod('kube-system/dns', { 'k8s-app': 'kube-dns' }),
];

/** `acme > beta: 80/TCP` */
function cellsOf(objects: Parameters<typeof worldOf>[0], reading?: Parameters<typeof worldOf>[1]): readonly string[] {
  const { cells } = matrixOf(worldOf(objects, reading));
  return cells
    .map(({ from, to, ports }) => {
      const texts = rangesOf(ports).map(formatPort);
      return `${from} > ${to}: ${texts.join() === 'all/TCP,all/UDP,all/SCTP' ? 'all' : texts.join()}`;
    })
    .sort();
}

const everything = ['(platform)', 'acme', 'beta'].flatMap((from) =>
  ['(platform)', 'acme', 'beta'].map((to) => `${from} > ${to}: all`),
);

t.test('without policies everybody reaches everybody', async (t) => {
  t.strictSame(cellsOf(base), everything);
});

t.test('a default-deny closes a tenant, both ways', async (t) => {
  t.strictSame(
    cellsOf([...base, denyAll('acme-web'), denyAll('acme-db')]),
    everything.filter((cell) => !cell.includes('acme')),
  );
});

t.test('a rule opens what both sides let through', async (t) => {
  const toDb = policy('acme-web/to-db', {
    podSelector: {},
    policyTypes: ['Egress'],
    egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 5432 }] }],
  });
  const closed = [...base, denyAll('acme-web'), denyAll('acme-db'), denyAll('beta-web'), toDb];
  t.strictSame(cellsOf(closed), ['(platform) > (platform): all', 'acme > (platform): 5432/TCP']);
  const fromWeb = policy('acme-db/from-web', {
    podSelector: { matchLabels: { app: 'db' } },
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [{ namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': 'acme' } } }],
        ports: [{ port: 'sql' }, { port: 80 }],
      },
    ],
  });
  t.strictSame(cellsOf([...closed, fromWeb]), [
    '(platform) > (platform): all',
    'acme > (platform): 5432/TCP',
    'acme > acme: 5432/TCP',
  ]);
});

t.test('what policyTypes leaves out counts on Cilium alone (NP-21)', async (t) => {
  const untyped = policy('beta-web/untyped', { podSelector: {}, policyTypes: ['Egress'], ingress: [{}], egress: [] });
  const closed = [...base, denyAll('acme-web'), denyAll('acme-db'), denyAll('beta-web'), untyped];
  t.strictSame(cellsOf(closed), ['(platform) > (platform): all']);
  t.strictSame(cellsOf(closed, asCilium), ['(platform) > (platform): all', '(platform) > beta: all']);
});

t.test('Cilium: a denial wins', async (t) => {
  const cilium = policy(
    'beta-web/rules',
    {
      endpointSelector: {},
      ingress: [{ fromEntities: ['cluster'] }],
      ingressDeny: [
        {
          fromEndpoints: [{ matchLabels: { 'k8s:io.cilium.k8s.namespace.labels.bulkhead.dev/tenant': 'acme' } }],
          toPorts: [{ ports: [{ port: '22', protocol: 'TCP' }] }],
        },
      ],
    },
    'CiliumNetworkPolicy',
    'cilium.io/v2',
  );
  t.ok(cellsOf([...base, cilium], asCilium).includes('acme > beta: 1-21/TCP,23-65535/TCP,all/UDP,all/SCTP'));
});

t.test('CiliumClusterwideNetworkPolicy: a selector without a namespace is about all of them', async (t) => {
  const clusterwide = policy(
    'closed',
    {
      endpointSelector: {
        matchExpressions: [{ key: 'io.kubernetes.pod.namespace', operator: 'NotIn', values: ['kube-system'] }],
      },
      ingress: [{ fromEndpoints: [{ matchLabels: { app: 'front' } }] }],
    },
    'CiliumClusterwideNetworkPolicy',
    'cilium.io/v2',
  );
  t.strictSame(
    cellsOf([...base, clusterwide], asCilium),
    everything.filter((cell) => !/^\(platform\) > (acme|beta)/.test(cell)),
  );
});

t.test('ClusterNetworkPolicy: the first rule decides, and Pass leaves it to the next tier', async (t) => {
  const border = policy(
    'border',
    {
      tier: 'Admin',
      priority: 99,
      subject: { namespaces: { matchLabels: { 'bulkhead.dev/tenant': 'acme' } } },
      ingress: [
        { action: 'Pass', from: [{ namespaces: { matchLabels: { 'bulkhead.dev/tenant': 'acme' } } }] },
        { action: 'Deny', from: [{ namespaces: {} }] },
      ],
    },
    'ClusterNetworkPolicy',
    'policy.networking.k8s.io/v1alpha2',
  );
  const open = policy('acme-web/open', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] });
  t.strictSame(
    cellsOf([...base, border, open]),
    everything.filter((cell) => !/^(beta|\(platform\)) > acme/.test(cell)),
  );
});

t.test('Calico: the order of policies decides, and its default tier ends in a denial', async (t) => {
  const calico = (name: string, spec: Readonly<Record<string, unknown>>) =>
    policy(`beta-web/${name}`, spec, 'NetworkPolicy', 'projectcalico.org/v3');
  const closed = [...base, denyAll('acme-web'), denyAll('acme-db')];
  const open = calico('open', { order: 20, ingress: [{ action: 'Allow' }] });
  const deny = calico('deny', {
    order: 10,
    ingress: [
      { action: 'Deny', protocol: 'TCP', destination: { ports: [22] }, source: { namespaceSelector: 'all()' } },
    ],
  });
  t.ok(
    cellsOf([...closed, open, deny], asCalico).includes('(platform) > beta: 1-21/TCP,23-65535/TCP,all/UDP,all/SCTP'),
  );
  const later = { ...deny, spec: { ...(deny.spec as object), order: 30 } };
  t.ok(cellsOf([...closed, open, later], asCalico).includes('(platform) > beta: all'));
  const lower = calico('lower', { order: 5, ingress: [{ action: 'allow' }] });
  t.ok(cellsOf([...closed, deny, lower], asCalico).includes('(platform) > beta: all'), 'in any case of letters');
  t.notOk(cellsOf([...closed, deny], asCalico).some((cell) => cell.startsWith('(platform) > beta')));
});

t.test('GlobalNetworkPolicy of Calico: its selectors are about every namespace', async (t) => {
  const global = (spec: Readonly<Record<string, unknown>>) =>
    policy('closed', spec, 'GlobalNetworkPolicy', 'projectcalico.org/v3');
  const closed = global({ namespaceSelector: 'has(bulkhead.dev/tenant)', types: ['Ingress'] });
  t.strictSame(
    cellsOf([...base, closed], asCalico),
    everything.filter((cell) => !/> (acme|beta)/.test(cell)),
  );
  const front = global({
    namespaceSelector: 'has(bulkhead.dev/tenant)',
    ingress: [{ action: 'Allow', source: { selector: 'app == "front"' } }],
  });
  t.strictSame(
    cellsOf([...base, front], asCalico),
    everything.filter((cell) => !/^\(platform\) > (acme|beta)/.test(cell)),
  );
  t.strictSame(cellsOf([...base, global({ doNotTrack: true, types: ['Ingress'] })], asCalico), everything);
});
