/**
 * Random tenants, gates, shared services and addresses: a small world, so that things meet, and bent towards what is nearly
 * agreed. A world goes to the evaluator as it is written and to Bulkhead as the documents that say the same.
 */
import fc from 'fast-check';
import { agree, type StoredRequest, withAgreed } from '../../src/gates/agreement.ts';
import { parseGateRequest } from '../../src/gates/parse-gate-request.ts';
import type { Border } from '../../src/reach/violation.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { parseTenant } from '../../src/tenancy/parse-tenant.ts';
import { type Loaded, unlined } from '../../src/tenancy/problem.ts';
import { createTenancy } from '../../src/tenancy/tenancy.ts';
import {
  type Direction,
  known,
  type World,
  type WrittenEgress,
  type WrittenGate,
  type WrittenPort,
  type WrittenRequest,
  type WrittenSelector,
  type WrittenTrusted,
  type WrittenVouched,
} from './evaluator.ts';
import { type Block, destination } from './evaluator-addresses.ts';

export const now = Date.UTC(2027, 0, 1);

/** Where each cloud has its metadata services beside those on the link (docs/settings.md). */
const metadataOf: Readonly<Record<string, readonly string[]>> = {
  aws: ['fd00:ec2::254/128', 'fd00:ec2::23/128'],
  azure: ['168.63.129.16/32'],
  alibaba: ['100.100.100.200/32', 'fd00:100::100:200/128'],
  gcp: ['fd20:ce::254/128'],
  linode: ['fd00:a9fe:a9fe::1/128'],
  oracle: ['fd00:c1::a9fe:a9fe/128'],
  scaleway: ['fd00:42::42/128'],
};
const ofEveryCloud = Object.values(metadataOf).flat();
const ofTheLink = ['169.254.0.0/16', 'fe80::/10'];

/** What Bulkhead protects where the settings say nothing of it (docs/settings.md). */
export const alwaysProtected = [...ofTheLink, ...ofEveryCloud];

function protectedOn(cloud: string | undefined): readonly string[] {
  return cloud === undefined || cloud === 'all' ? alwaysProtected : [...ofTheLink, ...(metadataOf[cloud] ?? [])];
}

export const direction = fc.constantFrom<Direction>('ingress', 'egress');
export const app = fc.constantFrom('x', 'y');

/** A part of one of three places of 32 addresses: IPv4, the same behind NAT64, and IPv6. */
export const smallBlock = fc
  .tuple(fc.nat(31), fc.constantFrom(0, 1, 1, 2, 3, 4, 5), fc.constantFrom('ipv4', 'ipv4', 'nat64', 'ipv6'))
  .map(([at, bits, place]) => writeBlock(place, (at >> bits) << bits, bits));

export function writeBlock(place: string, at: number, bits: number): string {
  if (place === 'ipv4') return `10.0.0.${at}/${32 - bits}`;
  const last = at.toString(16);
  if (place === 'nat64') return `64:ff9b::a00:${last}/${128 - bits}`;
  return `2001:db8::${at === 0 ? '' : last}/${128 - bits}`;
}

const number = fc.integer({ min: 1, max: 4 });
const protocol = fc.constantFrom('TCP', 'TCP', 'UDP', 'SCTP');
export const numericPort: fc.Arbitrary<WrittenPort> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ protocol, port: number }) },
  { weight: 1, arbitrary: fc.record({ port: number }) },
  { weight: 1, arbitrary: fc.record({ protocol, port: fc.constant(53) }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(protocol, number, number)
      .map(([protocol, a, b]) => ({ protocol, port: Math.min(a, b), endPort: Math.max(a, b) })),
  },
  { weight: 1, arbitrary: fc.record({ protocol }) },
  { weight: 1, arbitrary: fc.record({ protocol, port: fc.constant(1), endPort: fc.constantFrom(65534, 65535) }) },
);
const openPorts = fc.oneof(
  { weight: 1, arbitrary: fc.constant<WrittenPort[]>([]) },
  { weight: 2, arbitrary: fc.array(numericPort, { minLength: 1, maxLength: 3 }) },
);

const open = ['2027-01-01T00:00:01Z', '2026-12-31T23:30:00-01:00'];
const expired = ['2027-01-01T00:00:00Z', '2026-12-31T23:59:59Z', '2027-01-01T01:30:00+02:00'];
const expiry = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom(...open) },
  { weight: 1, arbitrary: fc.constantFrom(...expired) },
);

