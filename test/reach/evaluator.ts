/**
 * Who gets through a NetworkPolicy, and who of them is a foreigner: word by word as the API and the design say it, one packet
 * at a time. Deliberately naive, and shares no code with src/: it is what src/reach is held against.
 *
 * A foreigner is who is not the tenant's own, no shared service on its ports, and not let through by both halves of a gate.
 * Owner of a namespace is whom its tenant label names. What another tenant or the platform has reserved is not counted on: such
 * a name may belong to anybody tomorrow.
 */
import { type Address, type Block, isIn, reaches, readBlock, spellings } from './evaluator-addresses.ts';

export type Direction = 'ingress' | 'egress';
export type Labels = ReadonlyMap<string, string>;

export type Party =
  | { readonly kind: 'pod'; readonly namespace: Labels; readonly pod: Labels; readonly cluster?: string }
  /** `names`: the DNS of the cluster gives it for these. */
  | { readonly kind: 'address'; readonly address: Address; readonly names?: readonly string[] };

export interface WirePort {
  readonly protocol: string;
  readonly port: number;
}

/** As written in a policy. Whatever else a policy holds is for wrong-places.ts to find. */
export interface WrittenSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | null;
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | null }[]
    | null;
}
export interface WrittenPort {
  readonly protocol?: string | null;
  readonly port?: number | string | null;
  readonly endPort?: number | null;
}
export interface WrittenPeer {
  readonly podSelector?: WrittenSelector | null;
  readonly namespaceSelector?: WrittenSelector | null;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] | null } | null;
}
export interface WrittenRule {
  readonly from?: readonly WrittenPeer[] | null;
  readonly to?: readonly WrittenPeer[] | null;
  readonly ports?: readonly WrittenPort[] | null;
}
export interface WrittenSpec {
  readonly podSelector?: WrittenSelector | null;
  readonly policyTypes?: readonly string[] | null;
  readonly ingress?: readonly WrittenRule[] | null;
  readonly egress?: readonly WrittenRule[] | null;
}

/** What is declared, as written. */
export interface WrittenEgress {
  readonly cidr: string;
  readonly except: readonly string[];
  readonly ports: readonly WrittenPort[];
}

export interface WrittenVouched {
  readonly cidr: string;
  readonly ports: readonly WrittenPort[];
  readonly direction: Direction;
  readonly expires?: string;
}

export interface WrittenEntity extends WrittenSelection {
  readonly entity: string;
  readonly direction: Direction;
  readonly ports: readonly WrittenPort[];
}

/** Whom a shared service is for: tenants by name, or by the labels of their Tenant documents. Neither: all. */
export interface WrittenSelection {
  readonly tenants?: readonly string[];
  readonly tenantSelector?: WrittenSelector;
}

export interface World {
  readonly tenantLabel: string;
  /** Whose policy it is, and in which namespace. */
  readonly tenant: string;
  readonly namespace: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly tenants: readonly {
    readonly name: string;
    /** Of its Tenant document. */
    readonly labels?: Readonly<Record<string, string>>;
    readonly prefix?: string;
    readonly prefixes?: readonly string[];
    /** Whole names. */
    readonly names?: readonly string[];
    readonly egressCIDRs: readonly string[];
    readonly egress?: readonly WrittenEgress[];
    readonly vouched?: readonly WrittenVouched[];
    readonly gates: readonly WrittenGate[];
    /** Other clusters of the mesh where its label and names are its own. */
    readonly clusters?: readonly string[];
    /** DNS names, with stars, that Cilium may turn into addresses for it. */
    readonly dnsNames?: readonly string[];
  }[];
  /** What members of tenants ask for by themselves, and what the settings let them. */
  readonly requests?: readonly WrittenRequest[];
  readonly requestable?: {
    readonly from: string;
    readonly ports: readonly WrittenPort[];
    readonly between?: readonly { readonly tenants: readonly string[] }[];
  };
  readonly services: readonly (WrittenSelection & {
    readonly name: string;
    readonly direction: Direction;
    readonly namespace?: string;
    readonly podSelector?: WrittenSelector;
    readonly ports: readonly WrittenPort[];
    readonly addresses: readonly string[];
    readonly endpoints?: readonly { readonly cidr: string; readonly ports: readonly WrittenPort[] }[];
    readonly offer?: string;
    readonly clusters?: readonly string[];
  })[];
  /** Shared services of whom Cilium has a name for. */
  readonly entities?: readonly WrittenEntity[];
  /** Of the own cluster, as the settings name it. */
  readonly clusterName?: string;
  readonly protectedRanges: readonly { readonly name: string; readonly cidr: string }[];
  /** Whose metadata addresses are among them; undefined: those of all clouds. */
  readonly cloud?: string;
  /** Families of which these are not all: any address of them may be one of the cluster. */
  readonly unlistedFamilies: readonly number[];
  /** Those that the settings name; undefined: none, so there may be both. */
  readonly ipFamilies?: readonly string[];
  /** Labels that only the platform writes: by key and value, every namespace that has it. */
  readonly trusted?: WrittenTrusted;
  /** Those of them that some namespace has and must not: they may be on any. */
  readonly misplaced?: readonly string[];
  /** Names that are reserved to the tenant, and that others have from before that. */
  readonly taken?: readonly string[];
  /** Names that are taken for the tenant's, reserved or not. */
  readonly assumedOwn?: readonly string[];
  /** What the settings say of the cluster's plugin and mesh, and of reserved keys. No flow depends on it. */
  readonly profile?: { readonly plugin?: string; readonly mesh?: string; readonly reserved?: WrittenReserved };
}
export type WrittenTrusted = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
export interface WrittenReserved {
  readonly released: readonly string[];
  readonly allowedValues: readonly { readonly key: string; readonly values: readonly string[] }[];
}
export interface WrittenGate {
  readonly tenant: string;
  readonly direction: Direction;
  readonly ports: readonly WrittenPort[];
  readonly expires?: string;
  readonly clusters?: readonly string[];
}

