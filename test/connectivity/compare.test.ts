import t, { type Test } from 'tap';
import { compare } from '../../src/connectivity/compare.ts';
import type { PodClass } from '../../src/connectivity/parties.ts';
import { contains, differenceOf, type PortSet, rangesOf, unionOf } from '../../src/connectivity/port-set.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { asCilium, byTheBook } from '../../src/connectivity/readings.ts';
import { refText } from '../../src/connectivity/snapshot.ts';
import { formatPort } from '../../src/kubernetes/port-range.ts';
import { defaultSettings } from '../../src/tenancy/default-settings.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import { denyAll, namespace, plainTenancy, pod, policy, worldOf } from './worlds.ts';

type Objects = Parameters<typeof readSnapshot>[0];

const sql = { containers: [{ ports: [{ name: 'sql', containerPort: 5432 }] }] };
const base: Objects = [
  namespace('acme-web', 'acme'),
  namespace('acme-db', 'acme'),
  namespace('beta-web', 'beta'),
  pod('acme-web/front', { app: 'front' }),
  pod('acme-db/db', { app: 'db' }, sql),
  pod('beta-web/front', { app: 'front' }),
  ...['acme-web', 'acme-db', 'beta-web'].map(denyAll),
];

/** One line for each change: `! gained acme (1) > beta (1) 80/TCP: allows NetworkPolicy acme-web/x spec.egress[0]` */
function changed(before: Objects, after: Objects, tenancy = plainTenancy): readonly string[] {
  const read = (objects: Objects) => readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });
  return compare(read(before), read(after), tenancy).changes.map(({ change, isCrossing, from, to, ports, causes }) => {
    const end = ({ group, members }: typeof from) => `${group} [${[...members].sort().join(', ')}]`;
    const texts = rangesOf(ports).map(formatPort).join(',').replace('all/TCP,all/UDP,all/SCTP', 'all');
    const why = causes.map(({ kind, side, direction, policies, path }) =>
      [side, direction, kind, policies.map(refText).join(' & '), path].filter((one) => one !== '').join(' '),
    );
    return `${isCrossing ? '! ' : ''}${change} ${end(from)} > ${end(to)} ${texts}: ${why.join('; ')}`;
  });
}

const opens = (place: string, rule: object, more: object = {}) =>
  policy(place, { podSelector: {}, policyTypes: ['Ingress'], ingress: [rule], ...more });
const lets = (place: string, rule: object, more: object = {}) =>
  policy(place, { podSelector: {}, policyTypes: ['Egress'], egress: [rule], ...more });
const inTenant = (tenant: string) => ({ namespaceSelector: { matchLabels: { 'bulkhead.dev/tenant': tenant } } });

t.test('nothing changes between the same objects', async (t) => {
  const more = [
    ...base,
    opens('acme-db/in', {}),
    lets('acme-web/out', { to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }),
  ];
  t.strictSame(changed(more, more), []);
  t.strictSame(changed(more, more.toReversed()), []);
});

t.test('a connection needs both sides, and the one that changes is the cause', async (t) => {
  const into = opens('acme-db/in', { from: [inTenant('acme')], ports: [{ port: 5432 }] });
  const out = lets('acme-web/out', {
    to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'acme-db' } } }],
  });
  t.strictSame(changed([...base, into], [...base, into, out]), [
    'gained acme [acme-web/Pod/front] > acme [acme-db/Pod/db] 5432/TCP: new egress allows NetworkPolicy acme-web/out spec.egress[0].to[0].namespaceSelector',
  ]);
  t.strictSame(changed([...base, into, out], [...base, into]), [
    'lost acme [acme-web/Pod/front] > acme [acme-db/Pod/db] 5432/TCP: old egress allows NetworkPolicy acme-web/out spec.egress[0].to[0].namespaceSelector',
  ]);
});

