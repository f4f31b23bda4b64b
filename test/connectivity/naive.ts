/**
 * Who reaches whom, decided flow by flow from the written objects. Shares no code with src/: it knows the documentation of each kind, looks
 * at every policy for every question and keeps nothing.
 *
 *   ClusterNetworkPolicy  Admin tier by priority, then the policies of the engine, then the Baseline tier; Pass goes to the next tier
 *   NetworkPolicy         union; who is selected in a direction and not allowed is denied
 *   CiliumNetworkPolicy   in the same union; a denial wins; its groups and Services are what these are now
 *   Calico                tiers by order, in a tier policies by order and name; NetworkPolicies have the order 1000 in the tier default;
 *                         a GlobalNetworkPolicy stands among them, for the namespaces that it selects; selectors of both match addresses of
 *                         NetworkSets by their labels, as if they were pods
 */
import type { Labels, WrittenSelector } from '../reach/evaluator.ts';
import { nameLabel, selects } from '../reach/evaluator.ts';
import { type Address, type Block, isIn, readAddress, readBlock } from '../reach/evaluator-addresses.ts';
import { isCalicoMatch } from './naive-calico-selector.ts';
import {
  type EngineReading,
  nodeLabels,
  nodeNetwork,
  podNetwork,
  type RandomWorld,
  type Written,
} from './random-world.ts';

export type Direction = 'ingress' | 'egress';
export interface Wire {
  readonly protocol: string;
  readonly port: number;
}
export interface NaivePod {
  readonly kind: 'pod';
  readonly namespace: string;
  readonly name: string;
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
  readonly addresses: readonly Address[];
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly containerPort: number }[];
}
export type NaiveParty =
  | NaivePod
  | { readonly kind: 'address'; readonly address: Address }
  | { readonly kind: 'name'; readonly name: string }
  /** Any node: of its labels nothing is known. */
  | { readonly kind: 'node' };