/** A GateRequest in a namespace of the tenant `from`; `label` is its tenant label. */
export interface WrittenRequest extends WrittenGate {
  readonly from: string;
  readonly label: string;
  readonly expires: string;
}

/** With this label in a podSelector, Cilium selects pods of another cluster, in namespaces that are nobody's here. */
const clusterLabel = 'io.cilium.k8s.policy.cluster';
export const nameLabel = 'kubernetes.io/metadata.name';

export function selects(selector: WrittenSelector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels.get(key) !== value) return false;
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const value = labels.get(key);
    const listed = value !== undefined && (values ?? []).includes(value);
    if (operator === 'In' && !listed) return false;
    if (operator === 'NotIn' && listed) return false;
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
  }
  return true;
}

/** The rules of a direction, whatever policyTypes says: some network plugins enforce those that it leaves out. */
export function rulesOf(spec: WrittenSpec, direction: Direction): readonly WrittenRule[] {
  return spec[direction] ?? [];
}

/** Whether the API reads the rules of a direction: policyTypes, or what the API puts in its place, has it. A type that is none may mean anything. */
export function isRead(spec: WrittenSpec, direction: Direction): boolean {
  const type = direction === 'ingress' ? 'Ingress' : 'Egress';
  const types = spec.policyTypes ?? [];
  return types.length > 0
    ? types.includes(type) || types.some((one) => one !== 'Ingress' && one !== 'Egress')
    : direction === 'ingress' || (spec.egress ?? []).length > 0;
}

/** Letters, digits, and inside them hyphens, underscores and dots; or nothing. */
export function isLabelText(text: string): boolean {
  return text.length <= 63 && /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(text);
}

/** No peers are everybody: undefined. */
export function peersOf(rule: WrittenRule, direction: Direction): readonly WrittenPeer[] | undefined {
  const peers = direction === 'ingress' ? rule.from : rule.to;
  return (peers ?? []).length === 0 ? undefined : (peers ?? undefined);
}

/** @param peer undefined: everybody */
export function letsParty(peer: WrittenPeer | undefined, party: Party, { namespace }: World): boolean {
  if (peer === undefined) return true;
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (party.kind === 'address') {
    const cidr = ipBlock && readBlock(ipBlock.cidr);
    if (!cidr) return false;
    const excepts = (ipBlock.except ?? []).flatMap((except) => readBlock(except) ?? []);
    return spellings(party.address).some(
      (spelling) => isIn(spelling, cidr) && !excepts.some((except) => isIn(spelling, except)),
    );
  }
  if (ipBlock) return false;
  if (party.cluster !== undefined) return podSelector ? selectsCluster(podSelector, party.cluster) : false;
  if (podSelector && !selects(podSelector, party.pod)) return false;
  if (namespaceSelector) return selects(namespaceSelector, party.namespace);
  return party.namespace.get(nameLabel) === namespace;
}

function selectsCluster({ matchLabels, matchExpressions }: WrittenSelector, cluster: string): boolean {
  const named = matchLabels?.[clusterLabel];
  const requirements = (matchExpressions ?? []).filter(({ key }) => key === clusterLabel);
  if (named === undefined && requirements.length === 0) return false;
  const selector = {
    ...(named !== undefined && { matchLabels: { [clusterLabel]: named } }),
    matchExpressions: requirements,
  };
  return selects(selector, new Map([[clusterLabel, cluster]]));
}