t.test('a policy counts for namespaces that do not exist', async (t) => {
  const ports = [{ port: 5432 }];
  const because = 'new ingress allows NetworkPolicy acme-db/in spec.ingress[0].from[0].namespaceSelector';
  t.strictSame(changed(base, [...base, opens('acme-db/in', { from: [{ namespaceSelector: {} }], ports })]), [
    `! gained (another tenant) [any pod in a namespace of a tenant other than acme] > acme [acme-db/Pod/db] 5432/TCP: ${because}`,
    `! gained (platform) [any pod in a namespace without a tenant] > acme [acme-db/Pod/db] 5432/TCP: ${because}`,
    `gained acme [any pod in a namespace of acme] > acme [acme-db/Pod/db] 5432/TCP: ${because}`,
  ]);
  t.strictSame(changed(base, [...base, opens('acme-db/in', { from: [inTenant('beta')], ports })]), [
    `! gained beta [any pod in a namespace of beta] > acme [acme-db/Pod/db] 5432/TCP: ${because}`,
  ]);
  const peer = {
    namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] },
    podSelector: { matchLabels: { app: 'x' } },
  };
  t.match(
    changed(base, [...base, opens('acme-db/in', { from: [peer], ports })])[0],
    /any pod with app=x in a namespace of a tenant other than acme with team=any\]/,
  );
});

t.test('a policy counts for pods that do not exist', async (t) => {
  const out = lets(
    'acme-web/out',
    { to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] },
    { podSelector: { matchLabels: { app: 'new' } } },
  );
  t.strictSame(changed(base, [...base, out]), [
    '! gained acme [any pod with app=new in acme-web] > (outside) [192.0.2.0/24] all: new egress allows NetworkPolicy acme-web/out spec.egress[0].to[0].ipBlock',
  ]);
});

t.test('what one tenant opens to real pods of another is a crossing', async (t) => {
  const into = opens('acme-db/in', { from: [inTenant('beta')], ports: [{ port: 5432 }] });
  const out = lets('beta-web/out', { to: [{ namespaceSelector: {} }] });
  t.ok(
    changed([...base, out], [...base, out, into]).includes(
      '! gained beta [any pod in a namespace of beta, beta-web/Pod/front] > acme [acme-db/Pod/db] 5432/TCP: new ingress allows NetworkPolicy acme-db/in spec.ingress[0].from[0].namespaceSelector',
    ),
  );
});

t.test(
  'what a tenant opens with the platform is a crossing, where no shared service opens it: as audit has it',
  async (t) => {
    const dns = {
      ...{ name: 'dns', direction: 'egress' as const, namespace: 'kube-system', tenants: undefined },
      ...{
        podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
        ports: [{ protocol: 'UDP' as const, first: 53, last: 53 }],
      },
    };
    const tenancy = createTenancy({ ...defaultSettings, sharedServices: [dns as never] }, []);
    const platform = [
      namespace('kube-system'),
      pod('kube-system/dns', { 'k8s-app': 'kube-dns' }),
      pod('kube-system/other', { app: 'other' }),
    ];
    const out = (app: object) =>
      lets('acme-web/out', {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
            podSelector: { matchLabels: app },
          },
        ],
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 9153 },
        ],
      });
    const after = (app: object) => changed([...base, ...platform], [...base, ...platform, out(app)], tenancy);
    const because = 'new egress allows NetworkPolicy acme-web/out spec.egress[0].to[0].namespaceSelector';
    t.strictSame(after({ 'k8s-app': 'kube-dns' }), [
      `! gained acme [acme-web/Pod/front] > (platform) [kube-system/Pod/dns] 9153/TCP: ${because}`,
      `gained acme [acme-web/Pod/front] > (platform) [kube-system/Pod/dns] 53/UDP: ${because}`,
    ]);
    t.strictSame(after({ app: 'other' }), [
      `! gained acme [acme-web/Pod/front] > (platform) [kube-system/Pod/other] 9153/TCP,53/UDP: ${because}`,
    ]);
  },
);

