/**
 * Random policies for a world: bent towards what is nearly contained, such as the ports of a gate, the pods of a shared service,
 * and everything but what is protected; with some mistakes that the API or a strict reader refuses.
 */
import fc from 'fast-check';
import {
  type Direction,
  nameLabel,
  notInternet,
  type World,
  type WrittenPeer,
  type WrittenPort,
  type WrittenRule,
  type WrittenSelector,
  type WrittenSpec,
} from './evaluator.ts';
import { readBlock } from './evaluator-addresses.ts';
import { app, nearlyProtected, numericPort, protectedIn, smallBlock, writeBlock } from './search-worlds.ts';

/** What becomes of a choice once the world is known. */
type Recipe<Value> = (world: World, direction: Direction) => Value;
type Requirement = NonNullable<WrittenSelector['matchExpressions']>[number];

const operator = fc.constantFrom('In', 'In', 'NotIn', 'Exists', 'DoesNotExist');

function requirement(key: string, values: readonly string[]): fc.Arbitrary<Requirement> {
  return fc
    .tuple(operator, fc.subarray([...values], { minLength: 1, maxLength: Math.min(3, values.length) }), fc.boolean())
    .map(([operator, list, bare]) =>
      operator.endsWith('In') ? { key, operator, values: list } : { key, operator, ...(bare ? {} : { values: [] }) },
    );
}

const tenantValues = ['acme', 'beta', 'gamma', 'nobody', 'not-acme', 'ACME', 'not valid!'];
const namespaceNames = [
  'acme-web',
  'acme-db',
  'beta-db',
  'web',
  'web',
  'web',
  'cart',
  'kube-system',
  'infra',
  'Not_a_name',
];
const tenantLabelKey = 'the tenant label';

const pinned = fc.oneof(
  { weight: 4, arbitrary: fc.constant(['acme']) },
  { weight: 3, arbitrary: fc.subarray(['acme', 'beta', 'gamma'], { minLength: 1, maxLength: 2 }) },
);
const namespaceRequirement: fc.Arbitrary<Requirement> = fc.oneof(
  { weight: 5, arbitrary: pinned.map((values) => ({ key: tenantLabelKey, operator: 'In', values })) },
  { weight: 2, arbitrary: requirement(tenantLabelKey, tenantValues) },
  {
    weight: 3,
    arbitrary: fc
      .subarray(['acme-web', 'acme-db', 'kube-system', 'infra'], { minLength: 1, maxLength: 2 })
      .map((values) => ({ key: nameLabel, operator: 'In', values })),
  },
  {
    weight: 3,
    arbitrary: fc
      .subarray(['web', 'shop', 'acme-db'], { minLength: 1, maxLength: 2 })
      .map((values) => ({ key: nameLabel, operator: 'In', values })),
  },
  { weight: 3, arbitrary: requirement(nameLabel, namespaceNames) },
  { weight: 2, arbitrary: requirement('env', ['x', 'y']) },
  { weight: 1, arbitrary: requirement('group', ['', 'in', 'y']) },
  {
    weight: 2,
    arbitrary: fc.subarray(['', 'in'], { minLength: 1 }).map((values) => ({ key: 'group', operator: 'In', values })),
  },
);
const podRequirement = fc.oneof(
  { weight: 3, arbitrary: requirement('app', ['x', 'y']) },
  { weight: 1, arbitrary: requirement('role', ['x', 'y']) },
);

/** Whatever can be a matchLabel may be written as one. */
function selector(requirements: fc.Arbitrary<Requirement>, maxLength: number): fc.Arbitrary<Recipe<WrittenSelector>> {
  return fc.tuple(fc.array(requirements, { maxLength }), fc.boolean()).map(([list, short]) => ({ tenantLabel }) => {
    const matchLabels: Record<string, string> = {};
    const matchExpressions: Requirement[] = [];
    for (const { key: written, operator, values } of list) {
      const key = written === tenantLabelKey ? tenantLabel : written;
      const [value, ...more] = values ?? [];
      if (short && operator === 'In' && value !== undefined && more.length === 0 && !Object.hasOwn(matchLabels, key)) {
        matchLabels[key] = value;
      } else matchExpressions.push({ key, operator, ...(values && { values }) });
    }
    if (matchExpressions.length === 0) return { matchLabels };
    return short ? { matchLabels, matchExpressions } : { matchExpressions };
  });
}
export const namespaceSelector = selector(namespaceRequirement, 3);
const podSelector = selector(podRequirement, 2);