/** Other clusters of the mesh for which something is granted, too. */
const clusters = fc.constantFrom(undefined, undefined, undefined, ['elsewhere'], ['elsewhere', 'west'], ['west']);

/** What two tenants agree on, or nearly. */
const agreement = fc.record({
  other: fc.constantFrom('beta', 'gamma'),
  direction,
  halves: fc.constantFrom('both', 'both', 'both', 'own', 'theirs', 'same way'),
  ports: openPorts,
  theirPorts: fc.option(openPorts, { nil: undefined, freq: 2 }),
  expires: expiry,
  theirExpires: expiry,
  /** Who declares each half: two that differ never make a gate. */
  by: fc.constantFrom('platform', 'platform', 'platform', 'request'),
  theirBy: fc.constantFrom(undefined, undefined, undefined, 'platform', 'request'),
  /** Whose namespace a request was written in first. */
  label: fc.constantFrom(undefined, undefined, undefined, 'gamma', 'beta'),
  clusters,
});

const requestable = fc.record(
  {
    from: fc.constantFrom('tenants', 'tenants', 'tenants', 'platform'),
    ports: fc.oneof(
      fc.constant<WrittenPort[]>([{ protocol: 'TCP' }, { protocol: 'UDP' }, { protocol: 'SCTP' }]),
      fc.array(numericPort, { minLength: 1, maxLength: 3 }),
    ),
    between: fc.constantFrom(
      [{ tenants: ['acme', 'beta'] }],
      [{ tenants: ['acme', 'gamma'] }, { tenants: ['beta', 'gamma'] }],
    ),
  },
  { requiredKeys: ['from', 'ports'] },
);

