/** The parties that a policy is tried on: pods, addresses and nodes. The engines answer for them, and evaluator.ts decides which are foreign. */
import { formatAddress } from '../../src/kubernetes/ip-address.ts';
import { once } from '../../src/kubernetes/once.ts';
import {
  canBe,
  type Direction,
  isEntityOpen,
  isForeign,
  type Labels,
  nameLabel,
  notInternet,
  type Party,
  selects,
  type WirePort,
  type World,
  type WrittenSelector,
} from '../reach/evaluator.ts';
import { type Address, type Block, destination, reaches, readBlock } from '../reach/evaluator-addresses.ts';
import { nearlyProtected } from '../reach/search-worlds.ts';
import { type AskedAddress, type AskedParty, type NamedPort, reservedNames } from './protocol.ts';
import type { Random } from './random.ts';

/** A pod, an address or a node that policies are tried on. */
export interface Candidate {
  readonly asked: AskedParty;
  /** Undefined for what Cilium has identities of its own for: none of it is a tenant's. */
  readonly party: Party | undefined;
}

/** The numbers that worlds and policies of the search speak of, and those beside them. */
const numbers = [1, 2, 3, 4, 5, 53, 65535];
export const protocols = ['TCP', 'UDP', 'SCTP'];
export const wires: readonly WirePort[] = protocols.flatMap((protocol) => numbers.map((port) => ({ protocol, port })));

const unmentioned = 'zz-unmentioned';

export function isForeignOn({ asked, party }: Candidate, wire: WirePort, direction: Direction, world: World): boolean {
  if (party !== undefined) return isForeign(party, wire, direction, world);
  return !('reserved' in asked && entitiesOf(asked.reserved).some((one) => isEntityOpen(one, wire, direction, world)));
}

/** To Cilium the API server is another node, too. */
function entitiesOf(reserved: string): readonly string[] {
  return reserved === 'kube-apiserver' ? [reserved, 'remote-node'] : [reserved];
}

/** A pod of this cluster, or of another one, if there can be such. */
export function pod(
  namespace: Labels,
  labels: Labels,
  world: World,
  ports: readonly NamedPort[],
  cluster?: string,
): Candidate | undefined {
  if (!canBeIn(namespace, world, cluster)) return undefined;
  return {
    asked: {
      pod: {
        namespace: namespace.get(nameLabel) ?? '',
        namespaceLabels: Object.fromEntries(namespace),
        labels: Object.fromEntries(labels),
        ...(cluster !== undefined && { cluster }),
        address: addressOfPods(world),
        ports,
      },
    },
    party: { kind: 'pod', namespace, pod: labels, ...(cluster !== undefined && { cluster }) },
  };
}

/**
 * Names and labels of another cluster mean what they mean here where the platform answers for it; elsewhere they mean nothing, but a name
 * is one.
 */
function canBeIn(namespace: Labels, world: World, cluster: string | undefined): boolean {
  if (cluster === undefined) return canBe(namespace, world);
  const { clusters = [] } = world.tenants.find(({ name }) => name === world.tenant) ?? {};
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(namespace.get(nameLabel) ?? '')) return false;
  return !clusters.includes(cluster) || canBe(namespace, { ...world, taken: [], trusted: {} });
}

/** Where traffic to an address arrives is what counts; the engine sees how it is written. */
export function addressParty(written: Address): Candidate {
  return markedAddress(written, {});
}

/** An address that Cilium knows more of: names of the DNS, or a group that lists it. */
export function markedAddress(written: Address, more: Omit<AskedAddress, 'address'>): Candidate {
  const { names } = more;
  return {
    asked: { address: formatAddress(written.family, written.value), ...more },
    party: { kind: 'address', address: destination(written), ...(names && { names }) },
  };
}

export const reserved: readonly Candidate[] = reservedNames.map((name) => ({
  asked: { reserved: name },
  party: undefined,
}));

/**
 * Of the pod network, and neither a shared service's nor vouched for: what is agreed about an address holds for the pod that has it. Where
 * there is none, one of those that are always protected.
 */
const addressOfPods = once(({ protectedRanges, services, tenants }: World): string => {
  const served = [
    ...services.flatMap(({ addresses, endpoints = [] }) => [...addresses, ...endpoints.map(({ cidr }) => cidr)]),
    ...tenants.flatMap(({ vouched = [] }) => vouched.map(({ cidr }) => cidr)),
  ].flatMap((cidr) => readBlock(cidr) ?? []);
  for (const { name, cidr } of protectedRanges) {
    const block = name === 'podCIDRs' ? readBlock(cidr) : undefined;
    if (block === undefined) continue;
    for (const value of [block.first, block.last]) {
      const address = { family: block.family, value };
      if (!served.some((one) => reaches(one, destination(address)))) return formatAddress(block.family, value);
    }
  }
  return '169.254.77.7';
});