/** A named port is whatever the destination makes of it, and on kube-router any port of any protocol where no pod has it. No ports are all. */
export function letsPort(ports: readonly WrittenPort[] | null | undefined, { protocol, port }: WirePort): boolean {
  if (!ports || ports.length === 0) return true;
  return ports.some((one) => {
    if (typeof one.port === 'string') return true;
    if ((one.protocol ?? 'TCP') !== protocol) return false;
    if (typeof one.port !== 'number') return true;
    return one.port <= port && port <= (one.endPort ?? one.port);
  });
}

/** Whoever is to have the port of a name server may have it by every protocol. */
function servesPort(ports: readonly WrittenPort[], wire: WirePort, direction: Direction): boolean {
  if (letsPort(ports, wire)) return true;
  const named = ports.some(
    ({ protocol, port, endPort = port }) => protocol === 'UDP' && port === wire.port && endPort === wire.port,
  );
  return direction === 'egress' && (wire.port === 53 || wire.port === 5353) && named;
}

/**
 * Whether such a namespace can be: whoever has the name of the policy's, or one that is reserved to the tenant and not taken, is the
 * tenant's; and no tenant's has a label that only the platform writes, nor any other a value that is listed for others.
 */
export function canBe(namespace: Labels, world: World): boolean {
  const name = namespace.get(nameLabel) ?? '';
  if (name.length > 63 || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)) return false;
  for (const [key, values] of Object.entries(world.trusted ?? {})) {
    const value = namespace.get(key);
    if (value === undefined || world.misplaced?.includes(key)) continue;
    const listed = Object.entries(values).find(([one]) => one === value)?.[1];
    if (namespace.has(world.tenantLabel) || listed?.includes(name) === false) return false;
  }
  const { prefix, prefixes = [], names = [] } = world.tenants.find((tenant) => tenant.name === world.tenant) ?? {};
  const isReserved =
    (prefix !== undefined && name.startsWith(prefix)) ||
    prefixes.some((one) => name.startsWith(one)) ||
    names.includes(name);
  const reserved = isReserved && !world.taken?.includes(name);
  const own = name === world.namespace || reserved || world.assumedOwn?.includes(name);
  return !own || namespace.get(world.tenantLabel) === world.tenant;
}

export function isForeign(party: Party, wire: WirePort, direction: Direction, world: World): boolean {
  return party.kind === 'pod'
    ? isForeignPod(party, wire, direction, world)
    : isForeignAddress(party, wire, direction, world);
}

/** Whether it is let through by agreement: a shared service, or both halves of a gate. */
export function isAgreed(party: Party & { kind: 'pod' }, wire: WirePort, direction: Direction, world: World): boolean {
  const owner = party.namespace.get(world.tenantLabel);
  const opposite = direction === 'ingress' ? 'egress' : 'ingress';
  return (
    world.services.some(
      (service) =>
        service.direction === direction &&
        isFor(service, world) &&
        (party.cluster === undefined || service.clusters?.includes(party.cluster)) &&
        service.podSelector !== undefined &&
        service.namespace === party.namespace.get(nameLabel) &&
        selects(service.podSelector, party.pod) &&
        servesPort(service.ports, wire, direction),
    ) ||
    (owner !== undefined &&
      ((hasHalf(world.tenant, owner, direction, wire, world, party.cluster) &&
        hasHalf(owner, world.tenant, opposite, wire, world)) ||
        (party.cluster === undefined &&
          mayAsk(owner, wire, world) &&
          asks(world.tenant, owner, direction, wire, world) &&
          asks(owner, world.tenant, opposite, wire, world))))
  );
}

function mayAsk(other: string, wire: WirePort, { tenant, requestable }: World): boolean {
  if (requestable?.from !== 'tenants' || !letsPort(requestable.ports, wire)) return false;
  return requestable.between?.some(({ tenants }) => tenants.includes(tenant) && tenants.includes(other)) ?? true;
}

function asks(from: string, to: string, direction: Direction, wire: WirePort, { requests = [], now }: World): boolean {
  return requests.some(
    (one) =>
      one.from === from &&
      one.label === from &&
      one.tenant === to &&
      one.direction === direction &&
      now < Date.parse(one.expires) &&
      letsPort(one.ports, wire),
  );
}

function isForeignPod(party: Party & { kind: 'pod' }, wire: WirePort, direction: Direction, world: World): boolean {
  const tenant = world.tenants.find(({ name }) => name === world.tenant);
  const isOurs = party.cluster === undefined || tenant?.clusters?.includes(party.cluster) === true;
  if (isOurs && party.namespace.get(world.tenantLabel) === world.tenant) return false;
  return !isAgreed(party, wire, direction, world);
}

/**
 * An address of a shared service, on its ports, is none. An address of the cluster is one, whoever has it. For egress, any
 * other that was not granted is one.
 */
