/** What a picture says about borders: what grants a crossing, what is open by default and outside, and what gates and policies do nothing. */
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { type Picture, pictureOf } from '../../src/picture/picture.ts';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import { denyAll, namespace, pod, policy } from '../connectivity/worlds.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const cluster = {
  ipFamilies: ['IPv4'],
  podCIDRs: ['10.0.0.0/8'],
  serviceCIDRs: ['172.16.0.0/16'],
  nodeCIDRs: ['192.168.0.0/16'],
};

function tenancyOf(tenants: Readonly<Record<string, object>>, settings: object = {}): Tenancy {
  const located = (value: object) => ({
    value: { apiVersion: 'bulkhead.dev/v1alpha1', ...value },
    locate: unlined('test'),
  });
  const loaded = loadTenancy(
    located({ kind: 'Settings', spec: { network: { ...cluster, plugin: 'kube-router' }, ...settings } }),
    Object.entries(tenants).map(([name, spec]) => located({ kind: 'Tenant', metadata: { name }, spec })),
    now,
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.value;
}

type Objects = Parameters<typeof readSnapshot>[0];

function pictured(objects: Objects, tenancy: Tenancy): Picture {
  return pictureOf(readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false }), tenancy, now);
}

/** `acme > beta: 5432/TCP by gate; NOT 80/TCP` */
const shown = ({ crossings }: Picture): readonly string[] =>
  crossings.map(({ from, to, grants, violation }) => {
    const by = grants.map(({ kind, name, ports }) => `${ports} by ${kind}${name === '' ? '' : ` ${name}`}`);
    return `${from} > ${to}: ${[...by, ...(violation === '' ? [] : [`NOT ${violation}`])].join('; ')}`;
  });

const port = (number: number, protocol = 'TCP') => ({ protocol, port: number });
const members = [{ kind: 'User', name: 'alice' }];
const gate = (tenant: string, direction: string, ...ports: number[]) => ({
  ...{ tenant, direction },
  ports: ports.map((one) => port(one)),
});
const open = (place: string, direction: 'ingress' | 'egress', tenant: string, ...ports: number[]) => {
  const peers = [{ namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': tenant } } }];
  const listed = ports.map((one) => port(one));
  return policy(place, {
    podSelector: {},
    policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'],
    [direction]: [direction === 'ingress' ? { from: peers, ports: listed } : { to: peers, ports: listed }],
  });
};

const two = [
  ...[namespace('acme-web', 'acme'), namespace('beta-db', 'beta')],
  ...[pod('acme-web/shop', { app: 'shop' }), pod('beta-db/db', { app: 'db' })],
  ...[denyAll('acme-web'), denyAll('beta-db')],
];

t.test(
  'the example of a violation is a pair that violates, with the rules that let it, whatever others may',
  async (t) => {
    const out = (name: string, app: string, port: number) =>
      policy(`acme-web/${name}`, {
        podSelector: { matchLabels: { app } },
        policyTypes: ['Egress'],
        egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port }] }],
      });
    const objects = [
      ...[...two, pod('acme-web/api', { app: 'api' }), out('granted', 'shop', 5432), out('not-granted', 'api', 80)],
      open('beta-db/in', 'ingress', 'acme', 5432, 80),
    ];
    const tenancy = tenancyOf({
      acme: { members, network: { gates: [gate('beta', 'egress', 5432)] } },
      beta: { members, network: { gates: [gate('acme', 'ingress', 5432)] } },
    });
    for (const all of [objects, objects.toReversed()]) {
      const found = pictured(all, tenancy).crossings.find(({ from, to }) => from === 'acme' && to === 'beta');
      t.match(found, {
        violation: '80/TCP',
        example: { from: 'Pod acme-web/api', to: 'Pod beta-db/db' },
        openedBy: [
          { policy: 'NetworkPolicy beta-db/in', path: 'spec.ingress[0].from[0].namespaceSelector' },
          { policy: 'NetworkPolicy acme-web/not-granted', path: 'spec.egress[0].to[0].namespaceSelector' },
        ],
      });
    }
  },
);

