/** Rules of Cilium about objects that change without the policy: what they open, and when they stay unread. */
import t from 'tap';
import { overlaid } from '../../src/connectivity/overlay.ts';
import { createParties, node, type Party } from '../../src/connectivity/parties.ts';
import { readSnapshot } from '../../src/connectivity/read-snapshot.ts';
import { asCilium } from '../../src/connectivity/readings.ts';
import { refText, type Snapshot } from '../../src/connectivity/snapshot.ts';
import { createWorld } from '../../src/connectivity/world.ts';
import { formatPath } from '../../src/kubernetes/field-path.ts';
import { knownRange } from '../../src/kubernetes/ip-range.ts';
import type { JsonMap } from '../../src/kubernetes/json.ts';
import { namespace, plainTenancy, pod, policy, service } from './worlds.ts';

const cilium = (spec: object, place = 'acme-web/out', kind = 'CiliumNetworkPolicy') =>
  policy(place, { endpointSelector: {}, ...spec }, kind, 'cilium.io/v2');
const group = (name: string, externalCIDRs: readonly string[], labels = {}): JsonMap => ({
  ...{ apiVersion: 'cilium.io/v2', kind: 'CiliumCIDRGroup', metadata: { name, labels }, spec: { externalCIDRs } },
});
const base = [
  ...[namespace('acme-web'), namespace('acme-db')],
  ...[pod('acme-web/front', { app: 'web' }), pod('acme-db/db', { app: 'db' }), pod('acme-db/other', { app: 'other' })],
];
const read = (objects: readonly JsonMap[], hasPods = true) =>
  readSnapshot([...base, ...objects], plainTenancy, { hasPods, withBaseline: false });

/** Who is open to the first pod, and what is unread. */
function opened(snapshot: Snapshot, direction: 'ingress' | 'egress' = 'egress') {
  const parties = createParties(snapshot.namespaces, snapshot.workloads, plainTenancy);
  const world = createWorld(snapshot, parties, plainTenancy.settings, asCilium);
  const [front, ...others] = parties.classes;
  const address = (text: string): readonly [string, Party] => [
    text,
    { kind: 'address', range: knownRange(`${text}/32`) },
  ];
  const all: readonly (readonly [string, Party])[] = [
    ...others.map((one) => [one.workloads[0]?.name ?? '', one] as const),
    ...['203.0.113.7', '198.51.100.9'].map(address),
    ['node', node],
  ];
  if (front === undefined) throw new Error('no pod');
  return {
    open: all.filter(([, party]) => world.allowed(front, direction, party).length > 0).map(([name]) => name),
    unread: snapshot.policies.flatMap(({ ref, inForce }) =>
      inForce.unread.map(({ path }) => `${refText(ref)} ${formatPath(path)}`),
    ),
  };
}

const toGroup = cilium({ egress: [{ toCIDRSet: [{ cidrGroupRef: 'partners' }] }] });
const toDb = cilium({ egress: [{ toServices: [{ k8sService: { serviceName: 'db', namespace: 'acme-db' } }] }] });
const onPorts = (rule: object) => cilium({ egress: [{ ...rule, toPorts: [{ ports: [{ port: '443' }] }] }] });

