import t from 'tap';
import { agree, noRequests, type StoredRequest, stateOf, withAgreed } from '../../src/gates/agreement.ts';
import { parseGateRequest } from '../../src/gates/parse-gate-request.ts';
import { formatPort, type PortRange } from '../../src/kubernetes/port-range.ts';
import { requestLimits } from '../../src/tenancy/gate-request.ts';
import { unlined } from '../../src/tenancy/problem.ts';
import type { GateSettings } from '../../src/tenancy/settings.ts';
import { undeclaredTenant } from '../../src/tenancy/tenancy.ts';

const now = Date.UTC(2027, 0, 1);
const later = '2027-02-01T00:00:00Z';
const tcp = (first: number, last = first): PortRange => ({ protocol: 'TCP', first, last });
const anyPort: GateSettings = { from: 'tenants', ports: [tcp(1, 65535)], between: undefined };

interface Written {
  readonly in: string;
  readonly tenant: string;
  readonly direction?: string;
  readonly ports?: readonly object[];
  readonly expires?: string;
  readonly label?: string | undefined;
  readonly created?: string;
  readonly terminating?: boolean;
  readonly name?: string;
}

let count = 0;
function request(written: Written): StoredRequest {
  const { in: namespace, tenant, direction = 'egress', ports = [{ port: 443 }], expires = later } = written;
  const { name = `request-${++count}`, created = '2026-11-01T00:00:00Z', terminating = false } = written;
  const label = 'label' in written ? written.label : ownerOf(namespace);
  const spec = { tenant, direction, ports, expires };
  const document = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'GateRequest', metadata: { name }, spec };
  const loaded = parseGateRequest({ value: document, locate: unlined('a request') });
  return { namespace, name, created, label, terminating, loaded };
}

/** `acme-web` is a namespace of acme; `gone` of nobody. */
function ownerOf(namespace: string): string | undefined {
  return namespace === 'gone' ? undefined : namespace.split('-')[0];
}

const toBeta: Written = { in: 'acme-web', tenant: 'beta' };
const fromAcme: Written = { in: 'beta-data', tenant: 'acme', direction: 'ingress' };

/** The gates that are open now, from each side. */
function openIn(written: readonly Written[], gates = anyPort, time = now): readonly string[] {
  const agreed = agree(written.map(request), { gates }, ownerOf);
  return [...agreed.gates]
    .flatMap(([from, all]) =>
      all
        .filter(({ expires = Number.POSITIVE_INFINITY }) => time < expires)
        .map(({ tenant, direction, ports }) => `${from} ${direction} ${tenant} ${ports.map(formatPort).join()}`),
    )
    .sort();
}

const both = ['acme egress beta 443/TCP', 'beta ingress acme 443/TCP'];

