/** The naive evaluator that the border is held against says itself what the API says. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { flawOfWitness } from './border-proof.ts';
import {
  canBe,
  isForeign,
  isRead,
  letsParty,
  letsPort,
  nameLabel,
  type Party,
  rulesOf,
  type World,
  type WrittenPeer,
} from './evaluator.ts';
import { readAddress, readBlock, samples } from './evaluator-addresses.ts';
import { readWitness } from './read-witness.ts';
import { tryEverything } from './universe.ts';
import { wrongPlaces } from './wrong-places.ts';

const tcp53 = { protocol: 'TCP', port: 53 };
const world: World = {
  tenantLabel: 'tenant',
  tenant: 'acme',
  namespace: 'acme-web',
  now: Date.UTC(2027, 0, 1),
  tenants: [
    {
      name: 'acme',
      prefix: 'acme-',
      egressCIDRs: ['203.0.113.0/24'],
      gates: [
        { tenant: 'beta', direction: 'egress', ports: [{ port: 1, endPort: 5 }] },
        { tenant: 'gamma', direction: 'egress', ports: [], expires: '2027-01-01T00:00:00Z' },
        { tenant: 'delta', direction: 'egress', ports: [] },
      ],
    },
    {
      name: 'beta',
      egressCIDRs: [],
      gates: [{ tenant: 'acme', direction: 'ingress', ports: [{ port: 5, endPort: 9 }] }],
    },
    { name: 'gamma', egressCIDRs: [], gates: [{ tenant: 'acme', direction: 'ingress', ports: [] }] },
    { name: 'delta', egressCIDRs: [], gates: [{ tenant: 'acme', direction: 'egress', ports: [] }] },
  ],
  services: [
    {
      name: 'dns',
      direction: 'egress',
      namespace: 'kube-system',
      podSelector: { matchLabels: { app: 'dns' } },
      ports: [{ port: 53 }],
      addresses: ['169.254.20.10/32'],
    },
  ],
  protectedRanges: [
    { name: 'pods', cidr: '10.0.0.0/8' },
    { name: 'metadata', cidr: '169.254.0.0/16' },
  ],
  unlistedFamilies: [],
};

function pod(namespace: Record<string, string>, labels: Record<string, string> = {}): Party {
  const named = { [nameLabel]: 'somewhere', ...namespace };
  return { kind: 'pod', namespace: new Map(Object.entries(named)), pod: new Map(Object.entries(labels)) };
}
function at(text: string): Party {
  const address = readAddress(text);
  if (address === undefined) throw new Error(text);
  return { kind: 'address', address };
}

t.test('it shares no code with what it judges', (t) => {
  for (const name of ['evaluator', 'evaluator-addresses', 'universe', 'wrong-places', 'read-witness']) {
    const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8');
    t.notMatch(source, /from '\.\.\//, name);
  }
  t.end();
});

t.test('a peer matches whom the API says it matches', (t) => {
  const expression = (operator: string, ...values: string[]) => ({
    namespaceSelector: { matchExpressions: [{ key: 'env', operator, values }] },
  });
  const own = pod({ [nameLabel]: 'acme-web' }, { app: 'x' });
  const table: readonly [string, WrittenPeer | undefined, Party, boolean][] = [
    ['no peers are everybody', undefined, pod({}), true],
    ['also outside the cluster', undefined, at('203.0.113.1'), true],
    ['podSelector alone is the own namespace', { podSelector: {} }, own, true],
    ['and no other', { podSelector: {} }, pod({}), false],
    ['podSelector selects', { podSelector: { matchLabels: { app: 'y' } } }, own, false],
    ['an empty namespaceSelector is every namespace', { namespaceSelector: {} }, pod({}), true],
    ['but no address', { namespaceSelector: {} }, at('203.0.113.1'), false],
    ['both selectors must match', { namespaceSelector: {}, podSelector: { matchLabels: { app: 'y' } } }, own, false],
    ['In', expression('In', 'x', 'y'), pod({ env: 'y' }), true],
    ['In without the label', expression('In', 'x'), pod({}), false],
    ['NotIn', expression('NotIn', 'x'), pod({ env: 'x' }), false],
    ['NotIn without the label', expression('NotIn', 'x'), pod({}), true],
    ['Exists', expression('Exists'), pod({ env: '' }), true],
    ['Exists without the label', expression('Exists'), pod({}), false],
    ['DoesNotExist', expression('DoesNotExist'), pod({ env: 'x' }), false],
    ['DoesNotExist without the label', expression('DoesNotExist'), pod({}), true],
    ['ipBlock', { ipBlock: { cidr: '10.0.0.0/30' } }, at('10.0.0.3'), true],
    ['beyond an ipBlock', { ipBlock: { cidr: '10.0.0.0/30' } }, at('10.0.0.4'), false],
    ['except', { ipBlock: { cidr: '10.0.0.0/30', except: ['10.0.0.2/31'] } }, at('10.0.0.2'), false],
    ['beside an except', { ipBlock: { cidr: '10.0.0.0/30', except: ['10.0.0.2/31'] } }, at('10.0.0.1'), true],
    ['NAT64', { ipBlock: { cidr: '64:ff9b::a00:0/120' } }, at('10.0.0.255'), true],
    ['IPv4 in IPv6', { ipBlock: { cidr: '::fffe:0:0/95' } }, at('10.0.0.255'), true],
    ['an ipBlock is no pod', { ipBlock: { cidr: '0.0.0.0/0' } }, pod({}), false],
  ];
  for (const [sentence, peer, party, matches] of table) t.equal(letsParty(peer, party, world), matches, sentence);
  t.end();
});

t.test('ports match what the API says they match', (t) => {
  const table: readonly [string, Parameters<typeof letsPort>[0], boolean][] = [
    ['none', undefined, true],
    ['an empty list', [], true],
    ['the number', [{ port: 53 }], true],
    ['of another protocol', [{ port: 53, protocol: 'UDP' }], false],
    ['a range', [{ port: 1, endPort: 53 }], true],
    ['a range before', [{ port: 1, endPort: 52 }], false],
    ['a protocol', [{ protocol: 'TCP' }], true],
    ['a name', [{ port: 'http' }], true],
    ['a name of another protocol', [{ port: 'http', protocol: 'UDP' }], true],
  ];
  for (const [sentence, ports, open] of table) t.equal(letsPort(ports, tcp53), open, sentence);
  t.end();
});

t.test('policyTypes decide which rules the API reads, and every rule counts', (t) => {
  const read = (spec: object) =>
    (['ingress', 'egress'] as const).map((direction) => isRead({ ingress: [{}], egress: [{}], ...spec }, direction));
  t.same(read({}), [true, true]);
  t.same(read({ policyTypes: [] }), [true, true]);
  t.same(read({ policyTypes: ['Ingress'] }), [true, false]);
  t.same(read({ policyTypes: ['Egress'] }), [false, true]);
  t.same(read({ egress: [] }), [true, false]);
  t.same(rulesOf({ policyTypes: ['Egress'], ingress: [{}] }, 'ingress'), [{}]);
  t.same(rulesOf({ egress: [] }, 'egress'), []);
  t.end();
});

t.test('a foreigner is who is neither own, nor shared, nor agreed', (t) => {
  const out = 'egress';
  const dns = pod({ [nameLabel]: 'kube-system' }, { app: 'dns' });
  const table: readonly [string, Party, number, 'ingress' | 'egress', boolean][] = [
    ['an own pod', pod({ tenant: 'acme' }), 80, out, false],
    ['a pod without owner', pod({}), 80, out, true],
    ['a pod of an undeclared tenant', pod({ tenant: 'nobody' }), 5, out, true],
    ['both halves of a gate', pod({ tenant: 'beta' }), 5, out, false],
    ['one half', pod({ tenant: 'beta' }), 4, out, true],
    ['the other half', pod({ tenant: 'beta' }), 6, out, true],
    ['the other direction', pod({ tenant: 'beta' }), 5, 'ingress', true],
    ['an expired gate', pod({ tenant: 'gamma' }), 5, out, true],
    ['two halves of the same direction', pod({ tenant: 'delta' }), 5, out, true],
    ['a shared service', dns, 53, out, false],
    ['on another port', dns, 54, out, true],
    ['in the other direction', dns, 53, 'ingress', true],
    ['its neighbour', pod({ [nameLabel]: 'kube-system' }, { app: 'x' }), 53, out, true],
    ['its address', at('169.254.20.10'), 53, out, false],
    ['on another port', at('169.254.20.10'), 54, out, true],
    ['a protected address', at('10.9.9.9'), 53, 'ingress', true],
    ['any other coming in', at('198.51.100.1'), 53, 'ingress', false],
    ['and going out', at('198.51.100.1'), 53, out, true],
    ['a granted one', at('203.0.113.255'), 53, out, false],
  ];
  for (const [sentence, party, port, direction, foreign] of table) {
    t.equal(isForeign(party, { protocol: 'TCP', port }, direction, world), foreign, sentence);
  }
  t.ok(
    isForeign(at('198.51.100.1'), tcp53, 'ingress', { ...world, unlistedFamilies: [4] }),
    'where ranges are unknown',
  );
  t.end();
});

t.test('a reserved name is the tenant’s in every world', (t) => {
  const table: readonly [string, Record<string, string>, boolean][] = [
    ['the own namespace', { [nameLabel]: 'acme-web', tenant: 'acme' }, true],
    ['owned by another', { [nameLabel]: 'acme-web', tenant: 'beta' }, false],
    ['a reserved name of nobody', { [nameLabel]: 'acme-db' }, false],
    ['any other', { [nameLabel]: 'acme', tenant: 'beta' }, true],
    ['what is no name', { [nameLabel]: 'Not_a_name' }, false],
  ];
  for (const [sentence, labels, possible] of table)
    t.equal(canBe(new Map(Object.entries(labels)), world), possible, sentence);
  t.end();
});

t.test('only the one spelling of a range is read', (t) => {
  const wrong = [
    '010.0.0.0/8',
    '10.0.0.5/8',
    '10.0.0.0/08',
    '10.0.0.0',
    '10.0.0.0/33',
    '::ffff:a00:0/104',
    '2001:DB8::/32',
  ];
  const more = ['2001:db8:0::/48', 'fe80::%eth0/64', ' 10.0.0.0/8', '::1.2.3.4/128', '1.2.3/24', '::/129', ''];
  for (const text of [...wrong, ...more]) t.equal(readBlock(text), undefined, text);
  t.same(readBlock('10.0.0.0/8'), { family: 4, first: 0x0a000000n, last: 0x0affffffn });
  t.same(readBlock('2001:db8::/32'), { family: 6, first: 0x20010db8n << 96n, last: (0x20010db9n << 96n) - 1n });
  t.same(readBlock('::1/128'), { family: 6, first: 1n, last: 1n });
  t.end();
});

t.test('samples hold an address on both sides of every end', (t) => {
  const block = readBlock('64:ff9b::a00:4/126');
  const found = samples(block ? [block] : []).filter(({ family }) => family === 4);
  for (const value of [0x0a000003n, 0x0a000004n, 0x0a000007n, 0x0a000008n, 0n, 0xffffffffn]) {
    t.match(found, { [found.findIndex((one) => one.value === value)]: { value } }, value.toString(16));
  }
  t.end();
});

t.test('trying everything finds who gets through', (t) => {
  const trial = (peer: WrittenPeer, ports: object[] = []) => {
    const { matched, agreed, crossing } = tryEverything(peer, { ports }, 'egress', world);
    return [matched, agreed, crossing !== undefined];
  };
  const tenants = (...values: string[]) => ({
    namespaceSelector: { matchExpressions: [{ key: 'tenant', operator: 'In', values }] },
  });
  t.same(trial(tenants('acme')), [true, false, false]);
  t.same(trial(tenants('beta'), [{ port: 5 }]), [true, true, false]);
  t.same(trial(tenants('beta'), [{ port: 5, endPort: 6 }]), [true, true, true]);
  t.same(trial(tenants('not a value!')), [false, false, false]);
  t.same(trial({ namespaceSelector: { matchLabels: { [nameLabel]: 'acme-db' } } }), [true, false, false]);
  t.same(trial({ namespaceSelector: { matchLabels: { [nameLabel]: 'web' } } }), [true, false, true]);
  t.same(trial({ ipBlock: { cidr: '203.0.113.0/24' } }), [true, false, false]);
  t.same(trial({ ipBlock: { cidr: '203.0.112.0/23' } }), [true, false, true]);
  t.end();
});

t.test('what is wrong in a policy is found where it is', (t) => {
  const peer = (from: unknown) =>
    wrongPlaces(JSON.parse(JSON.stringify({ ingress: [{ from: [{ podSelector: {} }, from] }] })));
  const at = ['spec.ingress[0].from[1]'];
  const wrong = [
    {},
    { ipBlock: { cidr: '10.0.0.0' } },
    { ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } },
    { ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/9'] } },
    { ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} },
    { podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    { podSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] } },
    { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Equals', values: ['x'] }] } },
    { serviceAccounts: {} },
  ];
  for (const one of wrong) t.same(peer(one), at, JSON.stringify(one));
  t.same(peer({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/9'] }, podSelector: null }), []);
  const ports = (...list: object[]) => wrongPlaces({ ingress: [{ ports: list }] });
  for (const port of [
    { port: '80' },
    { port: 0 },
    { port: 3, endPort: 2 },
    { port: 'a', endPort: 2 },
    { protocol: 'IP' },
  ]) {
    t.same(ports({ port: 1 }, port), ['spec.ingress[0].ports'], JSON.stringify(port));
  }
  t.same(ports({}, { port: 'http' }, { port: 1, endPort: 1 }), []);
  t.same(
    wrongPlaces({ policyTypes: ['Egress'], ingress: [{ ports: [{ port: 0 }] }] }),
    ['spec.ingress[0].ports'],
    'rules that the API never reads are looked at',
  );
  t.end();
});

t.test('a witness is somebody who can be, gets through, and must not', (t) => {
  const everywhere = { namespaceSelector: {}, podSelector: { matchLabels: { app: 'x' } } };
  const block = { ipBlock: { cidr: '64:ff9b::a00:0/104', except: ['64:ff9b::a00:0/105'] } };
  const table: readonly [string | undefined, WrittenPeer | undefined, string | undefined][] = [
    ['a pod with the label app=x in a namespace with the label tenant=not-acme', everywhere, undefined],
    ['a pod with the label app=x in a namespace without the label tenant', everywhere, undefined],
    [
      'a pod with the label app=x in a namespace without the label tenant, with the labels a=b, c=d',
      everywhere,
      undefined,
    ],
    ['a pod in a namespace with the label tenant=not-acme', undefined, undefined],
    ['a namespace with the label tenant=not-acme', everywhere, 'is not matched by the peer'],
    [
      'a pod with the label app=x in a namespace with the label tenant=acme',
      everywhere,
      'is no foreigner on these ports',
    ],
    [
      `a pod with the label app=x in a namespace with the labels tenant=beta, ${nameLabel}=acme-db`,
      everywhere,
      'cannot be',
    ],
    ['the address 64:ff9b::a80:1, which stands for 10.128.0.1', block, undefined],
    ['the address 64:ff9b::a80:1, which stands for 10.128.0.2', block, 'stands for another address'],
    ['the address 10.128.0.1', block, 'is not spelled as the peer covers it'],
    ['the address 10.0.0.1', block, 'is not matched by the peer'],
    ['the address 10.0.0.300', block, 'cannot be read'],
    ['a pod of the cluster other in the same mesh', everywhere, 'is not matched by the peer'],
    [
      'a pod of the cluster other in the same mesh',
      { podSelector: { matchLabels: { 'io.cilium.k8s.policy.cluster': 'other' } } },
      undefined,
    ],
    ['a namespace with the labels a=1, b=2, c=3, d=4, e=5, tenant=x and 2 more', everywhere, 'cannot be read'],
    ['somebody', everywhere, 'cannot be read'],
    [undefined, everywhere, 'cannot be read'],
  ];
  for (const [sentence, peer, flaw] of table) {
    t.equal(flawOfWitness(sentence, peer, {}, 'egress', world), flaw, `${sentence} ${flaw ?? 'is one'}`);
  }
  t.equal(readWitness('a namespace without the label tenant, with the labels tenant=x'), undefined, 'with and without');
  t.end();
});