const cases: readonly (readonly [
  says: string,
  objects: readonly JsonMap[],
  open: readonly string[],
  unread: readonly string[],
])[] = [
  ['a group is its addresses', [toGroup, group('partners', ['203.0.113.0/24'])], ['203.0.113.7'], []],
  ...['203.0.113.7/24', '203.0.113.200/25', '203.0.113.7/32'].map(
    (range, at) =>
      [
        `bits after the prefix do not count: ${range}`,
        [toGroup, group('partners', [range])],
        at === 1 ? [] : ['203.0.113.7'],
        [],
      ] as const,
  ),
  ...[
    'none',
    '203.0.113.7',
    '203.000.113.0/24',
    '203.0.113.0/024',
    '::ffff:203.0.113.0/120',
    '::ffff:cb00:7100/120',
    ' 203.0.113.0/24',
  ].map(
    (range) =>
      [
        `a range that is not understood leaves the rule unread: ${range}`,
        [toGroup, group('partners', ['198.51.100.0/24', range])],
        ['198.51.100.9'],
        ['CiliumNetworkPolicy acme-web/out spec.egress[0].toCIDRSet[0].cidrGroupRef'],
      ] as const,
  ),
  [
    'labels of Cilium itself are of no group',
    [
      cilium({
        egress: [
          {
            toCIDRSet: [{ cidrGroupSelector: { matchExpressions: [{ key: 'io.cilium.k8s.x', operator: 'Exists' }] } }],
          },
        ],
      }),
      group('partners', ['203.0.113.0/24'], { 'io.cilium.k8s.x': '1' }),
    ],
    [],
    [],
  ],
  ['one that is not there has none', [toGroup], [], []],
  [
    'except takes away',
    [
      cilium({ egress: [{ toCIDRSet: [{ cidrGroupRef: 'partners', except: ['203.0.113.7/32'] }] }] }),
      group('partners', ['203.0.113.0/24', '198.51.100.9/32']),
    ],
    ['198.51.100.9'],
    [],
  ],
  [
    'a selector of groups matches the labels of all that list an address',
    [
      cilium({ egress: [{ toCIDRSet: [{ cidrGroupSelector: { matchLabels: { a: '1', b: '2' } } }] }] }),
      group('one', ['203.0.113.0/24'], { a: '1' }),
      group('two', ['203.0.113.7/32'], { b: '2' }),
    ],
    ['203.0.113.7'],
    [],
  ],
  [
    'one that is not understood stays unread',
    [cilium({ egress: [{ toCIDRSet: [{ cidrGroupSelector: { matchLabels: { 'k8s:a': '1' } } }] }] })],
    [],
    ['CiliumNetworkPolicy acme-web/out spec.egress[0].toCIDRSet[0].cidrGroupSelector'],
  ],
  [
    'one with very many requirements stays unread',
    [
      cilium({
        egress: [
          {
            toCIDRSet: [
              {
                cidrGroupSelector: {
                  matchExpressions: Array.from({ length: 101 }, (_, at) => ({
                    key: `k${at}`,
                    operator: 'DoesNotExist',
                  })),
                },
              },
            ],
          },
        ],
      }),
    ],
    [],
    ['CiliumNetworkPolicy acme-web/out spec.egress[0].toCIDRSet[0].cidrGroupSelector'],
  ],
  ...(
    [
      { matchExpressions: [{ key: 'a', operator: 'NotIn', values: [] }] },
      { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['1'] }] },
      { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1', 2] }] },
      { matchExpressions: [{ key: '', operator: 'DoesNotExist' }] },
      { matchExpressions: { key: 'a', operator: 'DoesNotExist' } },
      { matchLabels: { a: 'not a value' } },
      { matchLabels: ['1'] },
      { matchLabel: { a: '1' } },
    ] as const
  ).map(
    (cidrGroupSelector) =>
      [
        `one that Cilium rejects stays unread: ${JSON.stringify(cidrGroupSelector)}`,
        [
          cilium({ egress: [{ toCIDRSet: [{ cidrGroupSelector }] }] }),
          group('one', ['203.0.113.0/24'], { a: '1', 0: '1' }),
        ],
        [],
        ['CiliumNetworkPolicy acme-web/out spec.egress[0].toCIDRSet[0].cidrGroupSelector'],
      ] as const,
  ),
  [
    'one of Services that Cilium rejects stays unread',
    [
      cilium({
        egress: [
          {
            toServices: [
              { k8sServiceSelector: { selector: { matchExpressions: [{ key: 'a', operator: 'NotIn', values: [] }] } } },
            ],
          },
        ],
      }),
      service('acme-db/db', { app: 'db' }),
    ],
    [],
    ['CiliumNetworkPolicy acme-web/out spec.egress[0].toServices[0]'],
  ],
  [
    'labels that JavaScript knows are labels like others',
    [
      cilium({ egress: [{ toCIDRSet: [{ cidrGroupSelector: { matchLabels: { constructor: 'x' } } }] }] }),
      group('one', ['203.0.113.0/24'], { constructor: 'x' }),
      group('two', ['198.51.100.0/24'], {}),
    ],
    ['203.0.113.7'],
    [],
  ],
  ['a Service is the pods that it selects', [toDb, service('acme-db/db', { app: 'db' })], ['db'], []],
  ['one that is not there is nobody, without ports', [toDb], [], []],
  [
    'and everybody with ports',
    [onPorts({ toServices: [{ k8sService: { serviceName: 'db' } }] })],
    ['db', 'other', '203.0.113.7', '198.51.100.9', 'node'],
    [],
  ],
  [
    'unless another of the rule is there',
    [
      onPorts({ toServices: [{ k8sService: { serviceName: 'gone' } }, { k8sService: { serviceName: 'db' } }] }),
      service('acme-db/db', { app: 'db' }),
    ],
    ['db'],
    [],
  ],
  [
    'addresses of a Service without a selector are not known',
    [toDb, service('acme-db/db')],
    [],
    ['CiliumNetworkPolicy acme-web/out spec.egress[0].toServices[0]'],
  ],
  [
    'a denial by Services stays unread',
    [
      cilium({
        egress: [{ toEntities: ['all'] }],
        egressDeny: [{ toServices: [{ k8sService: { serviceName: 'db' } }] }],
      }),
    ],
    ['db', 'other', '203.0.113.7', '198.51.100.9', 'node'],
    ['CiliumNetworkPolicy acme-web/out spec.egressDeny[0].toServices[0]'],
  ],
  [
    'a denial by a group denies',
    [
      cilium({ egress: [{ toEntities: ['world'] }], egressDeny: [{ toCIDRSet: [{ cidrGroupRef: 'partners' }] }] }),
      group('partners', ['203.0.113.0/24']),
    ],
    ['198.51.100.9'],
    [],
  ],
  [
    'of a policy of the cluster too',
    [
      cilium({ egress: [{ toCIDRSet: [{ cidrGroupRef: 'partners' }] }] }, 'wide', 'CiliumClusterwideNetworkPolicy'),
      group('partners', ['203.0.113.0/24']),
    ],
    ['203.0.113.7'],
    [],
  ],
  [
    'a denial about some nodes leaves others open',
    [cilium({ egress: [{ toEntities: ['cluster'] }], egressDeny: [{ toNodes: [{ matchLabels: { zone: 'a' } }] }] })],
    ['db', 'other', 'node'],
    [],
  ],
  [
    'and one about each does not',
    [cilium({ egress: [{ toEntities: ['cluster'] }], egressDeny: [{ toNodes: [{}] }] })],
    ['db', 'other'],
    [],
  ],
];
for (const [says, objects, open, unread] of cases)
  t.test(`rules of Cilium that refer to others: ${says}`, async (t) => {
    t.strictSame(opened(read(objects)), { open, unread });
  });

