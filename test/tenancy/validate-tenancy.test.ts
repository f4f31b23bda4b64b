import t from 'tap';
import { loadTenancy } from '../../src/tenancy/load-tenancy.ts';
import { documentIn, documents, problemLines, warningLines } from './documents.ts';

const now = Date.UTC(2026, 10, 21);

/** One tenant on four lines: what stands under spec is on the last. */
const tenant = (name: string, spec: string) =>
  documentIn(
    `apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: ${name} }\nspec: { ${spec} }`,
    `${name}.yaml`,
  );
const prefix = (name: string, of: string) => tenant(name, `namespaces: { prefix: ${of} }`);
const reserving = (name: string, namespaces: string) => tenant(name, `namespaces: { ${namespaces} }`);
const vouching = (address: string, more = '') =>
  tenant(
    'acme',
    `network: { vouched: [{ cidr: ${address}, ports: [{ port: 443 }], direction: egress, reason: it, ${more} }] }`,
  );
const settings = (spec: string) =>
  documentIn(`apiVersion: bulkhead.dev/v1alpha1\nkind: Settings\nspec: { ${spec} }`, 'bulkhead.yaml');

const complete =
  'podCIDRs: [10.244.0.0/16, "fd00:2::/64"], serviceCIDRs: [10.96.0.0/12, "fd00:3::/112"], nodeCIDRs: [192.168.0.0/16, "fd00:1::/64"]';
const plain = settings(`network: { ${complete} }`);