/** What a name server listens on, and what looks like it. */
const namePorts: readonly WrittenPort[][] = [
  [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
  [{ protocol: 'UDP', port: 53, endPort: 53 }],
  [{ protocol: 'TCP', port: 53 }],
  [{ protocol: 'UDP', port: 4, endPort: 53 }],
];

const service = fc.record({
  direction,
  namespace: fc.constantFrom('kube-system', 'infra'),
  podSelector: fc.oneof<fc.Arbitrary<WrittenSelector>[]>(
    fc.constant({}),
    app.map((app) => ({ matchLabels: { app } })),
    fc.record({ app, role: app }).map((matchLabels) => ({ matchLabels })),
    fc
      .tuple(fc.constantFrom('In', 'NotIn'), app)
      .map(([operator, value]) => ({ matchExpressions: [{ key: 'app', operator, values: [value] }] })),
    fc.constantFrom('Exists', 'DoesNotExist').map((operator) => ({ matchExpressions: [{ key: 'app', operator }] })),
  ),
  ports: fc.oneof({ weight: 6, arbitrary: openPorts }, { weight: 1, arbitrary: fc.constantFrom(...namePorts) }),
  addresses: fc.array(smallBlock, { maxLength: 2 }),
  endpoints: fc.array(fc.record({ cidr: smallBlock, ports: fc.array(numericPort, { minLength: 1, maxLength: 2 }) }), {
    maxLength: 1,
  }),
  tenants: fc.constantFrom(undefined, undefined, ['acme'], ['acme', 'beta'], ['beta']),
  clusters,
  offer: fc.constantFrom('baseline', 'policy'),
  atAddresses: fc.boolean(),
});

const grant = fc.oneof<fc.Arbitrary<WrittenEgress>[]>(
  fc
    .tuple(smallBlock, fc.boolean(), openPorts)
    .map(([cidr, half, ports]) => ({ cidr, except: half ? firstHalf(cidr) : [], ports })),
  fc.record({
    cidr: fc.constantFrom('internet', '0.0.0.0/0', '2001:db8::/32'),
    except: fc.constant([]),
    ports: openPorts,
  }),
);

/** None, where it has one address alone. */
function firstHalf(cidr: string): readonly string[] {
  const { first, last } = known(cidr);
  const [address, bits] = cidr.split('/');
  return first === last ? [] : [`${address}/${Number(bits) + 1}`];
}

const vouched = fc.record({
  cidr: smallBlock,
  ports: fc.array(
    numericPort.filter((port) => !isEveryPort(port)),
    { minLength: 1, maxLength: 2 },
  ),
  direction,
  expires: expiry,
});

const trusted = fc.constantFrom<WrittenTrusted[]>(
  {},
  {},
  { group: { '': ['infra'], in: ['kube-system', 'infra'] } },
  { group: { '': ['kube-system', 'edge'] }, env: { x: ['kube-system'] } },
  { env: { x: ['infra'], y: ['kube-system'] } },
);

/** Shared services of whom Cilium has a name for. */
const entity = fc.record(
  {
    entity: fc.constantFrom('host', 'remote-node', 'kube-apiserver', 'ingress', 'health'),
    direction,
    ports: openPorts,
    tenants: fc.constantFrom(['acme'], ['acme'], ['beta']),
  },
  { requiredKeys: ['entity', 'direction', 'ports'] },
);
const dnsNames = fc.constantFrom<(readonly string[] | undefined)[]>(
  undefined,
  ['api.partner.example'],
  ['*.cdn.example'],
  ['**.cdn.example', 'api.partner.example'],
  ['a*.cdn.example', '*.partner.example'],
);

/** By labels of the tenant, in every way to write it. */
const tenantSelector = fc.constantFrom<WrittenSelector[]>(
  {},
  { matchLabels: { plan: 'gold' } },
  { matchLabels: { plan: 'gold', env: 'x' } },
  { matchLabels: { plan: 'gold' }, matchExpressions: [{ key: 'env', operator: 'NotIn', values: ['y'] }] },
  ...[['gold'], ['gold', 'silver']].flatMap((values) =>
    ['In', 'NotIn'].map((operator) => ({ matchExpressions: [{ key: 'plan', operator, values }] })),
  ),
  ...['Exists', 'DoesNotExist'].map((operator) => ({ matchExpressions: [{ key: 'env', operator }] })),
);
const selections = fc.array(fc.option(tenantSelector, { nil: undefined, freq: 2 }), { minLength: 5, maxLength: 5 });
const labels = fc.record(
  { plan: fc.constantFrom('gold', 'silver'), env: fc.constantFrom('x', 'y') },
  { requiredKeys: [] },
);

/** Near the ranges of the cluster, outside, and in the space that providers share; one of them behind NAT64. */
const outerRange = fc.oneof(
  smallBlock,
  fc.constantFrom('203.0.113.0/28', '198.18.0.0/15', '100.64.0.0/24', '100.127.255.255/32', '64:ff9b::6440:0/112'),
  fc.constantFrom('2001:db8:7::/64', 'fd00:77::/48'),
);

const network = fc.record({
  podCIDRs: fc.array(smallBlock, { minLength: 1, maxLength: 2 }),
  serviceCIDRs: fc.constantFrom(['192.0.2.0/24'], ['192.0.2.0/24', '2001:db8:5::/112']),
  nodeCIDRs: fc.oneof(
    fc.constant(['198.51.100.0/24']),
    smallBlock.map((block) => [block]),
  ),
  /** Families that the settings name. */
  ipFamilies: fc.constantFrom<readonly string[] | undefined>(undefined, ['IPv4'], ['IPv4', 'IPv6']),
  /** Whether each list has a range of IPv6. */
  dual: fc.boolean(),
  /** Left out when not undefined, so that the ranges of the cluster are not all known. */
  missing: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('podCIDRs', 'serviceCIDRs', 'nodeCIDRs') },
  ),
});