const cases: readonly (readonly [
  sentence: string,
  written: readonly Written[],
  open: readonly string[],
  gates?: GateSettings,
])[] = [
  ['two requests that mirror each other are a gate, seen from both sides', [toBeta, fromAcme], both],
  ['one is none', [toBeta], []],
  ['the mirror has the opposite direction', [toBeta, { ...fromAcme, direction: 'egress' }], []],
  ['GAT-01: a tenant does not write both halves', [toBeta, { ...fromAcme, in: 'acme-db' }], []],
  [
    'GAT-01: nor is it its own partner',
    [
      { ...toBeta, tenant: 'acme' },
      { ...fromAcme, in: 'acme-db' },
    ],
    [],
  ],
  ['GAT-02: the half of a third tenant is none of it', [toBeta, { ...fromAcme, in: 'gamma-lab' }], []],
  [
    'what is open is what both name',
    [
      { ...toBeta, ports: [{ port: 80, endPort: 443 }, { port: 5432 }] },
      {
        ...fromAcme,
        ports: [
          { port: 100, endPort: 500 },
          { protocol: 'UDP', port: 5432 },
        ],
      },
    ],
    ['acme egress beta 100-443/TCP', 'beta ingress acme 100-443/TCP'],
  ],
  ['ports that have nothing in common open nothing', [toBeta, { ...fromAcme, ports: [{ port: 80 }] }], []],
  [
    'GAT-05: what the platform does not list stays shut',
    [
      { ...toBeta, ports: [{ protocol: 'TCP' }] },
      { ...fromAcme, ports: [{ protocol: 'TCP' }] },
    ],
    ['acme egress beta 443/TCP,5432-5433/TCP', 'beta ingress acme 443/TCP,5432-5433/TCP'],
    { ...anyPort, ports: [tcp(443), tcp(5432, 5433)] },
  ],
  ['while gates come from the platform alone nothing opens', [toBeta, fromAcme], [], { ...anyPort, from: 'platform' }],
  [
    'GAT-05: nor between tenants that may not agree',
    [toBeta, fromAcme],
    [],
    { ...anyPort, between: [new Set(['acme', 'gamma'])] },
  ],
  [
    'both must be in one group',
    [toBeta, fromAcme],
    [],
    { ...anyPort, between: [new Set(['acme', 'gamma']), new Set(['beta', 'gamma'])] },
  ],
  ['as these are', [toBeta, fromAcme], both, { ...anyPort, between: [new Set(['gamma', 'beta', 'acme'])] }],
  ['GAT-04: a half that has expired opens nothing', [toBeta, { ...fromAcme, expires: '2027-01-01T00:00:00Z' }], []],
  ['a half that is being deleted neither', [toBeta, { ...fromAcme, terminating: true }], []],
  ['GAT-03: nor one whose namespace is gone', [toBeta, { ...fromAcme, in: 'gone', label: 'beta' }], []],
  ['GAT-03: nor one that was written for another tenant', [toBeta, { ...fromAcme, label: 'gamma' }], []],
  ['nor one without a tenant label', [toBeta, { ...fromAcme, label: undefined }], []],
  ['nor one that cannot be read', [toBeta, { ...fromAcme, ports: [] }], []],
  [
    'several requests of a tenant add up',
    [
      { ...toBeta, ports: [{ port: 80 }] },
      { ...toBeta, in: 'acme-db', ports: [{ port: 81 }] },
      { ...fromAcme, ports: [{ port: 80, endPort: 90 }] },
    ],
    ['acme egress beta 80-81/TCP', 'beta ingress acme 80-81/TCP'],
  ],
];

for (const [sentence, written, open, gates] of cases)
  t.test(sentence, async (t) => t.strictSame(openIn(written, gates), open));

t.test('a gate is open until the first of its halves expires, and to the moment', async (t) => {
  const written = [
    { ...toBeta, expires: '2027-01-03T00:00:00Z' },
    { ...fromAcme, expires: '2027-01-02T00:00:00Z' },
    { ...fromAcme, ports: [{ port: 443 }, { port: 80 }], expires: '2027-01-01T12:00:00Z' },
  ];
  const end = Date.UTC(2027, 0, 2);
  t.equal(openIn(written, anyPort, end - 1).length, 2);
  t.strictSame(openIn(written, anyPort, end), [], 'GAT-04');
});

t.test('GAT-06: so many requests count, the oldest first', async (t) => {
  const at = (index: number) => new Date(Date.UTC(2026, 0, 1) + index * 1_000).toISOString().replace('.000', '');
  const many = (length: number, of: (index: number) => Written) =>
    Array.from({ length }, (_, index) => request({ created: at(index), ...of(index) }));
  const standingOf = (stored: readonly StoredRequest[]) => {
    const { outcomes } = agree([...stored].reverse(), { gates: anyPort }, ownerOf);
    const ways = [...outcomes.values()].map((one) => (typeof one === 'string' ? one : 'counts'));
    return {
      counts: ways.filter((one) => one === 'counts').length,
      tooMany: ways.filter((one) => one === 'TooMany').length,
    };
  };
  const { namespace, tenant, gate } = requestLimits;
  t.strictSame(standingOf(many(1_000, (index) => ({ in: 'acme-web', tenant: `t${index}` }))), {
    counts: namespace,
    tooMany: 1_000 - namespace,
  });
  t.strictSame(standingOf(many(1_000, (index) => ({ in: `acme-${index}`, tenant: `t${index}` }))), {
    counts: tenant,
    tooMany: 1_000 - tenant,
  });
  t.strictSame(standingOf(many(1_000, (index) => ({ in: `acme-${index}`, tenant: 'beta' }))), {
    counts: gate,
    tooMany: 1_000 - gate,
  });
  const oldest = request({ ...toBeta, created: at(0) });
  const younger = many(50, () => ({ ...toBeta, ports: [{ port: 80 }], created: at(60) }));
  const agreed = agree([...younger, oldest, request(fromAcme)], { gates: anyPort }, ownerOf);
  t.match(agreed.gates.get('acme'), [{ ports: [tcp(443)] }], 'the oldest keeps its place');
});