const many = (count: number) =>
  group(
    'partners',
    Array.from({ length: count }, (_, at) => `203.${Math.floor(at / 128)}.${(at % 128) * 2}.0/24`),
    { a: '1' },
  );
const toMany = (count: number, of: (at: number) => object) =>
  cilium({ egress: [{ toCIDRSet: Array.from({ length: count }, (_, at) => of(at)) }] });

t.test('a range of IPv6 may be spelled as Go reads it', async (t) => {
  const [group6] = read([group('six', ['2001:DB8:0::7/64'])]).groups ?? [];
  t.match(group6, { addresses: [knownRange('2001:db8::/64')], isRead: true });
});

t.test('equal references are resolved once, and share their addresses', async (t) => {
  const [policy] = read([toMany(1500, () => ({ cidrGroupRef: 'partners' })), many(10_000)]).policies;
  const peers = policy?.inForce.parts.flatMap(({ rules }) => rules.map(({ peer }) => peer)) ?? [];
  t.equal(peers.length, 1500);
  t.equal(new Set(peers).size, 1);
  t.strictSame(policy?.inForce.unread, []);
});

t.test('references beyond the limits of a policy stay unread', async (t) => {
  const { unread, open } = opened(read([toMany(20_000, () => ({ cidrGroupRef: 'partners' })), many(10_000)]));
  t.strictSame(unread, ['CiliumNetworkPolicy acme-web/out spec.egress[0].toCIDRSet']);
  t.strictSame(open, []);
});