const refused: readonly (readonly [
  sentence: string,
  tenants: ReturnType<typeof tenant>[],
  ...problems: (string | RegExp)[],
])[] = [
  [
    'a service account lives where another tenant decides who it is',
    [
      tenant('acme', 'namespaces: { prefix: acme- }'),
      tenant('gamma', 'members: [{ kind: ServiceAccount, namespace: acme-ci, name: deployer }]'),
    ],
    'gamma.yaml:4:54: spec.members[0].namespace: acme-ci is reserved to tenant acme, which controls this service account; use a service account of the tenant or the platform',
  ],
  [
    'a service account lives in a namespace that anybody may come to own',
    [tenant('gamma', 'members: [{ kind: ServiceAccount, namespace: ci, name: deployer }]')],
    'gamma.yaml:4:54: spec.members[0].namespace: ci is not a reserved name, so another tenant could create it and this service account; list it under platform.namespaces of the settings or namespaces.names of the tenant, or use a namespace with its prefix',
  ],
  [
    'a tenant is declared once',
    [tenant('acme', ''), tenant('acme', 'mode: warn')],
    'acme.yaml:3:19: metadata.name: tenant acme is declared in acme.yaml:3 already; keep one of the two',
  ],
  [
    'a prefix is reserved to one tenant',
    [prefix('acme', 'shop-'), prefix('beta', 'shop-')],
    'beta.yaml:4:31: spec.namespaces.prefix: shop- is reserved to tenant acme (acme.yaml:4) already; choose a prefix that shares no names',
  ],
  [
    'a prefix lies under no other and covers none; the tenant that comes later is told',
    [prefix('acme', 'shop-eu-'), prefix('beta', 'shop-'), prefix('gamma', 'shop-eu-west-')],
    'beta.yaml:4:31: spec.namespaces.prefix: shop- covers shop-eu-, which is reserved to tenant acme; choose a prefix that shares no names',
    'gamma.yaml:4:31: spec.namespaces.prefix: shop-eu-west- lies under shop-, which is reserved to tenant beta; choose a prefix that shares no names',
    'gamma.yaml:4:31: spec.namespaces.prefix: shop-eu-west- lies under shop-eu-, which is reserved to tenant acme; choose a prefix that shares no names',
  ],
  [
    'the same holds for each of several prefixes',
    [reserving('acme', 'prefix: a-, prefixes: [b-, a-, a-x-]'), reserving('beta', 'prefixes: [c-, b-, a-y-]')],
    'beta.yaml:4:38: spec.namespaces.prefixes[1]: b- is reserved to tenant acme (acme.yaml:4) already; choose a prefix that shares no names',
    'beta.yaml:4:42: spec.namespaces.prefixes[2]: a-y- lies under a-, which is reserved to tenant acme; choose a prefix that shares no names',
  ],
  [
    'a whole name is reserved to one tenant, and lies under no prefix of another',
    [
      reserving('acme', 'names: [payments, pay-roll, payments], prefix: shop-'),
      reserving('beta', 'names: [payments, shop-front, payments-eu]'),
      reserving('gamma', 'prefix: pay-'),
    ],
    'beta.yaml:4:31: spec.namespaces.names[0]: payments is reserved to tenant acme (acme.yaml:4) already; remove it here or there',
    'beta.yaml:4:41: spec.namespaces.names[1]: shop-front lies under shop-, which is reserved to tenant acme; remove it here or there',
    'gamma.yaml:4:31: spec.namespaces.prefix: pay- covers pay-roll, which is reserved to tenant acme; choose a prefix that shares no names',
  ],
  [
    'a whole name is none of the platform',
    [reserving('acme', 'names: [default, kube-x, fine]')],
    'acme.yaml:4:31: spec.namespaces.names[0]: default is a namespace of the platform; remove it here or there',
    'acme.yaml:4:40: spec.namespaces.names[1]: kube-x lies under kube-, which is reserved to the platform; remove it here or there',
  ],
  [
    'a service account lives in a namespace whose name is reserved to another tenant',
    [
      reserving('acme', 'names: [ci]'),
      tenant('gamma', 'members: [{ kind: ServiceAccount, namespace: ci, name: deployer }]'),
      tenant(
        'delta',
        'members: [{ kind: ServiceAccount, namespace: dx, name: deployer }], namespaces: { names: [dx], prefixes: [d-] }',
      ),
    ],
    'gamma.yaml:4:54: spec.members[0].namespace: ci is reserved to tenant acme, which controls this service account; use a service account of the tenant or the platform',
  ],
  [
    'a prefix lies under none of the platform (ADM-04)',
    [prefix('acme', 'kube-'), prefix('beta', 'kube-beta-')],
    'acme.yaml:4:31: spec.namespaces.prefix: kube- lies under kube-, which is reserved to the platform; choose a prefix that shares no names',
    'beta.yaml:4:31: spec.namespaces.prefix: kube-beta- lies under kube-, which is reserved to the platform; choose a prefix that shares no names',
    'beta.yaml:4:31: spec.namespaces.prefix: kube-beta- lies under kube-, which is reserved to tenant acme; choose a prefix that shares no names',
  ],
  [
    'the platform is a member of no tenant',
    [tenant('acme', 'members: [{ kind: Group, name: acme }, { kind: Group, name: "system:masters" }]')],
    'acme.yaml:4:69: spec.members[1].name: system:masters is part of Kubernetes itself and works for every tenant; list those who are meant',
  ],
  [
    'the service account of Bulkhead is a member of no tenant',
    [tenant('acme', 'members: [{ kind: ServiceAccount, namespace: bulkhead-system, name: bulkhead }]')],
    'acme.yaml:4:19: spec.members[0]: ServiceAccount bulkhead is a platform identity, which may do everything for every tenant; list it here or in the settings, not in both',
  ],
  ...[
    ['10.244.7.0/24', '10.244.0.0/16, the pod network of the cluster'],
    ['10.0.0.0/8', '10.244.0.0/16, the pod network of the cluster'],
    ['10.97.0.0/16', '10.96.0.0/12, the service network of the cluster'],
    ['192.168.1.1/32', '192.168.0.0/16, the node network of the cluster'],
    ['"fd00:1::/32"', 'fd00:1::/64, the node network of the cluster'],
    ['169.254.169.254/32', '169.254.0.0/16, the metadata service of the cluster'],
    ['0.0.0.0/0', '10.244.0.0/16, the pod network of the cluster'],
    ['"::/0"', '10.244.0.0/16, the pod network of the cluster'],
    ['"64:ff9b::/96"', '10.244.0.0/16, the pod network of the cluster'],
    ['"64:ff9b::af4:0/120"', '10.244.0.0/16, the pod network of the cluster'],
  ].map(([range = '', reached]): readonly [string, ReturnType<typeof tenant>[], string] => [
    `${range} is not outside the cluster`,
    [tenant('acme', `network: { egressCIDRs: [203.0.113.0/24, ${range}] }`)],
    `acme.yaml:4:50: spec.network.egressCIDRs[1]: reaches into ${reached}; list ranges that leave it out, or write the range under egress, where it stays out by itself`,
  ]),
  [
    'a grant that lies in a protected range grants nothing',
    [tenant('acme', 'network: { egress: [{ cidr: 0.0.0.0/0 }, { cidr: 10.244.7.0/24 }] }')],
    'acme.yaml:4:58: spec.network.egress[1].cidr: lies in 10.244.0.0/16, the pod network of the cluster, which is never granted; grant single addresses of it under vouched',
  ],
  [
    'nor does one of which nothing is left',
    [tenant('acme', 'network: { egress: [{ cidr: 203.0.113.0/24, except: [203.0.113.0/25, 203.0.113.128/25] }] }')],
    'acme.yaml:4:37: spec.network.egress[0].cidr: has no address that except leaves; correct except, or remove the grant',
  ],
  [
    'an address that pods may get is not vouched for without a word',
    [vouching('10.244.9.9/32')],
    'acme.yaml:4:38: spec.network.vouched[0].cidr: lies in 10.244.0.0/16, the pod network of the cluster: any pod may get it; write notAssignedToPods: true once the network plugin leaves the address out',
  ],
  ...['169.254.169.254/32', '"fd00:ec2::254/128"', '100.100.100.200/32', '"64:ff9b::a9fe:a9fe/128"'].map(
    (address): readonly [string, ReturnType<typeof tenant>[], RegExp] => [
      `${address} is never vouched for`,
      [vouching(address, 'notAssignedToPods: true')],
      /^acme.yaml:4:38: spec.network.vouched\[0\].cidr: reaches into .*, the metadata service of the cluster, which no tenant may reach; remove it$/,
    ],
  ),
];