export const world: fc.Arbitrary<World> = fc
  .record({
    tenantLabel: fc.constantFrom('bulkhead.dev/tenant', 'tenant'),
    namespace: fc.constantFrom('acme-web', 'web'),
    prefix: fc.constantFrom('acme-', 'acme-', undefined),
    prefixes: fc.constantFrom(undefined, undefined, ['acm-', 'acme-'], ['a-'], ['acm-', 'a-', 'acme-web-']),
    names: fc.constantFrom(undefined, undefined, undefined, ['acme-db', 'shop'], ['db', 'a']),
    betaPrefix: fc.constantFrom('beta-', undefined),
    betaNames: fc.constantFrom(undefined, undefined, undefined, ['be', 'cart', 'beta-db']),
    trusted,
    misplaced: fc.constantFrom([], [], [], [], ['group'], ['env']),
    taken: fc.constantFrom([], [], [], ['acme-db'], ['shop'], ['db', 'a-db']),
    granted: fc.oneof(
      fc.array(smallBlock, { maxLength: 2 }),
      fc.constantFrom(['10.0.0.0/27'], ['64:ff9b::a00:0/123'], ['2001:db8::/123', '10.0.0.0/27']),
    ),
    grants: fc.array(grant, { maxLength: 2 }),
    vouched: fc.array(vouched, { maxLength: 2 }),
    agreements: fc.array(agreement, { maxLength: 3 }),
    requestable,
    services: fc.array(service, { maxLength: 3 }),
    network,
    clusters,
    clusterName: fc.constantFrom(undefined, 'here', 'here'),
    // Drawn last, so that the worlds of a seed stay as they are but for these.
    entities: fc.array(entity, { maxLength: 2 }),
    dnsNames,
    selections,
    labels,
    otherLabels: labels,
    loadBalancerCIDRs: fc.array(outerRange, { maxLength: 2 }),
    protectedCIDRs: fc.array(outerRange, { maxLength: 2 }),
    cloud: fc.constantFrom(undefined, undefined, 'all', 'none', 'none', ...Object.keys(metadataOf)),
  })
  .map((drawn): World => {
    const { tenantLabel, namespace, prefix, betaPrefix, taken, granted, grants, agreements, services, network } = drawn;
    const reserved = { ...(prefix && { prefix }), prefixes: drawn.prefixes ?? [], names: drawn.names ?? [] };
    const gates: Record<string, WrittenGate[]> = { acme: [], beta: [], gamma: [] };
    const requests: WrittenRequest[] = [];
    for (const { other, direction, halves, ports, theirPorts = ports, expires, theirExpires, ...one } of agreements) {
      const { by, theirBy = by, label, clusters } = one;
      const opposite = direction === 'ingress' ? 'egress' : 'ingress';
      const mirror = halves === 'same way' ? direction : opposite;
      const declare = (from: string, by: string, gate: WrittenGate) => {
        if (by === 'platform') gates[from]?.push(gate);
        else requests.push({ ...requested(gate), from, label: label === other ? from : (label ?? from) });
      };
      const reach = { ...(expires && { expires }), ...(clusters && by === 'platform' && { clusters }) };
      if (halves !== 'theirs') declare('acme', by, { tenant: other, direction, ports, ...reach });
      if (halves === 'own') continue;
      const theirs = { tenant: 'acme', direction: mirror, ports: theirPorts };
      declare(other, theirBy, { ...theirs, ...(theirExpires && { expires: theirExpires }) });
    }
    const { missing, ipFamilies, dual } = network;
    const fields = ['podCIDRs', 'serviceCIDRs', 'nodeCIDRs'] as const;
    const familyOf = (cidr: string) => destination({ family: known(cidr).family, value: known(cidr).first }).family;
    const isThere = (family: number) => ipFamilies === undefined || ipFamilies.includes(`IPv${family}`);
    const ofCluster = fields.flatMap((field, index) => {
      const six = dual ? [`2001:db8:${index + 1}::/64`] : [];
      const written = field === missing ? [] : [...network[field], ...six];
      return written.filter((cidr) => isThere(familyOf(cidr))).map((cidr) => ({ name: field, cidr }));
    });
    const unlistedFamilies = [4, 6].filter(
      (family) =>
        isThere(family) &&
        fields.some((field) => !ofCluster.some(({ name, cidr }) => name === field && familyOf(cidr) === family)),
    );
    const further = (['loadBalancerCIDRs', 'protectedCIDRs'] as const).flatMap((name) =>
      drawn[name].map((cidr) => ({ name, cidr })),
    );
    const ranges = [...ofCluster, ...further];
    // Ranges are for ingress, and of nodes and load balancers alone (src/tenancy/validate-addresses.ts).
    const forwards = ({ name }: { readonly name: string }) => name === 'nodeCIDRs' || name === 'loadBalancerCIDRs';
    const isOfNodes = (cidr: string) =>
      !unlistedFamilies.includes(familyOf(cidr)) &&
      ranges.some((one) => forwards(one) && holds(known(one.cidr), known(cidr))) &&
      !ranges.some((one) => !forwards(one) && meet(known(one.cidr), known(cidr)));
    const selection = (at: number, tenants: readonly string[] | undefined) => {
      const tenantSelector = drawn.selections[at];
      return tenantSelector !== undefined ? { tenantSelector } : tenants && { tenants };
    };
    const vouched = drawn.vouched
      .map(({ expires, ...one }) => ({ ...one, ...(expires && { expires }) }))
      .filter(({ cidr, direction }) => isSingle(cidr) || (direction === 'ingress' && isOfNodes(cidr)));
    // Bulkhead takes no settings in which a service answers on a range that may be the cluster's, or on every port of an address there.
    const isServed =
      ({ ports }: { readonly ports: readonly WrittenPort[] }, direction: Direction) =>
      (cidr: string) =>
        (ports.length > 0 &&
          !ports.some(isEveryPort) &&
          (isSingle(cidr) || (direction === 'ingress' && isOfNodes(cidr)))) ||
        !(unlistedFamilies.includes(familyOf(cidr)) || ranges.some((range) => meet(known(cidr), known(range.cidr))));
    return {
      tenantLabel,
      tenant: 'acme',
      namespace,
      now,
      tenants: [
        {
          ...{ name: 'acme', labels: drawn.labels, ...reserved, egressCIDRs: granted, egress: grants, vouched },
          gates: withoutDoubles(gates.acme),
          ...(drawn.clusters && { clusters: drawn.clusters }),
          ...(drawn.dnsNames && { dnsNames: drawn.dnsNames }),
        },
        {
          // What others are granted is nothing to the tenant.
          ...{ name: 'beta', ...(betaPrefix && { prefix: betaPrefix }), names: drawn.betaNames ?? [] },
          labels: drawn.otherLabels,
          ...{ egressCIDRs: [], egress: grants.slice(0, 1) },
          gates: withoutDoubles(gates.beta),
        },
        { name: 'gamma', egressCIDRs: [], gates: withoutDoubles(gates.gamma) },
      ],
      requests,
      requestable: drawn.requestable,
      services: services.flatMap(({ atAddresses, namespace, podSelector, tenants, clusters, ...service }, index) => {
        const addresses = service.addresses.filter(isServed(service, service.direction));
        const endpoints = service.endpoints.filter((one) => isServed(one, service.direction)(one.cidr));
        const pods = atAddresses && addresses.length + endpoints.length > 0 ? {} : { namespace, podSelector };
        const whom = { ...selection(index, tenants), ...(clusters && { clusters }) };
        return { name: `service-${index}`, ...pods, ...service, addresses, endpoints, ...whom };
      }),
      protectedRanges: [
        ...ranges,
        ...protectedOn(drawn.cloud).map((cidr) => ({ name: cidr === 'fe80::/10' ? 'link-local' : 'metadata', cidr })),
      ],
      ...(drawn.cloud && { cloud: drawn.cloud }),
      unlistedFamilies,
      ...(ipFamilies !== undefined && { ipFamilies }),
      ...{ taken, trusted: drawn.trusted, misplaced: drawn.misplaced },
      ...(drawn.clusterName && { clusterName: drawn.clusterName }),
      entities: drawn.entities.map(({ tenants, ...one }, index) => ({ ...one, ...selection(3 + index, tenants) })),
    };
  });