t.test('of a workload whose pods look different, those that the change is about say why', async (t) => {
  const owned = (name: string, labels: Readonly<Record<string, string>>) => ({
    ...{ apiVersion: 'v1', kind: 'Pod', spec: {} },
    metadata: {
      ...{ namespace: 'acme-web', name, labels },
      ownerReferences: [{ kind: 'StatefulSet', name: 'set', controller: true }],
    },
  });
  const set = [owned('set-0', { app: 'set', role: 'first' }), owned('set-1', { app: 'set', role: 'second' })];
  const out = lets(
    'acme-web/out',
    { to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] },
    { podSelector: { matchLabels: { role: 'second' } } },
  );
  const into = opens('acme-db/in', {
    from: [{ namespaceSelector: {}, podSelector: { matchLabels: { role: 'second' } } }],
  });
  const all = lets('acme-web/all', {
    to: [{ podSelector: { matchLabels: { app: 'db' } }, namespaceSelector: inTenant('acme').namespaceSelector }],
  });
  const found = changed([...base, ...set, all], [...base, ...set, all, out, into]);
  for (const line of [
    '! gained acme [acme-web/StatefulSet/set] > (outside) [192.0.2.0/24] all: new egress allows NetworkPolicy acme-web/out spec.egress[0].to[0].ipBlock',
    'gained acme [acme-web/StatefulSet/set, any pod with role=second in a namespace of acme] > acme [acme-db/Pod/db] all: new ingress allows NetworkPolicy acme-db/in spec.ingress[0].from[0].namespaceSelector',
  ])
    t.ok(found.includes(line), found.join('\n'));
});

t.test(
  'where no address of pods is known, a rule about every IPv6 address has pods, and a denial of IPv4 alone has none',
  async (t) => {
    const into = opens('acme-db/in', { from: [{ ipBlock: { cidr: '::/0' } }] });
    const out = lets('beta-web/out', { to: [{ namespaceSelector: {} }] });
    t.ok(
      changed([...base, out], [...base, out, into]).some((line) =>
        line.startsWith('! gained beta [beta-web/Pod/front] > acme [acme-db/Pod/db] all'),
      ),
    );
    const calico = (rules: readonly object[]) =>
      policy('acme-db/rules', { types: ['Ingress'], ingress: rules }, 'NetworkPolicy', 'projectcalico.org/v3');
    const denied = [{ action: 'Deny', source: { nets: ['0.0.0.0/0'] } }, { action: 'Allow' }];
    const before = [...base.slice(0, 6), calico([])];
    t.ok(
      changed(before, [...base.slice(0, 6), calico(denied)]).some((line) =>
        line.startsWith('! gained beta [beta-web/Pod/front] > acme'),
      ),
      'IPv6 stays open',
    );
  },
);

t.test('a policy that is deleted opens everything that it closed', async (t) => {
  const after = base.filter((one) => one !== base[6]);
  t.strictSame(changed(base, after), [
    '! gained (outside) [any address] > acme [acme-web/Pod/front] all: old ingress isolates NetworkPolicy acme-web/deny',
    '! gained acme [acme-web/Pod/front] > (outside) [any address] all: old egress isolates NetworkPolicy acme-web/deny',
    'gained (nodes) [nodes] > acme [acme-web/Pod/front] all: old ingress isolates NetworkPolicy acme-web/deny',
    'gained acme [acme-web/Pod/front] > (nodes) [nodes] all: old egress isolates NetworkPolicy acme-web/deny',
    'gained acme [acme-web/Pod/front] > acme [acme-web/Pod/front] all: old egress isolates NetworkPolicy acme-web/deny; old ingress isolates NetworkPolicy acme-web/deny',
  ]);
  t.ok(changed(after, base).every((line) => line.startsWith('lost')));
});

t.test('addresses outside are disjoint ranges', async (t) => {
  const to = (...blocks: object[]) =>
    lets('acme-web/out', { to: blocks.map((ipBlock) => ({ ipBlock })), ports: [{ port: 443 }] });
  const before = [...base, to({ cidr: '192.0.2.0/25' })];
  t.strictSame(changed(before, [...base, to({ cidr: '192.0.2.0/24', except: ['192.0.2.64/26'] })]), [
    '! gained acme [acme-web/Pod/front] > (outside) [192.0.2.128/25] 443/TCP: new egress allows NetworkPolicy acme-web/out spec.egress[0].to[0].ipBlock',
    'lost acme [acme-web/Pod/front] > (outside) [192.0.2.64/26] 443/TCP: old egress allows NetworkPolicy acme-web/out spec.egress[0].to[0].ipBlock',
  ]);
});