const selectorPeer: fc.Arbitrary<Recipe<WrittenPeer>> = fc
  .tuple(namespaceSelector, podSelector, fc.constantFrom('namespaces', 'namespaces', 'both', 'both', 'pods'))
  .map(([namespaces, pods, kind]) => (world, direction) => ({
    ...(kind !== 'pods' && { namespaceSelector: namespaces(world, direction) }),
    ...(kind !== 'namespaces' && { podSelector: pods(world, direction) }),
  }));

const wideBlocks = [
  ...['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1', '10.0.0.0/8', '10.0.0.0/27', '169.254.169.254/32', '203.0.113.0/24'],
  ...['::/0', '::/1', '2000::/3', '2001:db8::/32', '64:ff9b::/96', '::fffe:0:0/95', '64:ff9b::a9fe:a9fe/128'],
  ...['::fffe:0:0/96', '9.255.255.0/24', '10.0.0.32/27', '2001:db8::20/123', '203.0.113.7/32'],
];
const block = fc.oneof({ weight: 2, arbitrary: smallBlock }, { weight: 1, arbitrary: fc.constantFrom(...wideBlocks) });

/** Those that may stand beside the cidr as an except. */
function partsOf(cidr: string, candidates: readonly string[]): string[] {
  const whole = readBlock(cidr);
  return candidates.filter((text) => {
    const part = readBlock(text);
    if (whole === undefined || part === undefined || part.family !== whole.family) return false;
    const inside = whole.first <= part.first && part.last <= whole.last;
    return inside && part.last - part.first < whole.last - whole.first;
  });
}

const anyBlock: fc.Arbitrary<Recipe<WrittenPeer>> = fc
  .tuple(block, fc.array(block, { maxLength: 4 }), fc.constantFrom(undefined, null, 'list', 'list', 'list'))
  .map(([cidr, excepts, form]) => () => ({
    ipBlock: { cidr, ...(form !== undefined && { except: form && partsOf(cidr, excepts) }) },
  }));
const halvedBlock: fc.Arbitrary<Recipe<WrittenPeer>> = fc
  .tuple(fc.constantFrom('ipv4', 'nat64', 'ipv6'), fc.nat(15), fc.integer({ min: 0, max: 3 }), fc.boolean())
  .map(([place, at, bits, first]) => () => {
    const start = ((at << 1) >> (bits + 1)) << (bits + 1);
    const halves = [start, start + (1 << bits)].map((half) => writeBlock(place, half, bits));
    return { ipBlock: { cidr: writeBlock(place, start, bits + 1), except: first ? halves.slice(0, 1) : halves } };
  });
/** The internet, or that and one mistake. */
const internetBlock: fc.Arbitrary<Recipe<WrittenPeer>> = fc
  .tuple(fc.constantFrom<4 | 6>(4, 6), fc.nat(16))
  .map(([family, forgotten]) => (world) => {
    const cidr = family === 4 ? '0.0.0.0/0' : '2000::/3';
    const parts = partsOf(cidr, [...notInternet(world).filter((text) => text.includes(':') === (family === 6))]);
    return { ipBlock: { cidr, except: parts.filter((_, index) => index !== forgotten) } };
  });
/** All but what is protected, or all but that and one mistake. */
const carefulBlock: fc.Arbitrary<Recipe<WrittenPeer>> = fc
  .tuple(fc.constantFrom('0.0.0.0/0', '10.0.0.0/8', '10.0.0.0/27', '2000::/3', '2001:db8::/123'), fc.nat(30))
  .map(([cidr, forgotten]) => (world) => {
    const parts = partsOf(cidr, protectedIn(world, cidr.includes(':') ? 6 : 4));
    return { ipBlock: { cidr, except: parts.filter((_, index) => index !== forgotten) } };
  });
const grantedBlock: fc.Arbitrary<Recipe<WrittenPeer>> = fc
  .tuple(fc.nat(3), smallBlock)
  .map(([index, other]) => (world) => {
    const granted = world.tenants.flatMap(({ egressCIDRs, egress = [], vouched = [] }) => [
      ...[...vouched, ...egress].map(({ cidr }) => (cidr === 'internet' ? '0.0.0.0/0' : cidr)),
      ...egressCIDRs,
    ]);
    const near = nearlyProtected(world);
    // As random as the other block is.
    const at = Number((readBlock(other)?.first ?? 0n) % BigInt(near.length + 4));
    const cidr = granted[index] ?? near[at] ?? other;
    return { ipBlock: { cidr, except: partsOf(cidr, protectedIn(world, cidr.includes(':') ? 6 : 4)) } };
  });