for (const [sentence, tenants, ...problems] of refused) {
  t.test(sentence, async (t) => {
    t.match(problemLines(loadTenancy(plain, tenants, now)), problems);
    t.equal(problemLines(loadTenancy(plain, tenants, now)).length, problems.length);
  });
}

t.test('an address inside the cluster may be vouched for', async (t) => {
  for (const one of [vouching('10.96.0.1/32'), vouching('192.168.7.7/32'), vouching('169.254.20.10/32')])
    t.same(problemLines(loadTenancy(plain, [one], now)), []);
  t.same(problemLines(loadTenancy(plain, [vouching('10.244.9.9/32', 'notAssignedToPods: true')], now)), []);
  const ofOneFamily = settings(
    'network: { podCIDRs: [10.244.0.0/16], serviceCIDRs: [10.96.0.0/12], nodeCIDRs: [192.168.0.0/16] }',
  );
  t.match(
    problemLines(loadTenancy(ofOneFamily, [vouching('"2001:db8::7/128"')], now)),
    [/vouched\[0\].cidr: may be the address of a pod, as the settings do not list all IPv6 ranges of the cluster/],
    'and where the ranges of pods are not listed, any address may be one of them',
  );
});

t.test('a range of nodes or load balancers may be vouched for as a source', async (t) => {
  const ranges = settings(
    `network: { ${complete}, loadBalancerCIDRs: [198.51.100.0/24, 10.244.128.0/24], protectedCIDRs: [{ name: management, cidr: 192.168.9.0/24 }, { name: node network, cidr: 172.20.0.0/16 }] }`,
  );
  const said = (cidr: string, more = 'notAssignedToPods: true') => {
    const fields = `cidr: ${cidr}, ports: [{ port: 443 }], direction: ingress, reason: it, ${more}`;
    return problemLines(loadTenancy(ranges, [tenant('acme', `network: { vouched: [{ ${fields} }] }`)], now));
  };
  for (const cidr of ['192.168.0.0/21', '"fd00:1::/64"', '198.51.100.0/25', '"64:ff9b::c0a8:0/120"'])
    t.same(said(cidr, ''), [], cidr);
  const others = /has more than one address, and they are not all in nodeCIDRs or loadBalancerCIDRs alone; write one/;
  for (const cidr of [
    '10.244.0.0/31',
    '10.244.128.0/31',
    '10.96.0.0/31',
    '192.168.8.0/23',
    '203.0.113.0/31',
    '192.168.0.0/15',
    // What the settings protect by such a name need not be nodes.
    '172.20.0.0/24',
  ])
    t.match(said(cidr), [others], cidr);
  t.match(said('0.0.0.0/0'), [/metadata service/]);
});