t.test('a namespace that goes to another tenant has other connections, though no policy changes', async (t) => {
  const open = base.slice(0, 6);
  const lines = changed(open, [namespace('acme-web', 'beta'), ...open.slice(1)]);
  t.ok(
    lines.includes('! gained acme [acme-db/Pod/db] > beta [acme-web/Pod/front] all: new egress open; new ingress open'),
  );
  t.ok(
    lines.includes('lost beta [beta-web/Pod/front] > acme [acme-web/Pod/front] all: old egress open; old ingress open'),
  );
  t.notOk(lines.some((line) => line.includes('acme [acme-db/Pod/db] > acme [acme-db/Pod/db]')));
});

t.test('a port of a container that gets another number is another port', async (t) => {
  const into = opens('acme-db/in', { from: [{ podSelector: {} }], ports: [{ port: 'sql' }] });
  const out = lets('acme-db/out', { to: [{ podSelector: {} }] });
  const moved = pod('acme-db/db', { app: 'db' }, { containers: [{ ports: [{ name: 'sql', containerPort: 5433 }] }] });
  const after = [...base, into, out].map((one) => (one === base[4] ? moved : one));
  t.strictSame(changed([...base, into, out], after), [
    'gained acme [acme-db/Pod/db] > acme [acme-db/Pod/db] 5433/TCP: old ingress isolates NetworkPolicy acme-db/deny',
    'lost acme [acme-db/Pod/db] > acme [acme-db/Pod/db] 5432/TCP: new ingress isolates NetworkPolicy acme-db/deny',
  ]);
});

t.test('the same rules in another order are another policy, where the order counts', async (t) => {
  const calico = (order: number, actions: readonly string[]) =>
    policy(
      'acme-db/rules',
      {
        order,
        types: ['Ingress'],
        ingress: actions.map((action) => ({ action, protocol: 'TCP', destination: { ports: [5432] } })),
      },
      ...(['NetworkPolicy', 'projectcalico.org/v3'] as const),
    );
  const open = base.slice(0, 6);
  const before = [...open, calico(10, ['Deny', 'Allow'])];
  const lines = changed(before, [...open, calico(10, ['Allow', 'Deny'])]);
  t.ok(lines.length > 0 && lines.every((line) => line.includes('gained')), lines.join('\n'));
  t.ok(
    lines.some((line) => line.startsWith('! gained beta [beta-web/Pod/front] > acme [acme-db/Pod/db] 5432/TCP')),
    lines.join('\n'),
  );
  const passes = changed(before, [...open, calico(10, ['Pass', 'Allow'])]);
  t.ok(passes.every((line) => line.includes('gained')) && passes.length > 0, passes.join('\n'));
});