const wrongPeer: fc.Arbitrary<Recipe<WrittenPeer>> = fc
  .constantFrom<WrittenPeer[]>(
    {},
    { podSelector: null, ipBlock: null },
    { podSelector: {}, ipBlock: { cidr: '203.0.113.0/24' } },
    ...[
      ...['010.0.0.0/8', '10.0.0.5/8', '10.0.0.0/08', '10.0.0.1', '::ffff:10.0.0.0/104', '::ffff:a00:0/104'],
      ...[
        '2001:DB8::/32',
        '2001:db8:0::/48',
        'fe80::%eth0/64',
        ' 10.0.0.0/8',
        '10.0.0.0/33',
        'everything',
        '0.0.0.0/00',
      ],
    ].map((cidr) => ({ ipBlock: { cidr } })),
    ...['10.0.0.0/8', '11.0.0.0/16', '2001:db8::/64', '10.0.0.5/16', '010.1.0.0/16'].map((except) => ({
      ipBlock: { cidr: '10.0.0.0/8', except: [except] },
    })),
    ...(['In', 'NotIn'] as const).map((operator) => ({
      namespaceSelector: { matchExpressions: [{ key: 'env', operator, values: [] }] },
    })),
    ...['Exists', 'in', 'Gt'].map((operator) => ({
      podSelector: { matchExpressions: [{ key: 'app', operator, values: ['x'] }] },
    })),
  )
  .map((peer) => () => peer);
const wrongPort = fc.constantFrom<WrittenPort[]>(
  { port: '80' },
  { port: 'http', endPort: 90 },
  { port: 3, endPort: 2 },
  { endPort: 9 },
  { port: 0 },
  { port: 65536 },
  { protocol: 'ICMP' },
  { port: 'Upper' },
);

const peer: fc.Arbitrary<Recipe<WrittenPeer>> = fc.oneof(
  { weight: 30, arbitrary: selectorPeer },
  { weight: 6, arbitrary: anyBlock },
  { weight: 2, arbitrary: halvedBlock },
  { weight: 4, arbitrary: carefulBlock },
  { weight: 5, arbitrary: grantedBlock },
  { weight: 1, arbitrary: internetBlock },
  { weight: 2, arbitrary: wrongPeer },
);

const namedPort = fc.record({ protocol: fc.constantFrom('TCP', 'UDP'), port: fc.constantFrom('http', 'dns') });
const somePorts = fc.array(fc.oneof({ weight: 8, arbitrary: numericPort }, { weight: 1, arbitrary: namedPort }), {
  maxLength: 3,
});

/** Ports that a door opens: as they are, or all between the first and the last as one range, or by a name. */
function reshape(ports: readonly WrittenPort[], form: Form): readonly WrittenPort[] {
  const [{ protocol = 'TCP' } = {}] = ports;
  if (form === 'as they are' || ports.length === 0 || ports.some(({ port }) => typeof port === 'string')) return ports;
  if (form === 'by a name') return [{ protocol, port: 'http' }];
  const same = ports.filter((one) => (one.protocol ?? 'TCP') === protocol);
  const ends = same.flatMap(({ port, endPort }) => [port ?? 1, endPort ?? port ?? 65535].map(Number));
  return [{ protocol, port: Math.min(...ends), endPort: Math.max(...ends) }];
}
type Form = 'as they are' | 'as one range' | 'by a name';
const form = fc.constantFrom<Form[]>('as they are', 'as they are', 'as they are', 'as one range', 'by a name');

/** Ports of some gate or shared service; else others. */
const ports: fc.Arbitrary<Recipe<readonly WrittenPort[] | null | undefined>> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(undefined, undefined, null, []).map((ports) => () => ports) },
  { weight: 5, arbitrary: somePorts.map((ports) => () => ports) },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.nat(5), somePorts, form).map(([index, others, form]) => (world: World) => {
      const { tenants, services, requests = [] } = world;
      const known = [...services, ...tenants.flatMap(({ gates }) => gates), ...requests].map((one) => one.ports);
      return reshape(known[index] ?? others, form);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(somePorts, wrongPort).map(([ports, wrong]) => () => [...ports, wrong]),
  },
);