t.test('and so may a shared service for ingress list them, on ports by number', async (t) => {
  const said = (direction: string, cidr: string, ports = '[{ port: 8443 }]') =>
    problemLines(
      loadTenancy(
        settings(
          `network: { ${complete} }, sharedServices: [{ name: nodes, direction: ${direction}, offer: policy, endpoints: [{ cidr: ${cidr}, ports: ${ports} }] }]`,
        ),
        [],
        now,
      ),
    );
  t.same(said('ingress', '192.168.0.0/24'), []);
  t.match(said('egress', '192.168.0.0/24'), [/with more than one address/]);
  t.match(said('ingress', '10.244.0.0/24'), [/the pod network, with more than one address/]);
  t.match(said('ingress', '192.168.0.0/15'), [/with more than one address/], 'nor more than the nodes');
  t.match(said('ingress', '192.168.0.0/24', '[{ port: 1, endPort: 65535 }]'), [/on every port/]);
});

t.test('an end that has passed is a warning', async (t) => {
  const ended = loadTenancy(plain, [vouching('10.96.0.1/32', 'expires: "2026-11-20T00:00:00Z"')], now);
  t.same(warningLines(ended), [
    'acme.yaml:4:116: spec.network.vouched[0].expires: has passed, so the address is not granted; remove the entry, or renew it',
  ]);
});

t.test('what the settings add to the platform is out of reach for tenants', async (t) => {
  const given = settings(
    `network: { ${complete} }, platform: { identities: [{ kind: User, name: root }, { kind: Group, name: ops }], namespaces: [beta-monitoring], prefixes: [gamma-infra-] }, sharedServices: [{ name: web, direction: ingress, namespace: acme-ingress, podSelector: {} }]`,
  );
  const tenants = [
    prefix('acme', 'acme-'),
    prefix('beta', 'beta-'),
    prefix('gamma', 'gamma-'),
    tenant('delta', 'members: [{ kind: Group, name: ops }]'),
    tenant('epsilon', 'members: [{ kind: Group, name: root }]'),
  ];
  t.strictSame(problemLines(loadTenancy(given, tenants, now)), [
    'acme.yaml:4:31: spec.namespaces.prefix: acme- covers acme-ingress, a namespace of the platform; choose a prefix that shares no names',
    'beta.yaml:4:31: spec.namespaces.prefix: beta- covers beta-monitoring, a namespace of the platform; choose a prefix that shares no names',
    'delta.yaml:4:19: spec.members[0]: Group ops is a platform identity, which may do everything for every tenant; list it here or in the settings, not in both',
    'gamma.yaml:4:31: spec.namespaces.prefix: gamma- covers gamma-infra-, which is reserved to the platform; choose a prefix that shares no names',
  ]);
});

t.test('what deserves a second look is loaded all the same', async (t) => {
  const tenants = [
    tenant(
      'acme',
      'namespaces: { prefix: acme- }, network: { gates: [{ tenant: betta, direction: egress }, { tenant: nobody, direction: egress }] }',
    ),
    tenant(
      'beta',
      'network: { gates: [{ tenant: acme, direction: ingress, expires: "2026-11-21T00:00:00Z" }, { tenant: acme, direction: egress, expires: "2026-11-21T00:00:01Z" }] }',
    ),
  ];
  const loaded = loadTenancy(plain, tenants, now);
  t.ok(loaded.ok);
  t.strictSame(warningLines(loaded), [
    'acme.yaml:4:69: spec.network.gates[0].tenant: betta is not a declared tenant; did you mean beta?',
    'acme.yaml:4:107: spec.network.gates[1].tenant: nobody is not a declared tenant; the gate stays shut until it is',
    'beta.yaml:4:73: spec.network.gates[0].expires: has passed, so the gate is shut; remove the gate, or agree on a later time',
    'beta.yaml:4:109: spec.network.gates[1].tenant: acme does not declare the mirror image, so the gate is shut; declare a gate for ingress with beta in tenant acme',
  ]);
});