t.test('a crossing names the rules that open its example, of all that are open between the two', async (t) => {
  const from = [{ namespaceSelector: {} }];
  const out = (name: string, port: number) =>
    policy(`acme-web/${name}`, {
      ...{ podSelector: { matchLabels: { app: name } }, policyTypes: ['Egress'] },
      egress: [{ to: from, ports: [{ port }] }],
    });
  for (const ports of [
    [443, 80],
    [80, 443],
  ]) {
    const objects = [
      ...[...two, pod('acme-web/api', { app: 'api' }), out('shop', 80), out('api', 443)],
      policy('beta-db/in', {
        ...{ podSelector: {}, policyTypes: ['Ingress'] },
        ingress: ports.map((port) => ({ from, ports: [{ port }] })),
      }),
    ];
    const [found] = pictured(objects, tenancyOf({ acme: { members }, beta: { members } })).crossings.filter(
      ({ from, to }) => from === 'acme' && to === 'beta',
    );
    const [port, name] = found?.example.from === 'Pod acme-web/api' ? [443, 'api'] : [80, 'shop'];
    t.match(found, {
      violation: '80/TCP, 443/TCP',
      openedBy: [
        { path: `spec.ingress[${ports.indexOf(port)}].from[0].namespaceSelector` },
        { policy: `NetworkPolicy acme-web/${name}` },
      ],
    });
  }
});

t.test('a gate of both grants its ports, and the rest of a crossing is a violation', async (t) => {
  const objects = [
    ...two,
    open('acme-web/out', 'egress', 'beta', 5432, 80),
    open('beta-db/in', 'ingress', 'acme', 5432, 80),
  ];
  const both = (theirs: readonly object[]) => ({
    acme: { members, network: { gates: [gate('beta', 'egress', 5432)] } },
    beta: { members, network: { gates: theirs } },
  });
  const granted = pictured(objects, tenancyOf(both([gate('acme', 'ingress', 5432)])));
  t.strictSame(shown(granted), ['acme > beta: 5432/TCP by gate; NOT 80/TCP']);
  t.strictSame(granted.gates, [{ from: 'acme', to: 'beta', ports: '5432/TCP', declaredBy: 'acme', state: 'used' }]);
  const half = pictured(objects, tenancyOf(both([])));
  t.strictSame(shown(half), ['acme > beta: NOT 80/TCP, 5432/TCP']);
  t.match(half.gates, [{ state: 'half open', declaredBy: 'acme' }]);
  const other = pictured(objects, tenancyOf(both([gate('acme', 'egress', 5432)])));
  t.strictSame(shown(other), ['acme > beta: NOT 80/TCP, 5432/TCP'], 'a gate of the other direction is no half of it');
  const ended = pictured(
    objects,
    tenancyOf({
      acme: { members, network: { gates: [{ ...gate('beta', 'egress', 5432), expires: '2025-12-31T00:00:00Z' }] } },
      beta: { members, network: { gates: [gate('acme', 'ingress', 5432)] } },
    }),
  );
  t.strictSame(shown(ended), ['acme > beta: NOT 80/TCP, 5432/TCP']);
  t.strictSame(
    ended.gates.map(({ state, declaredBy }) => `${declaredBy} ${state}`),
    ['acme expired', 'beta half open'],
  );
  const byPort = pictured(
    objects,
    tenancyOf({
      acme: { members, network: { gates: [gate('beta', 'egress', 80, 443, 5432)] } },
      beta: { members, network: { gates: [gate('acme', 'ingress', 443, 5432, 9090)] } },
    }),
  );
  t.strictSame(
    byPort.gates.map(({ from, to, ports, state, declaredBy }) => [from, to, ports, state, declaredBy].join(' ')),
    [
      'acme beta 443/TCP unused acme',
      'acme beta 5432/TCP used acme',
      'acme beta 80/TCP half open acme',
      'acme beta 9090/TCP half open beta',
    ],
    'each port has its own state',
  );
  const unused = pictured(two, tenancyOf(both([gate('acme', 'ingress', 5432)])));
  t.strictSame(shown(unused), []);
  t.match(unused.gates, [{ state: 'unused' }]);
});