/** The pods of a shared service, and sometimes more of them or fewer ports. */
const servedRule: fc.Arbitrary<Recipe<WrittenRule>> = fc
  .tuple(fc.nat(2), podSelector, fc.nat(3), fc.boolean(), form, fc.boolean())
  .map(([index, pods, kind, byAddress, form, byLabel]) => (world, direction) => {
    const services = world.services.filter((service) => service.direction === direction);
    const service = services[index] ?? services[0];
    const [address] = service?.addresses ?? [];
    const name = service?.namespace ?? world.namespace;
    const labelled = Object.entries(world.trusted ?? {}).flatMap(([key, values]) =>
      Object.entries(values).flatMap(([value, names]) => (names.includes(name) ? [{ [key]: value }] : [])),
    );
    const namespaceSelector = { matchLabels: (byLabel ? labelled[0] : undefined) ?? { [nameLabel]: name } };
    const podSelector = (kind === 0 ? undefined : service?.podSelector) ?? pods(world, direction);
    const peer = byAddress && address ? { ipBlock: { cidr: address } } : { namespaceSelector, podSelector };
    const [endpoint] = service?.endpoints ?? [];
    if (kind === 2 && endpoint) {
      return writeRule(direction, [{ ipBlock: { cidr: endpoint.cidr } }], reshape(endpoint.ports, form));
    }
    const written = (kind === 1 ? services.flatMap(({ ports }) => ports) : service?.ports) ?? [];
    return writeRule(direction, [peer], reshape(written, form));
  });

/** Both halves of a gate, or nearly. */
const gatedRule: fc.Arbitrary<Recipe<WrittenRule>> = fc
  .tuple(fc.nat(2), fc.constantFrom(0, 1, 1), fc.boolean(), form)
  .map(([index, side, withOwn, form]) => ({ tenantLabel, tenants, requests = [] }, direction) => {
    const asked = requests.filter(({ from }) => from === 'acme');
    const gates = [...asked, ...(tenants[0]?.gates ?? [])].filter((gate) => gate.direction === direction);
    const gate = gates[index] ?? gates[0];
    const other = gate?.tenant ?? 'beta';
    const theirs =
      requests.find(({ from, tenant }) => from === other && tenant === 'acme') ??
      tenants.find(({ name }) => name === other)?.gates[0];
    const values = [other, ...(withOwn ? ['acme'] : [])];
    const namespaceSelector = { matchExpressions: [{ key: tenantLabel, operator: 'In', values }] };
    return writeRule(direction, [{ namespaceSelector }], reshape((side === 0 ? theirs : gate)?.ports ?? [], form));
  });

const freeRule: fc.Arbitrary<Recipe<WrittenRule>> = fc
  .tuple(
    fc.oneof(
      { weight: 12, arbitrary: fc.array(peer, { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constantFrom(undefined, null, []) },
    ),
    ports,
  )
  .map(([peers, ports]) => (world, direction) => {
    const written = ports(world, direction);
    return writeRule(direction, peers && [...peers].map((recipe) => recipe(world, direction)), written);
  });

function writeRule(
  direction: Direction,
  peers: readonly WrittenPeer[] | null | undefined,
  ports: readonly WrittenPort[] | null | undefined,
): WrittenRule {
  return {
    ...(peers !== undefined && { [direction === 'ingress' ? 'from' : 'to']: peers }),
    ...(ports !== undefined && { ports }),
  };
}

const rule = fc.oneof(
  { weight: 5, arbitrary: freeRule },
  { weight: 1, arbitrary: servedRule },
  { weight: 1, arbitrary: gatedRule },
);
const rules = fc.oneof(
  { weight: 5, arbitrary: fc.array(rule, { minLength: 1, maxLength: 2 }) },
  { weight: 3, arbitrary: fc.constantFrom<(undefined | null | [])[]>(undefined, undefined, undefined, null, []) },
);
const policyTypes = fc.oneof(
  { weight: 8, arbitrary: fc.constant(['Ingress', 'Egress']) },
  { weight: 3, arbitrary: fc.constantFrom(['Ingress'], ['Egress']) },
  { weight: 4, arbitrary: fc.constantFrom<(undefined | null | [])[]>(undefined, null, []) },
  { weight: 1, arbitrary: fc.constantFrom(['Both'], ['Ingress', 'egress']) },
);

/** Of the policy: mostly some pods, now and then none that can be. */
const subject: fc.Arbitrary<Recipe<WrittenSelector | null>> = fc.oneof(
  { weight: 8, arbitrary: app.map((value) => () => ({ matchLabels: { app: value } })) },
  { weight: 1, arbitrary: fc.constantFrom({}, null).map((written) => () => written) },
  { weight: 2, arbitrary: podSelector },
);

export const policy: fc.Arbitrary<(world: World) => WrittenSpec> = fc
  .record({ podSelector: subject, policyTypes, ingress: rules, egress: rules })
  .map(({ podSelector, policyTypes, ingress, egress }) => (world) => ({
    podSelector: podSelector(world, 'ingress'),
    ...(policyTypes !== undefined && { policyTypes }),
    ...(ingress !== undefined && { ingress: ingress?.map((recipe) => recipe(world, 'ingress')) ?? null }),
    ...(egress !== undefined && { egress: egress?.map((recipe) => recipe(world, 'egress')) ?? null }),
  }));