t.test('GAT-06: what two tenants agree on stays small, whatever they write', async (t) => {
  const ports = (offset: number) =>
    Array.from({ length: 8 }, (_, index) => ({ port: 2 * index + 1 + offset, endPort: 2 * index + 1 + offset }));
  const day = (index: number) => new Date(now + (index + 1) * 86_400_000).toISOString();
  const written = Array.from({ length: 200 }, (_, index) => [
    request({ in: `acme-${index}`, tenant: 'beta', ports: ports(16 * index), expires: day(index) }),
    request({
      in: `beta-${index}`,
      tenant: 'acme',
      direction: 'ingress',
      ports: [{ protocol: 'TCP' }],
      expires: day(2 * index),
    }),
  ]).flat();
  const gates = agree(written, { gates: anyPort }, ownerOf).gates.get('acme') ?? [];
  t.ok(gates.length <= 2 * requestLimits.gate, `${gates.length} gates`);
  const ranges = gates.flatMap((gate) => gate.ports).length;
  t.ok(ranges <= 2 * requestLimits.gate * requestLimits.gate * 8, `${ranges} ranges`);
});

t.test('replicas agree, in whatever order they heard of the requests', async (t) => {
  const stored = [toBeta, fromAcme, { ...toBeta, ports: [{ port: 80 }] }, { ...fromAcme, ports: [{ port: 80 }] }].map(
    request,
  );
  const one = agree(stored, { gates: anyPort }, ownerOf);
  const other = agree([...stored].reverse(), { gates: anyPort }, ownerOf);
  t.strictSame([...one.gates], [...other.gates]);
});

t.test('what is agreed stands beside what the platform declares', async (t) => {
  const agreed = agree([request(toBeta), request(fromAcme)], { gates: anyPort }, ownerOf);
  const acme = undeclaredTenant('acme');
  const half = { tenant: 'gamma', direction: 'egress', ports: [], expires: undefined } as const;
  const declared = { ...acme, network: { ...acme.network, gates: [half] } };
  t.match(withAgreed(declared, agreed).network.gates, [half, { tenant: 'beta', direction: 'egress' }]);
  t.equal(withAgreed(undeclaredTenant('gamma'), agreed).network.gates.length, 0);
  t.equal(withAgreed(declared, noRequests), declared, 'and nothing is copied where nothing is agreed');
});

const states: readonly (readonly [
  sentence: string,
  theirs: readonly Written[],
  state: string,
  open: string,
  own?: Written,
])[] = [
  ['open', [fromAcme], 'Open', '443/TCP'],
  [
    'open for some ports',
    [{ ...fromAcme, ports: [{ port: 443 }] }],
    'Open',
    '443/TCP',
    { ...toBeta, ports: [{ port: 443 }, { port: 80 }] },
  ],
  ['half open', [], 'HalfOpen', ''],
  ['half open, as a third tenant is no partner', [{ ...fromAcme, in: 'gamma-lab' }], 'HalfOpen', ''],
  ['mismatched', [{ ...fromAcme, ports: [{ port: 80 }] }], 'Mismatched', ''],
  ['expired', [fromAcme], 'Expired', '', { ...toBeta, expires: '2026-12-31T00:00:00Z' }],
  ['expired with the other', [{ ...fromAcme, expires: '2026-12-31T00:00:00Z' }], 'Expired', ''],
];
for (const [sentence, theirs, state, open, own = toBeta] of states) {
  t.test(`the state of a request: ${sentence}`, async (t) => {
    const stored = request({ ...own, name: 'own' });
    const { outcomes, requests } = agree([stored, ...theirs.map(request)], { gates: anyPort }, ownerOf);
    const half = outcomes.get('acme-web/own');
    if (half === undefined || typeof half === 'string') return t.fail('it counts');
    const seen = stateOf(half, requests, now);
    return t.match([seen.state, seen.ports.map(formatPort).join()], [state, open]);
  });
}