t.test(
  'pods of a shared service are no violation, on its ports and for its tenants; others of the platform are',
  async (t) => {
    const sharedServices = [
      {
        ...{ name: 'dns', direction: 'egress', namespace: 'kube-system' },
        ...{ podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } }, ports: [port(53, 'UDP')] },
        tenants: ['acme'],
      },
    ];
    const objects = [
      ...two,
      ...[
        namespace('kube-system'),
        pod('kube-system/dns', { 'k8s-app': 'kube-dns' }),
        pod('kube-system/other', { app: 'other' }),
      ],
      policy('acme-web/dns', {
        podSelector: {},
        egress: [
          {
            to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
            ports: [port(53, 'UDP'), port(80)],
          },
        ],
        policyTypes: ['Egress'],
      }),
      policy('beta-db/dns', {
        podSelector: {},
        egress: [
          {
            to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
            ports: [port(53, 'UDP')],
          },
        ],
        policyTypes: ['Egress'],
      }),
    ];
    const tenants = { acme: { members }, beta: { members } };
    t.strictSame(shown(pictured(objects, tenancyOf(tenants, { sharedServices }))), [
      'acme > (platform): 53/UDP by shared service dns; NOT 80/TCP, 53/UDP',
      'beta > (platform): NOT 53/UDP',
      'beta > (tenants to come): NOT 53/UDP',
    ]);
    const onlyDns = objects.filter(({ metadata }) => (metadata as { name?: string }).name !== 'other');
    t.strictSame(shown(pictured(onlyDns, tenancyOf(tenants, { sharedServices }))), [
      'acme > (platform): 53/UDP by shared service dns; NOT 80/TCP',
      'beta > (platform): NOT 53/UDP',
      'beta > (tenants to come): NOT 53/UDP',
    ]);
  },
);

t.test('where engines differ, what is open in one counts, and says in which', async (t) => {
  const untyped = policy('beta-db/untyped', { podSelector: {}, policyTypes: ['Egress'], ingress: [{}] });
  const objects = [
    ...[namespace('acme-web', 'acme'), namespace('beta-db', 'beta'), pod('acme-web/shop'), pod('beta-db/db')],
    ...[denyAll('beta-db'), untyped],
  ];
  const tenants = { acme: { members }, beta: { members } };
  const unknown = pictured(objects, tenancyOf(tenants, { network: cluster }));
  t.strictSame(unknown.readings, ['by the book', 'Cilium']);
  t.strictSame(shown(unknown), ['acme > beta: NOT every port', '(tenants to come) > beta: NOT every port']);
  t.strictSame(unknown.crossings[0]?.onlyIn, [{ reading: 'Cilium', ports: 'every port' }]);
  t.strictSame(shown(pictured(objects, tenancyOf(tenants))), [], 'a known plugin has one reading');
});

t.test('what is open outside is asked of the border of the tenant', async (t) => {
  const to = (name: string, cidr: string, ...ports: number[]) =>
    policy(`acme-web/${name}`, {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr } }], ports: ports.map((one) => port(one)) }],
    });
  const objects = [...two, to('partner', '203.0.113.0/24', 443), to('other', '198.51.100.0/24', 443, 80)];
  const tenancy = tenancyOf({ acme: { members, network: { egressCIDRs: ['203.0.113.0/24'] } }, beta: { members } });
  const { outside, tenants } = pictured(objects, tenancy);
  t.strictSame(
    outside
      .map(({ tenant, direction, addresses, ports, state }) => [tenant, direction, addresses, ports, state].join(' '))
      .sort(),
    ['acme egress 198.51.100.0/24 80/TCP, 443/TCP not granted', 'acme egress 203.0.113.0/24 443/TCP granted'],
  );
  t.match(tenants.find(({ name }) => name === 'acme')?.zeroTrust[2], { requirement: 'explicit', state: 'partly' });
  t.match(tenants.find(({ name }) => name === 'beta')?.zeroTrust[2], { requirement: 'explicit', state: 'met' });
  const { outside: all } = pictured([namespace('acme-web', 'acme'), pod('acme-web/shop')], tenancy);
  t.strictSame(
    all.map(({ direction, addresses, ports, state }) => [direction, addresses, ports, state].join(' ')),
    ['ingress every address outside every port granted', 'egress every address outside every port not granted'].map(
      (line) => line.replace('port granted', `port ${all[0]?.state}`),
    ),
  );
  t.not(all[1]?.state, 'granted');
});