/** Names for ports, and one name for none of them. */
export function namedPorts(random: Random): readonly NamedPort[] {
  return ['http', 'dns'].map((name) => ({
    name,
    protocol: random.pick(['TCP', 'TCP', 'UDP', 'SCTP']),
    port: random.pick([1, 2, 3, 4, 5, 65535]),
  }));
}

const values = [undefined, 'x', 'y'];
const labelsOfPods: readonly Labels[] = values.flatMap((app) => values.map((role) => labelsOf({ app, role })));

/** The tenant's own pods in the namespace of the policy: all that policies of the search tell apart. */
export function subjectsOf(world: World, random: Random): readonly Candidate[] {
  const ports = namedPorts(random);
  const namespace = ownNamespace(world);
  return labelsOfPods.flatMap((labels) => pod(namespace, labels, world, ports) ?? []);
}

export function ownNamespace({ tenantLabel, tenant, namespace }: World): Labels {
  return new Map([
    [nameLabel, namespace],
    [tenantLabel, tenant],
  ]);
}

/** Pods of others, some of shared services and of tenants with gates; addresses of every range; nodes; another cluster. */
export function othersOf(world: World, random: Random): readonly Candidate[] {
  const { tenantLabel, services, tenants } = world;
  const pods: Candidate[] = [];
  const owners = [undefined, 'nobody', ...tenants.flatMap(({ name }) => (name === world.tenant ? [] : [name]))];
  const names = ['acme-web', 'acme-db', 'beta-db', 'web', 'shop', 'kube-system', 'infra', 'edge', unmentioned];
  for (let tries = 0; tries < 40 && pods.length < 16; tries++) {
    const service = services.length > 0 && random.below(4) === 0 ? services[random.below(services.length)] : undefined;
    const owner = owners[random.below(owners.length)];
    const name = service?.namespace ?? names[random.below(names.length)] ?? unmentioned;
    const env = values[random.below(3)];
    const trusted = Object.entries(world.trusted ?? {}).map(([key, listed]) => {
      const choices = [undefined, undefined, unmentioned, ...Object.keys(listed)];
      return [key, choices[random.below(choices.length)]] as const;
    });
    const namespace = labelsOf({ [nameLabel]: name, [tenantLabel]: owner, env, ...Object.fromEntries(trusted) });
    const random9 = labelsOfPods[random.below(labelsOfPods.length)] ?? new Map();
    const labels = service && random.below(2) === 0 ? (satisfy(service.podSelector ?? {}) ?? random9) : random9;
    const made = pod(namespace, labels, world, namedPorts(random));
    if (made !== undefined) pods.push(made);
  }
  const mesh = ['elsewhere', 'west'].flatMap((cluster) => {
    const name = names[random.below(names.length)] ?? unmentioned;
    const owner = [...owners, world.tenant][random.below(owners.length + 1)];
    const other = labelsOf({ [nameLabel]: name, [tenantLabel]: owner });
    return [ownNamespace(world), other].flatMap(
      (namespace) => pod(namespace, new Map([['app', 'x']]), world, namedPorts(random), cluster) ?? [],
    );
  });
  return [
    ...pods,
    ...mesh,
    ...random.some(reserved, 3),
    ...random.some(edgesOf(rangesOf(world)), 14).map(addressParty),
    ...[farIpv4, farIpv6].map(addressParty),
  ];
}

/** In no range that the search knows. */
const farIpv4: Address = { family: 4, value: 0x0b16212cn };
const farIpv6: Address = { family: 6, value: 0x2a00n << 112n };

function rangesOf(world: World): readonly Block[] {
  const { protectedRanges, tenants, services } = world;
  return [
    ...protectedRanges.map(({ cidr }) => cidr),
    ...nearlyProtected(world),
    ...tenants.flatMap(({ egressCIDRs, egress = [], vouched = [] }) => [
      ...egressCIDRs,
      ...egress.flatMap(({ cidr, except }) => [...except, ...(cidr === 'internet' ? notInternet(world) : [cidr])]),
      ...vouched.map(({ cidr }) => cidr),
    ]),
    ...services.flatMap(({ addresses, endpoints = [] }) => [...addresses, ...endpoints.map(({ cidr }) => cidr)]),
  ].flatMap((cidr) => readBlock(cidr) ?? []);
}

const nat64 = 0x64ff9bn << 96n;