function isSingle(cidr: string): boolean {
  return known(cidr).first === known(cidr).last;
}

/** Whether all traffic to the second block arrives in the first. */
function holds(one: Block, other: Block): boolean {
  const [a, b] = [arrivedAt(one), arrivedAt(other)];
  return a.family === b.family && a.first <= b.first && b.last <= a.last;
}

/** A request names ports and an end. */
function requested({ ports, expires = '2027-02-01T00:00:00Z', ...gate }: WrittenGate) {
  return { ...gate, ports: ports.length === 0 ? [{ protocol: 'TCP' }] : ports, expires };
}

/** Of its protocol. */
function isEveryPort({ port, endPort }: WrittenPort): boolean {
  return port === undefined || port === null || (port === 1 && endPort === 65535);
}

/** Whether traffic to one block may arrive in the other. */
function meet(one: Block, other: Block): boolean {
  const [a, b] = [arrivedAt(one), arrivedAt(other)];
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

function arrivedAt({ family, first, last }: Block): Block {
  return {
    family: destination({ family, value: first }).family,
    first: destination({ family, value: first }).value,
    last: destination({ family, value: last }).value,
  };
}

/** Bulkhead refuses a gate that opens what another one opens. */
function withoutDoubles(gates: readonly WrittenGate[] = []): WrittenGate[] {
  const text = ({ protocol = 'TCP', port = 1, endPort }: WrittenPort, whole: boolean) =>
    `${port}-${endPort ?? (whole ? 65535 : port)}/${protocol}`;
  const key = ({ tenant, direction, ports, clusters = [] }: WrittenGate) =>
    [tenant, direction, ...clusters, ...ports.map((port) => text(port, port.port === undefined)).sort()].join();
  return [...new Map(gates.map((gate) => [key(gate), gate])).values()];
}

const apiVersion = 'bulkhead.dev/v1alpha1';

/** The settings, then the tenants. */
export function documentsOf(world: World): readonly unknown[] {
  const { tenantLabel, protectedRanges, services, entities = [], profile: { plugin, mesh, reserved } = {} } = world;
  const sharedServices = [...services, ...entities.map((one, index) => ({ name: `entity-${index}`, ...one }))];
  const field = (name: string) => protectedRanges.flatMap((range) => (range.name === name ? [range.cidr] : []));
  const network = {
    ...(plugin && { plugin }),
    ...(world.clusterName && { clusterName: world.clusterName }),
    ...(world.ipFamilies && { ipFamilies: world.ipFamilies }),
    podCIDRs: field('podCIDRs'),
    serviceCIDRs: field('serviceCIDRs'),
    nodeCIDRs: field('nodeCIDRs'),
    loadBalancerCIDRs: field('loadBalancerCIDRs'),
    protectedCIDRs: field('protectedCIDRs').map((cidr) => ({ name: 'database', cidr })),
    ...(world.cloud && { cloud: world.cloud }),
  };
  return [
    {
      apiVersion,
      kind: 'Settings',
      spec: {
        ...{ tenantLabel, ...(mesh && { mesh }), ...(reserved && { reserved }), network, sharedServices },
        trustedNamespaceLabels: Object.entries(world.trusted ?? {}).map(([key, values]) => ({
          key,
          values: Object.entries(values).map(([value, namespaces]) => ({ value, namespaces })),
        })),
        ...(world.requestable && { gates: world.requestable }),
      },
    },
    ...world.tenants.map(
      ({ name, prefix, prefixes = [], names = [], egressCIDRs, egress = [], vouched = [], gates, ...more }) => ({
        apiVersion,
        kind: 'Tenant',
        metadata: { name, ...(more.labels && { labels: more.labels }) },
        spec: {
          namespaces: { ...(prefix && { prefix }), prefixes, names },
          network: {
            ...{ egressCIDRs, egress, vouched: vouched.map(answeredFor), gates },
            ...(more.clusters && { clusters: more.clusters }),
            ...(more.dnsNames && { names: more.dnsNames }),
          },
        },
      }),
    ),
  ];
}

function answeredFor(written: WrittenVouched): unknown {
  return { ...written, reason: 'drawn at random', notAssignedToPods: true };
}

export function borderOf(world: World): Border {
  const [first, ...others] = documentsOf(world).map(read);
  if (first === undefined) throw new Error('no settings');
  const settings = loaded(parseSettings(first));
  const tenants = others.map((document) => loaded(parseTenant(document)));
  const agreement = agree((world.requests ?? []).map(storedRequest), settings, (namespace) => namespace);
  const agreed = tenants.map((tenant) => withAgreed(tenant, agreement));
  const tenancy = { ...createTenancy(settings, agreed), requests: agreement.requests };
  const tenant = tenancy.tenants.get(world.tenant);
  if (tenant === undefined) throw new Error(`${world.tenant} is not declared`);
  const ownerByName = (name: string) => (world.taken?.includes(name) ? 'platform' : 'none');
  const isKept = (key: string) => world.misplaced?.includes(key) !== true;
  return { tenant, namespace: world.namespace, tenancy, now: world.now, ownerByName, isKept };
}

function read(value: unknown) {
  return { value, locate: unlined('search') };
}

/** Its namespace is named after the tenant that owns it now. */
function storedRequest({ from, label, ...spec }: WrittenRequest, index: number): StoredRequest {
  const name = `request-${index}`;
  const document = { apiVersion, kind: 'GateRequest', metadata: { name }, spec };
  return { namespace: from, name, created: '', label, terminating: false, loaded: parseGateRequest(read(document)) };
}

function loaded<Value>(result: Loaded<Value>): Value {
  if (result.ok) return result.value;
  throw new Error(result.problems.map(({ path, reason }) => `${path} ${reason}`).join('; '));
}

/** Where it is easily mistaken what is protected: ranges beside the cluster's own, what providers share, and clouds' addresses. */
export function nearlyProtected({ protectedRanges }: World): readonly string[] {
  const further = protectedRanges.filter(({ name }) => name === 'loadBalancerCIDRs' || name === 'protectedCIDRs');
  return [...further.map(({ cidr }) => cidr), '100.64.0.0/10', ...ofEveryCloud];
}

/** Everything that the world protects, for policies that want to leave it out. */
export function protectedIn({ protectedRanges }: World, family: 4 | 6): readonly string[] {
  return protectedRanges.map(({ cidr }) => cidr).filter((cidr) => known(cidr).family === family);
}