t.test('pods that no policy isolates, per direction, and pods on nodes', async (t) => {
  const ingressOnly = policy('acme-web/in', {
    podSelector: { matchLabels: { app: 'shop' } },
    policyTypes: ['Ingress'],
  });
  const objects = [
    ...[namespace('acme-web', 'acme'), pod('acme-web/shop', { app: 'shop' }), pod('acme-web/free', { app: 'free' })],
    ...[pod('acme-web/agent', {}, { hostNetwork: true }), ingressOnly],
  ];
  const { namespaces, tenants } = pictured(objects, tenancyOf({ acme: { members } }));
  t.match(namespaces, [{ name: 'acme-web', pods: 2, onNodes: 1, open: { ingress: 1, egress: 2, both: 1 } }]);
  t.strictSame(
    namespaces[0]?.workloads.map(({ name, open, onNode }) => `${name}: ${open.join(' ')}${onNode ? 'node' : ''}`),
    ['Pod shop: egress', 'Pod free: ingress egress', 'Pod agent: node'],
  );
  const states = tenants[0]?.zeroTrust.map(({ requirement, state }) => `${requirement} ${state}`);
  t.strictSame(states, [
    'enforced partly',
    'identity not known',
    'explicit partly',
    'no-way-around partly',
    'encryption not known',
  ]);
});

t.test('zero trust: a tenant that is closed meets two; files do not show the rest', async (t) => {
  const states = (settings: object, mode = 'enforce') =>
    pictured(two, tenancyOf({ acme: { members, mode }, beta: { members } }, settings))
      .tenants.find(({ name }) => name === 'acme')
      ?.zeroTrust.map(({ state }) => state);
  t.strictSame(states({}), ['met', 'not known', 'met', 'not known', 'not known']);
  t.strictSame(states({}, 'warn'), ['met', 'not known', 'met', 'partly', 'not known']);
  t.strictSame(states({ enforcement: 'observe' }), ['met', 'not known', 'met', 'not', 'not known']);
});

t.test('policies that select no pods, or open nothing', async (t) => {
  const objects = [
    ...two,
    policy('acme-web/old', { podSelector: { matchLabels: { app: 'gone' } }, policyTypes: ['Ingress'] }),
    open('acme-web/nowhere', 'egress', 'nobody', 80),
    policy('beta-db/bulkhead-allow-dns', { podSelector: { matchLabels: { app: 'gone' } }, policyTypes: ['Ingress'] }),
  ];
  const { selectNothing, openNothing, namespaces } = pictured(
    objects,
    tenancyOf({ acme: { members }, beta: { members } }),
  );
  t.strictSame(selectNothing, ['NetworkPolicy acme-web/old'], 'Bulkhead’s own are not among them');
  t.strictSame(openNothing, ['NetworkPolicy acme-web/nowhere']);
  t.strictSame(namespaces[0]?.policies.find(({ name }) => name === 'NetworkPolicy nowhere')?.rules, [
    { direction: 'egress', action: 'allow', peers: '', ports: '80/TCP' },
  ]);
});

t.test('docs/audit-report.md has every field', async (t) => {
  const objects = [...two, open('acme-web/out', 'egress', 'beta', 80), open('beta-db/in', 'ingress', 'acme', 80)];
  const untyped = policy('beta-db/untyped', { podSelector: {}, policyTypes: ['Egress'], ingress: [{}] });
  const gates = {
    acme: { members, network: { gates: [gate('beta', 'egress', 80)] } },
    beta: { members, network: { gates: [gate('acme', 'ingress', 80)] } },
  };
  const exemption = {
    ...{ name: 'vpn', tenant: 'acme', namespace: 'acme-web', checks: new Set(['host-network']), expires: now + 1 },
    match: {
      kinds: undefined,
      names: new Set(['vpn']),
      owner: undefined,
      serviceAccounts: undefined,
      images: undefined,
      requesters: undefined,
    },
  };
  const ended = { ...exemption, name: 'ended', expires: now };
  const exemptions = new Map([['acme-web', [exemption, ended]]]);
  const picture = pictured(
    [...objects, untyped, namespace('free', 'acme'), pod('free/one'), pod('free/node', {}, { hostNetwork: true })],
    { ...tenancyOf(gates, { network: cluster }), exemptions },
  );
  t.strictSame(picture.exemptions, [
    {
      ...{ name: 'vpn', namespace: 'acme-web', tenant: 'acme', checks: ['host-network'] },
      expires: '2026-01-01T00:00:00.001Z',
    },
  ]);
  const page = await readFile('docs/audit-report.md', 'utf8');
  const fields = (value: unknown, path: string): string[] =>
    Array.isArray(value)
      ? value.flatMap((one) => fields(one, `${path}[]`))
      : typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, inner]) => [`${path}.${key}`, ...fields(inner, `${path}.${key}`)])
        : [];
  const documented = page
    .split('\n')
    .filter((line) => line.startsWith('| `connectivity.'))
    .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  t.strictSame([...new Set(fields(picture, 'connectivity'))].sort(), documented.sort());
});