function isForeignAddress(
  { address, names = [] }: Party & { kind: 'address' },
  wire: WirePort,
  direction: Direction,
  world: World,
): boolean {
  const among = (cidrs: readonly string[]) => cidrs.some((cidr) => reaches(known(cidr), address));
  const served = world.services.some(
    (service) =>
      service.direction === direction &&
      isFor(service, world) &&
      ((among(service.addresses) && servesPort(service.ports, wire, direction)) ||
        (service.endpoints ?? []).some(({ cidr, ports }) => among([cidr]) && servesPort(ports, wire, direction))),
  );
  if (served) return false;
  const own = world.tenants.find(({ name }) => name === world.tenant);
  const { egressCIDRs = [], egress = [], vouched = [], dnsNames = [] } = own ?? {};
  if (direction === 'egress' && names.some((name) => dnsNames.some((granted) => isNamedBy(granted, name))))
    return false;
  const isVouched = vouched.some(
    (one) =>
      one.direction === direction &&
      among([one.cidr]) &&
      letsPort(one.ports, wire) &&
      (one.expires === undefined || world.now < Date.parse(one.expires)),
  );
  if (isVouched) return false;
  // A metadata service answers and never asks.
  const protecting = world.protectedRanges.filter(({ name }) => direction === 'egress' || name !== 'metadata');
  if (world.unlistedFamilies.includes(address.family) || among(protecting.map(({ cidr }) => cidr))) return true;
  const isGranted = ({ cidr, except, ports }: WrittenEgress) =>
    (cidr === 'internet' ? !among(notInternet(world)) : among([cidr])) && !among(except) && letsPort(ports, wire);
  return direction === 'egress' && !among(egressCIDRs) && !egress.some(isGranted);
}

const privateRanges = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
  ...['fc00::/7', 'fe80::/10', '2002::/16', '64:ff9b:1::/48'],
];

const sharedSpace = '100.64.0.0/10';

/** Beside what is protected. The space that providers share is private where something protected lies in it, as Alibaba Cloud has it. */
export function notInternet({ protectedRanges }: World): readonly string[] {
  const guarded = protectedRanges.map(({ cidr }) => cidr);
  return [
    ...privateRanges,
    ...(guarded.some((cidr) => meets(known(cidr), known(sharedSpace))) ? [sharedSpace] : []),
    ...guarded,
  ];
}

/** Whether some spelling of an address of the second block, which is one of IPv4, is in the first. */
function meets(block: Block, { first, last }: Block): boolean {
  const starts = spellings({ family: 4, value: first });
  return starts.some(
    ({ family, value }) => family === block.family && value <= block.last && block.first <= value + (last - first),
  );
}

/** One star is a part of a label, two before the first dot are labels. */
function isNamedBy(granted: string, name: string): boolean {
  const labels = name.split('.');
  const [first = '', ...others] = granted.split('.');
  const isDeep = first === '**';
  const patterns = isDeep ? others : [first, ...others];
  if (isDeep ? labels.length <= patterns.length : labels.length !== patterns.length) return false;
  const rest = labels.slice(labels.length - patterns.length);
  return patterns.every((pattern, index) => isLike(pattern, rest[index] ?? ''));
}

function isLike(pattern: string, label: string): boolean {
  if (pattern === '') return label === '';
  if (pattern[0] !== '*') return label[0] === pattern[0] && isLike(pattern.slice(1), label.slice(1));
  return isLike(pattern.slice(1), label) || (label !== '' && isLike(pattern, label.slice(1)));
}

/** Whether the platform opens an entity of Cilium on this port. */
export function isEntityOpen(entity: string, wire: WirePort, direction: Direction, world: World): boolean {
  return (world.entities ?? []).some(
    (one) =>
      one.entity === entity &&
      one.direction === direction &&
      isFor(one, world) &&
      servesPort(one.ports, wire, direction),
  );
}

function isFor({ tenants, tenantSelector }: WrittenSelection, world: World): boolean {
  if (tenants !== undefined) return tenants.includes(world.tenant);
  const { labels = {} } = world.tenants.find(({ name }) => name === world.tenant) ?? {};
  return tenantSelector === undefined || selects(tenantSelector, new Map(Object.entries(labels)));
}

/** @param cluster of the mesh in which the other one is; undefined: this one */
function hasHalf(
  from: string,
  to: string,
  direction: Direction,
  wire: WirePort,
  { tenants, now }: World,
  cluster?: string,
): boolean {
  const { gates = [] } = tenants.find(({ name }) => name === from) ?? {};
  return gates.some(
    (gate) =>
      gate.tenant === to &&
      gate.direction === direction &&
      (gate.expires === undefined || now < Date.parse(gate.expires)) &&
      (cluster === undefined || gate.clusters?.includes(cluster) === true) &&
      letsPort(gate.ports, wire),
  );
}

/** A block of the world, which is always well written. */
export function known(cidr: string): Block {
  const block = readBlock(cidr);
  if (block === undefined) throw new Error(`${cidr} is not a range`);
  return block;
}