t.test('so do those that would need very many addresses or questions', async (t) => {
  const different = (at: number) => ({
    cidrGroupRef: 'partners',
    except: [`203.0.${at % 250}.${Math.floor(at / 250)}/32`],
  });
  const [kept] = read([toMany(1500, different), many(10_000)]).policies;
  const addresses = kept?.inForce.parts.flatMap(({ rules }) =>
    rules.flatMap(({ peer }) => (peer.kind === 'ipBlock' ? [peer.addresses.length] : [])),
  );
  t.ok((addresses ?? []).reduce((sum, one) => sum + one, 0) <= 100_000);
  t.equal((addresses?.length ?? 0) + (kept?.inForce.unread.length ?? 0), 1500);
  const asking = (at: number) => ({
    cidrGroupSelector: {
      matchExpressions: Array.from({ length: 50 }, (_, one) => ({
        key: 'a',
        operator: 'In',
        values: ['1', `v${at * 50 + one}`],
      })),
    },
  });
  const [asked] = read([toMany(1500, asking), many(10_000)]).policies;
  t.ok((asked?.inForce.unread.length ?? 0) > 1400);
});

t.test('so do Services that many selectors are asked about', async (t) => {
  const by = (at: number) => ({ k8sServiceSelector: { selector: { matchLabels: { app: `a${at}` } } } });
  const rules = Array.from({ length: 14 }, (_, rule) => ({
    toServices: Array.from({ length: 100 }, (_, at) => by(rule * 100 + at)),
  }));
  const services = Array.from({ length: 2000 }, (_, at) => service(`acme-db/s${at}`, { app: 'db' }, { app: `a${at}` }));
  const { unread } = opened(read([cilium({ egress: rules }), ...services]));
  t.equal(unread.length, 1200);
});

t.test('of files, others may be elsewhere: what is not among them is unread', async (t) => {
  t.match(opened(read([toGroup], false)).unread, [/cidrGroupRef$/]);
  t.match(opened(read([toDb], false)).unread, [/toServices\[0\]$/]);
  t.strictSame(opened(read([toGroup, group('partners', ['203.0.113.0/24'])], false)), {
    ...{ open: ['203.0.113.7'], unread: [] },
  });
});

t.test('where a list failed, what it would hold may be elsewhere', async (t) => {
  const unread = (asking: JsonMap, ...failed: readonly string[]) =>
    opened(readSnapshot([...base, asking], plainTenancy, { hasPods: true, withBaseline: false }, new Set(failed)))
      .unread.length;
  t.equal(unread(toGroup, 'CiliumCIDRGroup'), 1);
  t.equal(unread(toDb, 'Service'), 1);
  t.equal(unread(onPorts({ toServices: [{ k8sService: { serviceName: 'db' } }] }), 'Service'), 1);
  t.equal(unread(toGroup, 'Tier'), 0);
});

t.test('of files, a Service is found by its namespace and its name', async (t) => {
  const to = (...places: readonly string[]) =>
    cilium({
      egress: [
        {
          toServices: places.map((place) => {
            const [namespace, serviceName] = place.split('/');
            return { k8sService: { serviceName, ...(namespace !== '' && { namespace }) } };
          }),
        },
      ],
    });
  const unread = (asking: JsonMap, services: readonly string[]) =>
    opened(read([asking, ...services.map((place) => service(place, { app: 'db' }))], false)).unread.length;
  t.equal(unread(to('acme-web/db', 'acme-db/db'), ['acme-db/db']), 2);
  t.equal(unread(to('acme-web/db', 'acme-db/db'), ['acme-db/db', 'acme-web/db']), 0);
  t.equal(unread(to('/db'), ['acme-db/db']), 1);
  t.equal(unread(to('acme-db/db'), ['acme-db/db']), 0);
});

t.test('a file is read with what the cluster has, and the other way round', async (t) => {
  const over = (cluster: readonly JsonMap[], files: readonly JsonMap[]) =>
    opened(overlaid(read(cluster), files, plainTenancy, { withBaseline: false, prunes: false }));
  const partners = group('partners', ['203.0.113.0/24']);
  t.strictSame(over([partners], [toGroup]), { open: ['203.0.113.7'], unread: [] });
  t.strictSame(over([toGroup], [partners]), { open: ['203.0.113.7'], unread: [] });
  t.strictSame(over([toGroup, partners], [group('partners', ['198.51.100.0/24'])]).open, ['198.51.100.9']);
  t.strictSame(over([toDb, service('acme-db/db', { app: 'db' })], [service('acme-db/db', { app: 'other' })]).open, [
    'other',
  ]);
});