/** The first and the last address of each block, and those beside them; IPv4 also as NAT64 writes it. */
export function edgesOf(blocks: readonly Block[]): readonly Address[] {
  const edges = new Map<string, Address>();
  for (const { family, first, last } of blocks) {
    for (const value of [first - 1n, first, last, last + 1n]) {
      if (value < 0n || value >= 1n << (family === 4 ? 32n : 128n)) continue;
      const forms: Address[] = [{ family, value }];
      if (family === 4) forms.push({ family: 6, value: nat64 + value });
      for (const form of forms) edges.set(`${form.family} ${form.value}`, form);
    }
  }
  return [...edges.values()];
}

/**
 * Pods that match these selectors, with each owner and each namespace name that could change the answer.
 */
export function podsAround(
  namespaces: WrittenSelector | null | undefined,
  pods: WrittenSelector | null | undefined,
  world: World,
  ports: readonly NamedPort[],
  cluster?: string,
): readonly Candidate[] {
  const { tenantLabel, tenants, services } = world;
  const pinned = (one: WrittenSelector | null | undefined, key: string) => [
    ...(one?.matchLabels?.[key] === undefined ? [] : [one.matchLabels[key]]),
    ...(one?.matchExpressions ?? []).flatMap((requirement) =>
      requirement.key === key ? (requirement.values ?? []) : [],
    ),
  ];
  const labels = satisfy(pods ?? {}) ?? new Map();
  const rest = satisfy(withoutKeys(namespaces ?? {}, [tenantLabel, nameLabel])) ?? new Map();
  const owners = new Set([undefined, 'nobody', ...tenants.map(({ name }) => name), ...pinned(namespaces, tenantLabel)]);
  const names = new Set([
    unmentioned,
    ...services.flatMap(({ namespace }) => namespace ?? []),
    ...pinned(namespaces, nameLabel),
    ...Object.values(world.trusted ?? {}).flatMap((listed) => Object.values(listed).flat()),
  ]);
  // Which values a namespace can have depends on its name.
  const rests = Object.keys(world.trusted ?? {}).reduce<readonly Labels[]>(
    (all, key) =>
      all.flatMap((labels) => [labels, ...pinned(namespaces, key).map((value) => new Map([...labels, [key, value]]))]),
    [rest],
  );
  const found: Candidate[] = [];
  for (const owner of owners) {
    const isOwn = owner === world.tenant && cluster === undefined;
    if (isOwn || (owner !== undefined && !isLabelValue(owner))) continue;
    for (const name of names) {
      for (const rest of rests) {
        const namespace = labelsOf({ ...Object.fromEntries(rest), [nameLabel]: name, [tenantLabel]: owner });
        const made = pod(namespace, labels, world, ports, cluster);
        if (made !== undefined) found.push(made);
      }
    }
  }
  return found;
}

function withoutKeys({ matchLabels, matchExpressions }: WrittenSelector, keys: readonly string[]): WrittenSelector {
  return {
    matchLabels: Object.fromEntries(Object.entries(matchLabels ?? {}).filter(([key]) => !keys.includes(key))),
    matchExpressions: (matchExpressions ?? []).filter(({ key }) => !keys.includes(key)),
  };
}

/** Labels that a selector selects; undefined when there are none, or only ones that no object can have. */
export function satisfy(selector: WrittenSelector): Labels | undefined {
  const chosen = new Map<string, string>();
  const { matchLabels, matchExpressions } = selector;
  const keys = new Set([...Object.keys(matchLabels ?? {}), ...(matchExpressions ?? []).map(({ key }) => key)]);
  for (const key of keys) {
    if (!isLabelKey(key)) return undefined;
    const of: WrittenSelector = {
      matchLabels: Object.fromEntries(Object.entries(matchLabels ?? {}).filter(([one]) => one === key)),
      matchExpressions: (matchExpressions ?? []).filter((one) => one.key === key),
    };
    const mentioned = [
      ...Object.values(of.matchLabels ?? {}),
      ...(of.matchExpressions ?? []).flatMap(({ values }) => values ?? []),
      unmentioned,
    ].filter(isLabelValue);
    const value = [undefined, ...mentioned].find((one) => selects(of, labelsOf({ [key]: one })));
    if (!selects(of, labelsOf({ [key]: value }))) return undefined;
    if (value !== undefined) chosen.set(key, value);
  }
  return chosen;
}

function isLabelKey(text: string): boolean {
  const [name = '', prefix, ...more] = text.split('/').reverse();
  const isPrefix = prefix === undefined || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(prefix);
  return name !== '' && isLabelValue(name) && isPrefix && more.length === 0;
}

export function isLabelValue(text: string): boolean {
  return /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(text);
}

function labelsOf(written: Readonly<Record<string, string | undefined>>): Labels {
  return new Map(Object.entries(written).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