t.test('1,000 workloads with the same new connection are one line', async (t) => {
  const many = Array.from({ length: 1000 }, (_, index) => pod(`acme-web/w${index}`, { app: `w${index}` }));
  const spread = Array.from({ length: 200 }, (_, index) => [
    ...[namespace(`acme-${index}`, 'acme'), pod(`acme-${index}/front`, { app: 'front' }), denyAll(`acme-${index}`)],
  ]).flat();
  const to = [{ ipBlock: { cidr: '192.0.2.7/32' } }];
  const before = [...base, ...many, ...spread];
  const outs = spread.flatMap((one) =>
    one.kind === 'Namespace' ? [lets(`${(one.metadata as { name: string }).name}/out`, { to })] : [],
  );
  const lines = changed(before, [...before, lets('acme-web/out', { to }), ...outs]);
  t.equal(lines.length, 1);
  t.match(lines[0], /^! gained acme \[acme-0\/Pod\/front, .* > \(outside\) \[192.0.2.7\/32\] all: new egress allows/);
  t.equal(lines[0]?.match(/\/Pod\//g)?.length, 1201);
});

t.test('the same as asking about every pair', async (t) => {
  // Few labels and ports, so that policies meet.
  let seed = 7;
  const pick = <T>(list: readonly T[]): T => {
    seed = (seed * 48271) % 2147483647;
    return list[seed % list.length] as T;
  };
  const spaces = ['acme-web', 'acme-db', 'beta-web'];
  const selector = () =>
    pick([
      {},
      { matchLabels: { app: 'front' } },
      { matchLabels: { app: 'db' } },
      { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['db'] }] },
    ]);
  const peer = () =>
    pick([
      { podSelector: selector() },
      { namespaceSelector: {} },
      { ...inTenant(pick(['acme', 'beta'])), podSelector: selector() },
    ]);
  const ports = () => pick([undefined, [{ port: 80 }], [{ port: 80, endPort: 90 }], [{ port: 'sql' }]]);
  const random = (name: string) => {
    const rule = (key: string) => ({ ...(pick([true, true, false]) && { [key]: [peer()] }), ports: ports() });
    const [ingress, egress] = [pick([[], [rule('from')]]), pick([[], [rule('to')], [rule('to'), rule('to')]])];
    return policy(`${pick(spaces)}/${name}`, {
      podSelector: selector(),
      policyTypes: pick([['Ingress'], ['Egress'], ['Ingress', 'Egress']]),
      ingress,
      egress,
    });
  };
  for (let round = 0; round < 60; round++) {
    const policies = ['a', 'b', 'c', 'd'].map(random);
    const label = (place: string, more = {}) => pod(place, { app: pick(['front', 'db']) }, more);
    const world = () => [
      ...[namespace('acme-web', 'acme'), namespace('acme-db', 'acme'), namespace('beta-web', 'beta')],
      ...[label('acme-web/front'), label('acme-db/db', sql), label('beta-web/front')],
      ...policies.map((one) => (pick([true, true, false]) ? one : random(pick(['a', 'b', 'c', 'd'])))),
    ];
    const [before, after] = [world(), world()];
    judge(t, before, after);
  }
});

/** Every pair of pods that exist, asked one by one, is in a line; and every pod in a line is in such a pair. */
function judge(t: Test, before: Objects, after: Objects): void {
  const read = (objects: Objects) => readSnapshot(objects, plainTenancy, { hasPods: true, withBaseline: false });
  for (const reading of [byTheBook, asCilium]) {
    const [old, now] = [worldOf(before, reading), worldOf(after, reading)];
    const places = ['acme-web/Pod/front', 'acme-db/Pod/db', 'beta-web/Pod/front'];
    const podsOf = ({ parties }: typeof old, place: string) =>
      parties.classes.find(({ namespace: { name } }) => place.startsWith(`${name}/`)) as PodClass;
    const isKnown = (change: string, from: string, to: string, ports: PortSet, other: PortSet): boolean => {
      const more = differenceOf(ports, other);
      const lines = changes.filter(
        (one) => one.change === change && one.from.members.has(from) && one.to.members.has(to),
      );
      return contains(
        lines.reduce<PortSet>((all, one) => unionOf(all, one.ports), []),
        more,
      );
    };
    const { changes } = compare(read(before), read(after), {
      ...plainTenancy,
      settings: { ...plainTenancy.settings, plugin: reading === asCilium ? 'cilium' : 'kube-router' },
    });
    const open = new Set<string>();
    for (const from of places)
      for (const to of places) {
        const was = old.connection(podsOf(old, from), podsOf(old, to));
        const is = now.connection(podsOf(now, from), podsOf(now, to));
        if (!isKnown('gained', from, to, is, was) || !isKnown('lost', from, to, was, is))
          t.fail(`${reading.name}: ${from} ${to} ${was} ${is} ${JSON.stringify([before, after], null, 1)}`);
        for (const [change, ports] of [
          ['gained', differenceOf(is, was)],
          ['lost', differenceOf(was, is)],
        ] as const)
          if (ports.length > 0) open.add(`${change} ${from} ${ports}`).add(`${change} ${to} ${ports}`);
      }
    for (const { change, from, to, ports } of changes)
      for (const member of [...from.members, ...to.members])
        if (places.includes(member) && [...to.members, ...from.members].every((one) => places.includes(one)))
          t.ok(open.has(`${change} ${member} ${ports}`), `${change} ${member} ${ports}`);
  }
}