t.test('rules that are open to tenants that have no pods yet', async (t) => {
  const tenancy = tenancyOf({
    acme: { members, network: { gates: [gate('gamma', 'egress', 5432)] } },
    beta: { members },
    gamma: { members, network: { gates: [gate('acme', 'ingress', 5432)] } },
  });
  const egress = (place: string, to: object, ports: readonly object[] = [port(80)]) =>
    policy(place, { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [to], ports }] });
  const label = 'bulkhead.dev/tenant';
  const any = pictured([...two, egress('acme-web/any', { namespaceSelector: {} })], tenancy);
  t.strictSame(shown(any), ['acme > (tenants to come): NOT 80/TCP']);
  t.match(any.crossings, [
    { toCome: true, example: { from: 'Pod acme-web/shop', to: 'any pod in a namespace of a tenant other than acme' } },
  ]);
  t.ok(any.tenants.some(({ name }) => name === '(tenants to come)'));
  const explicit = (picture: Picture) => picture.tenants.find(({ name }) => name === 'acme')?.zeroTrust[2];
  t.match(explicit(any), {
    requirement: 'explicit',
    state: 'partly',
    evidence: [/1 crossing with pods that are created later/],
  });

  const others = { namespaceSelector: { matchExpressions: [{ key: label, operator: 'NotIn', values: ['acme'] }] } };
  t.strictSame(shown(pictured([...two, egress('acme-web/others', others)], tenancy)), [
    'acme > (tenants to come): NOT 80/TCP',
  ]);
  const named = (name: string) => ({ namespaceSelector: { matchLabels: { [label]: name } } });
  const gated = pictured([...two, egress('acme-web/gamma', named('gamma'), [port(5432), port(80)])], tenancy);
  t.strictSame(shown(gated), ['acme > gamma: 5432/TCP by gate; NOT 80/TCP'], 'it is declared and has no pods');
  const both = tenancyOf({
    acme: { members, network: { gates: [gate('beta', 'egress', 5432)] } },
    beta: { members, network: { gates: [gate('acme', 'ingress', 5432)] } },
  });
  const used = [...two, open('acme-web/out', 'egress', 'beta', 5432), open('beta-db/in', 'ingress', 'acme', 5432)];
  const fresh = { ...named('beta'), podSelector: { matchLabels: { app: 'new' } } };
  const beside = pictured([...used, egress('acme-web/wide', fresh, [port(5432), port(80)])], both);
  t.strictSame(shown(beside), ['acme > beta: 5432/TCP by gate', 'acme > beta: NOT 80/TCP'], 'pods that will come');
  t.match(beside.crossings, [{ ports: '5432/TCP' }, { ports: '80/TCP', toCome: true }]);
  t.match(explicit(beside), { state: 'partly' });
  t.strictSame(shown(pictured([...used, egress('acme-web/same', fresh, [port(5432)])], both)), [
    'acme > beta: 5432/TCP by gate',
  ]);
  const own = pictured([...two, egress('acme-web/own', named('acme'))], tenancy);
  t.strictSame(shown(own), []);
  t.match(explicit(own), { state: 'met' });
  const range = pictured([...two, egress('acme-web/range', { ipBlock: { cidr: '203.0.113.0/24' } })], tenancy);
  t.strictSame(shown(range), [], 'an address outside is no pod');
  const denied = {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name: 'border' },
    spec: {
      ...{ tier: 'Admin', priority: 1, subject: { namespaces: { matchLabels: { [label]: 'acme' } } } },
      egress: [
        {
          action: 'Deny',
          to: [{ namespaces: { matchExpressions: [{ key: label, operator: 'NotIn', values: ['acme'] }] } }],
        },
      ],
    },
  };
  const closed = pictured([...two, egress('acme-web/any', { namespaceSelector: {} }), denied], tenancy);
  t.strictSame(shown(closed), [], 'a policy of the cluster denies it');
});