/** For tests of the search: what a careless reader would take it for. */
export interface Mistakes {
  /** A named port is resolved on the pod that opens the connection. */
  readonly namesOfSource?: boolean;
  /** A tier that passes ends in a denial. */
  readonly tiersEndInDenial?: boolean;
  /** A selector of a GlobalNetworkPolicy is about the namespace of the pod that is selected. */
  readonly globalIsOfNamespace?: boolean;
  /** A NetworkSet has the labels of its namespace, whatever its own are. */
  readonly namespacesWin?: boolean;
  /** A GlobalNetworkSet is in every namespace. */
  readonly setsAreEverywhere?: boolean;
  /** A selector of CiliumCIDRGroups matches each of them by itself. */
  readonly groupsAreApart?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: written objects, as they are on the wire
type Any = any;
type Verdict = 'allow' | 'deny' | 'pass';

/** One rule for one pod: whether it is about a peer on a wire, and what it says then. */
interface Rule {
  readonly action: Verdict;
  readonly about: (peer: NaiveParty, wire: Wire) => boolean;
}

export interface Naive {
  readonly pods: readonly NaivePod[];
  readonly others: readonly NaiveParty[];
  /** What the policies of one side let through. */
  side(pod: NaivePod, direction: Direction, peer: NaiveParty, wire: Wire): boolean;
  connects(from: NaiveParty, to: NaiveParty, wire: Wire): boolean;
  /** Those that list the address. */
  groupsOf(address: Address): readonly NaiveGroup[];
}

/** A CiliumCIDRGroup. */
export interface NaiveGroup {
  readonly name: string;
  readonly labels: Labels;
  readonly nets: readonly string[];
}

export function createNaive({ objects, reading, addresses, names }: RandomWorld, mistakes: Mistakes = {}): Naive {
  const namespaces = new Map(
    objects
      .filter(({ kind }) => kind === 'Namespace')
      .map(({ metadata }) => [metadata.name, new Map(Object.entries(metadata.labels ?? {}))]),
  );
  const pods = objects.flatMap((object: Any): NaivePod[] => {
    if (object.kind !== 'Pod') return [];
    const { metadata, spec, status } = object;
    return [
      {
        kind: 'pod',
        namespace: metadata.namespace,
        name: metadata.name,
        namespaceLabels: namespaces.get(metadata.namespace) ?? new Map(),
        labels: new Map(Object.entries<string>(metadata.labels)),
        addresses: status.podIPs.flatMap(({ ip }: { ip: string }) => readAddress(ip) ?? []),
        ports: spec.containers[0].ports,
      },
    ];
  });
  const others: NaiveParty[] = [
    ...addresses.flatMap((text) => {
      const address = readAddress(text);
      return address === undefined ? [] : [{ kind: 'address', address } as const];
    }),
    ...names.map((name) => ({ kind: 'name', name }) as const),
    { kind: 'node' },
  ];
  const policies = objects.filter(({ kind }) => /Policy$|^Tier$/.test(kind));
  const sets = objects
    .filter(({ kind }) => kind.endsWith('NetworkSet'))
    .map((one) => readSet(one, namespaces, mistakes));
  const groups = objects.filter(({ kind }) => kind === 'CiliumCIDRGroup').map(readGroup);
  const services = objects.filter(({ kind }) => kind === 'Service');
  const side: Naive['side'] = (pod, direction, peer, wire) =>
    decide({ pod, direction, reading, mistakes, policies, sets, groups, services }, peer, wire);
  return {
    ...{ pods, others, side },
    groupsOf: (address) => groups.filter(({ nets }) => isInNets(nets, address)),
    connects: (from, to, wire) =>
      (from.kind !== 'pod' || side(from, 'egress', to, wire)) && (to.kind !== 'pod' || side(to, 'ingress', from, wire)),
  };
}

interface Asked {
  readonly pod: NaivePod;
  readonly direction: Direction;
  readonly reading: EngineReading;
  readonly mistakes: Mistakes;
  readonly policies: readonly Written[];
  readonly sets: readonly NaiveSet[];
  readonly groups: readonly NaiveGroup[];
  readonly services: readonly Written[];
}

/** Addresses with labels, of a namespace or of none. */
interface NaiveSet {
  readonly namespace: string | undefined;
  readonly labels: Labels;
  /** Undefined: it is in no namespace. Its own `pcns.` labels are among them. */
  readonly namespaceLabels: Labels;
  readonly nets: readonly string[];
  readonly isEverywhere: boolean;
}

function readSet({ metadata, spec }: Any, namespaces: ReadonlyMap<string, Labels>, mistakes: Mistakes): NaiveSet {
  const { namespace, labels } = metadata;
  const own = Object.entries<string>(labels);
  const inherited = [...(namespaces.get(namespace) ?? [])];
  const forged = own.flatMap(([key, value]) => (key.startsWith('pcns.') ? [[key.slice(5), value] as const] : []));
  return {
    namespace,
    labels: new Map(own),
    namespaceLabels: new Map(mistakes.namespacesWin === true ? [...forged, ...inherited] : [...inherited, ...forged]),
    nets: spec.nets,
    isEverywhere: namespace === undefined && mistakes.setsAreEverywhere === true,
  };
}

function readGroup({ metadata, spec }: Any): NaiveGroup {
  return { name: metadata.name, labels: new Map(Object.entries(metadata.labels)), nets: spec.externalCIDRs };
}

function isInNets(nets: readonly string[], address: Address): boolean {
  return nets.some((net) => {
    const block = readBlock(net);
    return block !== undefined && isIn(address, block);
  });
}

function decide(asked: Asked, peer: NaiveParty, wire: Wire): boolean {
  for (const tier of asked.reading === 'Calico' ? calicoTiers(asked) : plainTiers(asked)) {
    const verdict = tier(peer, wire);
    if (verdict === 'allow') return true;
    if (verdict === 'deny') return false;
  }
  return true;
}

/** Undefined and `pass` go on to the next one. */
type Tier = (peer: NaiveParty, wire: Wire) => Verdict | undefined;

function plainTiers(asked: Asked): Tier[] {
  const { reading, policies } = asked;
  const isIsolated =
    policies.some((one) => one.kind === 'NetworkPolicy' && isolatesPlainly(one, asked)) ||
    policies.some((one) => one.kind.startsWith('Cilium') && isolatesOnCilium(one, asked));
  const isolation: Tier = () => (isIsolated ? 'deny' : undefined);
  const union: Tier = (peer, wire) => {
    const rules = [
      ...policies.flatMap((one) => (one.kind === 'NetworkPolicy' ? networkRules(one, asked) : [])),
      ...policies.flatMap((one) => (one.kind.startsWith('Cilium') ? ciliumRules(one, asked) : [])),
    ];
    const hits = rules.filter(({ about }) => about(peer, wire)).map(({ action }) => action);
    if (hits.includes('deny')) return 'deny';
    return hits.includes('allow') ? 'allow' : undefined;
  };
  // Cilium 1.20.2 reads ClusterNetworkPolicy, and not what was before it (pkg/policy/k8s/cell.go).
  const ofCluster =
    reading === 'Cilium' ? policies.filter(({ kind }) => !kind.endsWith('AdminNetworkPolicy')) : policies;
  const inTier = (tier: string): Tier =>
    first(clusterPolicies(ofCluster, tier).flatMap((one) => adminRules(one, asked)));
  // In the code of Cilium 1.20.2, the tier Baseline opens what NetworkPolicies only leave out.
  const rest = reading === 'Cilium' ? [inTier('Baseline'), isolation] : [isolation, inTier('Baseline')];
  return [inTier('Admin'), union, ...rest];
}

function first(rules: readonly Rule[]): Tier {
  return (peer, wire) => rules.find(({ about }) => about(peer, wire))?.action;
}

function clusterPolicies(policies: readonly Written[], tier: string): Written[] {
  return policies
    .filter(
      ({ kind, spec }: Any) =>
        (kind === 'ClusterNetworkPolicy' && spec.tier === tier) ||
        (kind === 'AdminNetworkPolicy' && tier === 'Admin') ||
        (kind === 'BaselineAdminNetworkPolicy' && tier === 'Baseline'),
    )
    .sort(({ spec: one }: Any, { spec: other }: Any) => (one.priority ?? 0) - (other.priority ?? 0));
}

// ClusterNetworkPolicy and its predecessors.

const adminActions: Readonly<Record<string, Verdict>> = { Accept: 'allow', Allow: 'allow', Deny: 'deny', Pass: 'pass' };

function adminRules({ spec }: Any, { pod, direction, reading, mistakes }: Asked): Rule[] {
  const { namespaces, pods } = spec.subject;
  const isSubject = pods
    ? selects(pods.namespaceSelector, pod.namespaceLabels) && selects(pods.podSelector, pod.labels)
    : selects(namespaces, pod.namespaceLabels);
  if (!isSubject) return [];
  return (spec[direction] ?? []).map((rule: Any): Rule => {
    const action = adminActions[rule.action] ?? 'deny';
    const peers: Any[] = rule[direction === 'ingress' ? 'from' : 'to'] ?? [];
    // "If an implementation sees no fields are set ... it should fail closed": for Accept no traffic, for Deny and Pass "Deny all".
    const isUnknown = action !== 'allow' && peers.some((one) => Object.keys(one).length === 0);
    const listed: Any[] = [...(rule.protocols ?? []), ...(rule.ports ?? [])];
    const about: Rule['about'] = (peer, wire) => {
      const isPeer = peers.some((one) => {
        if (Object.keys(one).length === 0) return action !== 'allow';
        if (one.networks) return hasAddress(one.networks, [], peer, action, reading);
        // Cilium 1.20.2: what has no label of a namespace is matched by `namespaces` that asks for none.
        if (peer.kind !== 'pod') return reading === 'Cilium' && one.namespaces && isNegative(one.namespaces);
        const of = one.pods ?? { namespaceSelector: one.namespaces, podSelector: {} };
        return selects(of.namespaceSelector, peer.namespaceLabels) && selects(of.podSelector, peer.labels);
      });
      const named = namesOf(pod, direction, peer, mistakes);
      return isPeer && (listed.length === 0 || listed.some((one) => isAdminPort(one, wire, named)));
    };
    return { action: isUnknown ? 'deny' : action, about };
  });
}

function isNegative({ matchLabels = {}, matchExpressions = [] }: Any): boolean {
  if (Object.keys(matchLabels).length > 0 || matchExpressions.length === 0) return false;
  return matchExpressions.every(({ operator }: Any) => operator === 'NotIn' || operator === 'DoesNotExist');
}

function isAdminPort(one: Any, { protocol, port }: Wire, named: NaivePod['ports']): boolean {
  const name = one.destinationNamedPort ?? one.namedPort;
  if (name !== undefined)
    return named.some((own) => own.name === name && own.protocol === protocol && own.containerPort === port);
  if (one.portNumber) return one.portNumber.protocol === protocol && one.portNumber.port === port;
  if (one.portRange) {
    const { portRange } = one;
    return portRange.protocol === protocol && portRange.start <= port && port <= portRange.end;
  }
  const of = one[protocol.toLowerCase()];
  if (of === undefined) return false;
  const { number, range } = of.destinationPort ?? {};
  if (number !== undefined) return number === port;
  return range === undefined || (range.start <= port && port <= range.end);
}

// NetworkPolicy.

function isAboutPlainly({ metadata, spec }: Any, pod: NaivePod): boolean {
  return metadata.namespace === pod.namespace && selects(spec.podSelector, pod.labels);
}

const typeOf = { ingress: 'Ingress', egress: 'Egress' } as const;

function isolatesPlainly(policy: Any, { pod, direction, reading }: Asked): boolean {
  if (!isAboutPlainly(policy, pod)) return false;
  if (policy.spec.policyTypes.includes(typeOf[direction])) return true;
  return reading === 'Cilium' && (policy.spec[direction] ?? []).length > 0;
}

function networkRules(policy: Any, { pod, direction, reading, mistakes }: Asked): Rule[] {
  const { spec } = policy;
  const isRead = spec.policyTypes.includes(typeOf[direction]) || reading === 'enforced' || reading === 'Cilium';
  if (!isAboutPlainly(policy, pod) || !isRead) return [];
  return (spec[direction] ?? []).map((rule: Any): Rule => {
    const peers: Any[] = (direction === 'ingress' ? rule.from : rule.to) ?? [];
    const ports: Any[] = rule.ports ?? [];
    return {
      action: 'allow',
      about(peer, wire) {
        const isPeer = peers.length === 0 || peers.some((one) => isPlainPeer(one, peer, pod, reading));
        const named = namesOf(pod, direction, peer, mistakes);
        return isPeer && (ports.length === 0 || ports.some((one) => isPlainPort(one, wire, named)));
      },
    };
  });
}

function isPlainPeer(one: Any, peer: NaiveParty, pod: NaivePod, reading: EngineReading): boolean {
  if (one.ipBlock) return hasAddress([one.ipBlock.cidr], one.ipBlock.except ?? [], peer, 'allow', reading);
  if (peer.kind !== 'pod') return false;
  const isNamespace = one.namespaceSelector
    ? selects(one.namespaceSelector, peer.namespaceLabels)
    : peer.namespace === pod.namespace;
  return isNamespace && selects(one.podSelector ?? {}, peer.labels);
}

function isPlainPort({ protocol = 'TCP', port: written, endPort }: Any, wire: Wire, named: NaivePod['ports']): boolean {
  if (protocol !== wire.protocol) return false;
  if (typeof written === 'string')
    return named.some((own) => own.name === written && own.protocol === protocol && own.containerPort === wire.port);
  return written === undefined || (written <= wire.port && wire.port <= (endPort ?? written));
}

/** "A named port ... on a pod": of the one that the connection goes to. */
function namesOf(
  pod: NaivePod,
  direction: Direction,
  peer: NaiveParty,
  { namesOfSource }: Mistakes,
): NaivePod['ports'] {
  const isOwn = (direction === 'ingress') !== (namesOfSource === true);
  if (isOwn) return pod.ports;
  return peer.kind === 'pod' ? peer.ports : [];
}

// Addresses.

/** For pods and nodes too, but on Cilium. Of several addresses one is enough, while a denial is sure only where all are denied. */
function hasAddress(
  nets: readonly string[],
  excepts: readonly string[],
  peer: NaiveParty,
  action: Verdict,
  reading: EngineReading,
  within: readonly string[] = ['0.0.0.0/0', '::/0'],
): boolean {
  const blockOf = (text: string): Block[] => readBlock(text.includes('/') ? text : `${text}/32`) ?? ([] as Any);
  const [into, out] = [nets.flatMap(blockOf), excepts.flatMap(blockOf)];
  const both = within.flatMap(blockOf);
  const isInside = (address: Address) =>
    [into, both].every((list) => list.some((one) => isIn(address, one))) && !out.some((one) => isIn(address, one));
  if (peer.kind === 'address') return isInside(peer.address);
  if (peer.kind === 'name' || reading === 'Cilium') return false;
  const own = peer.kind === 'pod' ? peer.addresses : [];
  if (own.length > 0) return action === 'deny' ? own.every(isInside) : own.some(isInside);
  // Any address of its network: those where something begins or ends decide.
  const network = readBlock(peer.kind === 'pod' ? podNetwork : nodeNetwork) as Block;
  const ends = [network, ...into, ...both, ...out].flatMap(({ family, first, last }) =>
    [first - 1n, first, last, last + 1n].map((value): Address => ({ family, value })),
  );
  const possible = ends.filter((one) => isIn(one, network));
  return action === 'deny' ? possible.every(isInside) : possible.some(isInside);
}

// CiliumNetworkPolicy.

const specsOf = ({ spec, specs = [] }: Any): Any[] => [...(spec ? [spec] : []), ...specs];

function ciliumLabels(pod: NaivePod): Labels {
  return new Map([
    ...pod.labels,
    ['io.kubernetes.pod.namespace', pod.namespace],
    ...[...pod.namespaceLabels].map(([key, value]) => [`io.cilium.k8s.namespace.labels.${key}`, value] as const),
  ]);
}

const withoutSource = (key: string) => key.replace(/^(k8s|any):/, '');

function unsourced({ matchLabels = {}, matchExpressions = [] }: Any): WrittenSelector {
  return {
    matchLabels: Object.fromEntries(
      Object.entries<string>(matchLabels).map(([key, value]) => [withoutSource(key), value]),
    ),
    matchExpressions: matchExpressions.map((one: Any) => ({ ...one, key: withoutSource(one.key) })),
  };
}

const isCiliumSubject = (policy: Any, spec: Any, pod: NaivePod) =>
  policy.metadata.namespace === undefined
    ? selects(unsourced(spec.endpointSelector), ciliumLabels(pod))
    : policy.metadata.namespace === pod.namespace && selects(unsourced(spec.endpointSelector), pod.labels);

const denyField = { ingress: 'ingressDeny', egress: 'egressDeny' } as const;

function isolatesOnCilium(policy: Any, { pod, direction }: Asked): boolean {
  return specsOf(policy).some((spec) => {
    const count = (spec[direction] ?? []).length + (spec[denyField[direction]] ?? []).length;
    return isCiliumSubject(policy, spec, pod) && count > 0 && spec.enableDefaultDeny?.[direction] !== false;
  });
}

function ciliumRules(policy: Any, asked: Asked): Rule[] {
  const { pod, direction, mistakes } = asked;
  return specsOf(policy).flatMap((spec) => {
    if (!isCiliumSubject(policy, spec, pod)) return [];
    const ruleOf = (rule: Any, action: Verdict): Rule => ({
      action,
      about: (peer, wire) =>
        isCiliumPeer(rule, action, peer, policy.metadata.namespace, asked) &&
        isCiliumPort(rule, wire, namesOf(pod, direction, peer, mistakes)),
    });
    return [
      ...(spec[direction] ?? []).map((rule: Any) => ruleOf(rule, 'allow')),
      ...(spec[denyField[direction]] ?? []).map((rule: Any) => ruleOf(rule, 'deny')),
    ];
  });
}

function isCiliumPeer(rule: Any, action: Verdict, peer: NaiveParty, own: string | undefined, asked: Asked): boolean {
  const prefix = asked.direction === 'ingress' ? 'from' : 'to';
  const listed = Object.keys(rule).filter((name) => name.startsWith(prefix) && name !== 'toPorts');
  // Without peers: everybody where something is said of ports, else nobody.
  if (listed.length === 0) return (rule.toPorts ?? []).length + (rule.icmps ?? []).length > 0;
  return listed.some((name) => {
    const items: Any[] = rule[name];
    switch (name.slice(prefix.length)) {
      case 'Endpoints':
        return peer.kind === 'pod' && items.some((selector) => isCiliumEndpoint(selector, peer, own));
      case 'CIDR':
        return hasAddress(items, [], peer, 'allow', 'Cilium');
      case 'CIDRSet':
        return items.some((item) =>
          item.cidr === undefined
            ? isInGroups(item, peer, asked)
            : hasAddress([item.cidr], item.except ?? [], peer, 'allow', 'Cilium'),
        );
      case 'Nodes':
        return peer.kind === 'node' && items.some((selector) => isOfNodes(selector, action));
      case 'Services': {
        const meant = asked.services.filter((service) => items.some((item) => isMeantService(item, service)));
        // Nothing is put in place of it, and a rule without peers and with ports is for everybody.
        if (meant.length === 0) return (rule.toPorts ?? []).length + (rule.icmps ?? []).length > 0;
        return (
          peer.kind === 'pod' &&
          meant.some(
            ({ metadata, spec }: Any) =>
              metadata.namespace === peer.namespace && selects({ matchLabels: spec.selector }, peer.labels),
          )
        );
      }
      case 'Entities':
        return items.some((entity) => isEntity(entity, peer));
      case 'FQDNs':
        return peer.kind === 'name' && items.some((item) => isName(item, peer.name));
      default:
        throw new Error(`${name} is not known here`);
    }
  });
}

/** The own namespace, unless the selector says something of namespaces. */
function isCiliumEndpoint(written: Any, peer: NaivePod, own: string | undefined): boolean {
  const selector = unsourced(written);
  const keys = [...Object.keys(selector.matchLabels ?? {}), ...(selector.matchExpressions ?? []).map(({ key }) => key)];
  const isOfNamespace = keys.some(
    (key) => key === 'io.kubernetes.pod.namespace' || key.startsWith('io.cilium.k8s.namespace.labels.'),
  );
  return selects(selector, ciliumLabels(peer)) && (isOfNamespace || own === undefined || peer.namespace === own);
}

/** An address has the labels of every group that lists it, and a value of one of them is enough. */
function isInGroups({ cidrGroupRef, cidrGroupSelector }: Any, peer: NaiveParty, { groups, mistakes }: Asked): boolean {
  if (peer.kind !== 'address') return false;
  const own = groups.filter(({ nets }) => isInNets(nets, peer.address));
  if (cidrGroupRef !== undefined) return own.some(({ name }) => name === cidrGroupRef);
  const { matchLabels = {}, matchExpressions = [] } = cidrGroupSelector;
  if (mistakes.groupsAreApart === true) return own.some(({ labels }) => selects(cidrGroupSelector, labels));
  const written: Any[] = [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    ...matchExpressions,
  ];
  return written.every(({ key, operator, values }) => {
    const has = own.some(({ labels }) => (values === undefined ? labels.has(key) : values.includes(labels.get(key))));
    return operator === 'In' || operator === 'Exists' ? has : !has;
  });
}

export function isMeantService(
  { k8sService, k8sServiceSelector }: Any,
  { metadata }: Pick<Written, 'metadata'>,
): boolean {
  const { namespace = metadata.namespace } = k8sService ?? k8sServiceSelector;
  if (namespace !== metadata.namespace) return false;
  if (k8sService) return k8sService.serviceName === metadata.name;
  return selects(k8sServiceSelector.selector, new Map(Object.entries(metadata.labels ?? {})));
}

/** One node is enough to open, and a denial is sure where it is about each. `node:` is the source of their labels. */
function isOfNodes(written: Any, action: Verdict): boolean {
  const selector: WrittenSelector = JSON.parse(JSON.stringify(written).replaceAll('"node:', '"'));
  const isOf = (labels: object) => selects(selector, new Map(Object.entries(labels)));
  return action === 'deny' ? nodeLabels.every(isOf) : nodeLabels.some(isOf);
}

function isEntity(entity: string, { kind }: NaiveParty): boolean {
  if (entity === 'all') return true;
  if (entity === 'world') return kind === 'address' || kind === 'name';
  if (entity === 'cluster') return kind === 'pod' || kind === 'node';
  return entity === 'remote-node' && kind === 'node';
}

function isName({ matchName, matchPattern }: Any, name: string): boolean {
  if (matchName !== undefined) return matchName === name;
  const [, suffix = ''] = /^\*(\..*)$/.exec(matchPattern) ?? [];
  return name.endsWith(suffix) && !name.slice(0, -suffix.length).includes('.');
}

/** ICMP is none of the wires. */
function isCiliumPort(rule: Any, wire: Wire, named: NaivePod['ports']): boolean {
  const lists: Any[] = rule.toPorts ?? [];
  if (lists.length + (rule.icmps ?? []).length === 0) return true;
  return lists.some(({ ports = [] }) =>
    ports.some(({ port, endPort, protocol = 'ANY' }: Any) => {
      if (protocol !== 'ANY' && protocol !== wire.protocol) return false;
      if (port === '0') return true;
      if (/[a-z]/.test(port))
        return named.some(
          (own) => own.name === port && own.protocol === wire.protocol && own.containerPort === wire.port,
        );
      return Number(port) <= wire.port && wire.port <= (endPort ?? Number(port));
    }),
  );
}

// Calico.

interface CalicoPolicy {
  readonly tier: string;
  readonly order: number;
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly selects: boolean;
}

/** Tiers that Calico has by itself: order, and whether what is not decided goes on. */
const ownTiers: Readonly<Record<string, readonly [order: number, passes: boolean]>> = {
  'kube-admin': [1_000, true],
  default: [1_000_000, false],
  'kube-baseline': [10_000_000, true],
};

/** Of equal orders, the smaller text comes first (felix/calc, PolKVLess). */
function tie({ metadata }: Any, kind: string): string {
  return [metadata.name, metadata.namespace ?? '', kind].join('/');
}

function calicoTiers(asked: Asked): Tier[] {
  const { policies, direction, mistakes } = asked;
  const all = policies.flatMap((policy: Any): CalicoPolicy[] => {
    if (policy.kind === 'Tier') return [];
    if (policy.kind === 'ClusterNetworkPolicy') {
      const tier = policy.spec.tier === 'Admin' ? 'kube-admin' : 'kube-baseline';
      const rules = adminRules(policy, asked);
      const name = tie(policy, 'KubernetesClusterNetworkPolicy');
      return [{ tier, order: policy.spec.priority, name, rules, selects: false }];
    }
    const isCalicos = policy.apiVersion === 'projectcalico.org/v3';
    if (!isCalicos) {
      const rules = networkRules(policy, asked);
      const isSelecting = isolatesPlainly(policy, asked);
      const name = tie(policy, 'KubernetesNetworkPolicy');
      return [{ tier: 'default', order: 1000, name, rules, selects: isSelecting }];
    }
    const { tier = 'default', order = Number.POSITIVE_INFINITY } = policy.spec;
    const isSelecting = isCalicoSubject(policy, asked) && calicoTypes(policy.spec).includes(typeOf[direction]);
    const rules = isSelecting ? calicoRules(policy, asked) : [];
    return [{ tier, order, name: tie(policy, policy.kind), rules, selects: isSelecting }];
  });
  const written = new Map(
    policies
      .filter(({ kind }) => kind === 'Tier')
      .map(({ metadata, spec }: Any) => [metadata.name, [spec.order, spec.defaultAction === 'Pass']] as const),
  );
  // A policy of a tier that is not there is in force in no cluster; here it comes last.
  const tierOf = (name: string) => written.get(name) ?? ownTiers[name] ?? [Number.POSITIVE_INFINITY, false];
  const tiers = [...new Set(all.map(({ tier }) => tier))].sort((one, other) => {
    const [left, right] = [tierOf(one)[0], tierOf(other)[0]];
    return left === right ? (one < other ? -1 : 1) : left - right;
  });
  return tiers.map((name): Tier => {
    const own = all
      .filter(({ tier }) => tier === name)
      .sort((one, other) => (one.order === other.order ? (one.name < other.name ? -1 : 1) : one.order - other.order));
    const [, passes] = tierOf(name);
    const isClosed = own.some((one) => one.selects) && (!passes || mistakes.tiersEndInDenial === true);
    const rules = own.flatMap((one) => one.rules);
    return (peer, wire) => rules.find(({ about }) => about(peer, wire))?.action ?? (isClosed ? 'deny' : undefined);
  });
}

function isCalicoSubject({ kind, metadata, spec }: Any, { pod }: Asked): boolean {
  const isThere =
    kind === 'GlobalNetworkPolicy'
      ? isCalicoNamespace(spec.namespaceSelector || 'all()', pod)
      : metadata.namespace === pod.namespace;
  return isThere && isCalicoMatch(spec.selector || 'all()', pod.labels);
}

/** `all()` is what is in a namespace, and `global()` what is in none. The own labels of a set may say what its namespace has. */
function isCalicoNamespace(text: string, { namespace, namespaceLabels }: CalicoLabels): boolean {
  if (text === 'global()') return namespace === undefined;
  if (text === 'all()') return namespace !== undefined;
  const names =
    namespace === undefined ? [] : [['projectcalico.org/name', namespaceLabels.get(nameLabel) ?? ''] as const];
  return isCalicoMatch(text, new Map([...namespaceLabels, ...names]));
}

function calicoTypes({ types, ingress = [], egress = [] }: Any): readonly string[] {
  if (types) return types;
  if (egress.length === 0) return ['Ingress'];
  return ingress.length > 0 ? ['Ingress', 'Egress'] : ['Egress'];
}

const protocolNames: Readonly<Record<string, string>> = { 6: 'TCP', 17: 'UDP', 132: 'SCTP' };

function calicoRules({ metadata, spec }: Any, { pod, direction, mistakes, sets }: Asked): Rule[] {
  return (spec[direction] ?? []).flatMap((rule: Any): Rule[] => {
    if (rule.action === 'Log') return [];
    const [remote, local] = direction === 'ingress' ? ['source', 'destination'] : ['destination', 'source'];
    const { protocol: written, notProtocol, destination = {} } = rule;
    const action = rule.action.toLowerCase() as Verdict;
    const about: Rule['about'] = (peer, wire) => {
      if (written !== undefined && (protocolNames[written] ?? written) !== wire.protocol) return false;
      if (notProtocol !== undefined && (protocolNames[notProtocol] ?? notProtocol) === wire.protocol) return false;
      const named = namesOf(pod, direction, peer, mistakes);
      if (destination.ports && !destination.ports.some((one: Any) => isCalicoPort(one, wire, named))) return false;
      if (destination.notPorts?.some((one: Any) => isCalicoPort(one, wire, named))) return false;
      // Of a GlobalNetworkPolicy, selectors that say nothing of namespaces are about all of them.
      const namespace = metadata.namespace ?? (mistakes.globalIsOfNamespace === true ? pod.namespace : undefined);
      const isIn = (entity: Any, party: NaiveParty) => isCalicoEntity(entity ?? {}, party, namespace, action, sets);
      return isIn(rule[remote as string], peer) && isIn(rule[local as string], pod);
    };
    return [{ action, about }];
  });
}

function isCalicoPort(one: number | string, { protocol, port }: Wire, named: NaivePod['ports']): boolean {
  if (typeof one === 'number') return one === port;
  const [first = '', last = first] = one.split(':');
  if (/^[0-9]/.test(one)) return Number(first) <= port && port <= Number(last);
  return named.some((own) => own.name === one && own.protocol === protocol && own.containerPort === port);
}

/** The own namespace, as soon as one of the selectors is used and none is of namespaces. */
function isCalicoEntity(
  entity: Any,
  party: NaiveParty,
  namespace: string | undefined,
  action: Verdict,
  sets: readonly NaiveSet[],
): boolean {
  const { selector, notSelector, namespaceSelector, nets, notNets } = entity;
  const [into, out] = [nets ?? ['0.0.0.0/0', '::/0'], notNets ?? []];
  const isInNets = nets === undefined && notNets === undefined ? true : hasAddress(into, out, party, action, 'Calico');
  if (!(selector ?? notSelector ?? namespaceSelector)) return isInNets;
  // "Packets that come from outside the set of known endpoints too."
  if (namespace === undefined && !selector && !namespaceSelector) {
    const left = sets.filter(({ labels }) => isCalicoMatch(notSelector, labels)).flatMap((one) => one.nets);
    const isPod = party.kind === 'pod' && isCalicoMatch(notSelector, party.labels);
    // To be left out for sure, all addresses must be.
    const isLeft = left.length > 0 && hasAddress(left, [], party, action === 'deny' ? 'allow' : 'deny', 'Calico');
    return !isPod && !isLeft && isInNets;
  }
  const hasLabels = (one: CalicoLabels): boolean => {
    const isThere = namespaceSelector
      ? isCalicoNamespace(namespaceSelector, one)
      : namespace === undefined || one.namespace === namespace;
    return (
      isThere &&
      !(selector && !isCalicoMatch(selector, one.labels)) &&
      !(notSelector && isCalicoMatch(notSelector, one.labels))
    );
  };
  if (party.kind === 'pod' && hasLabels(party) && isInNets) return true;
  const named = sets
    .filter((one) => hasLabels(one) || (one.isEverywhere && hasLabels({ ...one, namespace })))
    .flatMap((one) => one.nets);
  return named.length > 0 && hasAddress(named, out, party, action, 'Calico', into);
}

interface CalicoLabels {
  readonly namespace: string | undefined;
  readonly labels: Labels;
  readonly namespaceLabels: Labels;
}