t.test('a gate that stays shut is told', async (t) => {
  const halves = (acme: string, beta: string) =>
    warningLines(
      loadTenancy(
        plain,
        [
          tenant('acme', `network: { gates: [{ tenant: beta, direction: egress${acme} }] }`),
          tenant('beta', `network: { gates: [{ tenant: acme, direction: ingress${beta} }] }`),
        ],
        now,
      ),
    ).map((line) => line.slice(line.indexOf('spec.')));
  t.strictSame(halves('', ''), []);
  t.strictSame(halves('', ', ports: [{ port: 443 }]'), [], 'an empty list is every port');
  t.strictSame(halves(', ports: [{ port: 80, endPort: 90 }]', ', ports: [{ port: 85 }]'), []);
  t.strictSame(halves(', ports: [{ port: 80 }]', ', ports: [{ port: 443 }]'), [
    'spec.network.gates[0].ports: have nothing in common with those of beta, so the gate is shut; name the same ports on both sides',
    'spec.network.gates[0].ports: have nothing in common with those of acme, so the gate is shut; name the same ports on both sides',
  ]);
  t.strictSame(halves('', ', expires: "2026-11-21T00:00:00Z"'), [
    'spec.network.gates[0].tenant: the half of beta has expired, so the gate is shut; agree on a later time in tenant beta',
    'spec.network.gates[0].expires: has passed, so the gate is shut; remove the gate, or agree on a later time',
  ]);
});

t.test('tenants that the settings name and nobody has declared are told', async (t) => {
  const services =
    '[{ name: dns, direction: egress, namespace: kube-system, podSelector: {}, ports: [{ protocol: UDP, port: 53 }] }, { name: web, direction: ingress, namespace: web, podSelector: {}, tenants: [acme, acmee] }]';
  const pods =
    '{ csiDrivers: [{ driver: a }, { driver: b, tenants: [nobody] }], tolerations: [{ key: gpu, tenants: [acm] }], devices: [{ deviceClass: nic, tenants: [acm] }] }';
  const given = settings(`network: { ${complete} }, sharedServices: ${services}, pods: ${pods}`);
  t.strictSame(warningLines(loadTenancy(given, [tenant('acme', '')], now)), [
    'bulkhead.yaml:3:366: spec.sharedServices[1].tenants[1]: acmee is not a declared tenant; did you mean acme?',
    'bulkhead.yaml:3:436: spec.pods.csiDrivers[1].tenants[0]: nobody is not a declared tenant; declare it, or remove the name',
    'bulkhead.yaml:3:484: spec.pods.tolerations[0].tenants[0]: acm is not a declared tenant; did you mean acme?',
    'bulkhead.yaml:3:533: spec.pods.devices[0].tenants[0]: acm is not a declared tenant; did you mean acme?',
  ]);
});

t.test('one person may belong to several tenants, and a tenant may list its own service accounts', async (t) => {
  const tenants = [
    tenant(
      'acme',
      'namespaces: { prefix: acme- }, members: [{ kind: User, name: alice }, { kind: ServiceAccount, namespace: acme-ci, name: bot }]',
    ),
    tenant('beta', 'members: [{ kind: User, name: alice }]'),
  ];
  const loaded = loadTenancy(plain, tenants, now);
  t.strictSame([problemLines(loaded), warningLines(loaded)], [[], []]);
});

t.test('how tenants go together is judged only when each can be read', async (t) => {
  const tenants = documents(
    ['acme', 'acme']
      .map(
        (name) => `apiVersion: bulkhead.dev/v1alpha1\nkind: Tenant\nmetadata: { name: ${name} }\nspec: { mode: 1 }\n`,
      )
      .join('---\n'),
  );
  t.strictSame(problemLines(loadTenancy(settings('tenantlabel: x'), tenants, now)), [
    'bulkhead.yaml:3:9: spec.tenantlabel: is not a known field; did you mean tenantLabel?',
    't.yaml:4:15: spec.mode: 1 is not text; write "1" in quotes',
    't.yaml:9:15: spec.mode: 1 is not text; write "1" in quotes',
  ]);
});

t.test('without settings the defaults hold, and say what they do not know', async (t) => {
  const loaded = loadTenancy(undefined, [tenant('acme', '')], now);
  t.strictSame(warningLines(loaded), [
    'settings: spec.network: no settings are given, so no address can be proven to lie outside the cluster and every ipBlock of a tenant is refused; list the ranges of the cluster in a Settings document',
  ]);
});
