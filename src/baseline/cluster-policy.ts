/**
 * ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2, as far as Bulkhead writes it, and its limits: 25 rules for each direction,
 * 25 peers and 25 protocols for each rule, 25 networks for each peer (network-policy-api 0.2 to 0.3, the schema of the CRD).
 */
import { valueAt } from '../kubernetes/json.ts';
import type { LabelSelector } from '../kubernetes/label-selector.ts';
import { meshClusterLabel, type StringMap } from '../kubernetes/objects.ts';
import { allPorts, containsPort, mergedPorts, type PortRange } from '../kubernetes/port-range.ts';
import type { Direction } from '../tenancy/tenant.ts';

export const clusterPolicyVersion = 'policy.networking.k8s.io/v1alpha2';

export const clusterPoliciesPath = `/apis/${clusterPolicyVersion}/clusternetworkpolicies`;

/** @param discovery what the API server answers at `/apis/` and this version; undefined: nothing is there */
export function servesClusterPolicies(discovery: unknown): boolean {
  const resources = valueAt(discovery, 'resources');
  return Array.isArray(resources) && resources.some((one) => valueAt(one, 'name') === 'clusternetworkpolicies');
}

const most = 25;

export type ClusterPeer =
  | { readonly namespaces: LabelSelector }
  | { readonly pods: { readonly namespaceSelector: LabelSelector; readonly podSelector: LabelSelector } }
  /** For egress alone. */
  | { readonly networks: readonly string[] };

type Destination = { readonly number: number } | { readonly range: { readonly start: number; readonly end: number } };

type ClusterProtocol = Readonly<Partial<Record<'tcp' | 'udp' | 'sctp', { readonly destinationPort: Destination }>>>;

export interface ClusterRule {
  /** `Pass` leaves traffic to NetworkPolicies, past all later rules of the tier. */
  readonly action: 'Pass' | 'Deny';
  readonly from?: readonly ClusterPeer[];
  readonly to?: readonly ClusterPeer[];
  /** Left out: every port of every protocol. */
  readonly protocols?: readonly ClusterProtocol[];
}

/** Whole, as it is sent to the API server: fields that it would drop or fill in are as it leaves them. */
export interface ClusterPolicy {
  readonly apiVersion: typeof clusterPolicyVersion;
  readonly kind: 'ClusterNetworkPolicy';
  readonly metadata: { readonly name: string; readonly labels: StringMap; readonly annotations: StringMap };
  readonly spec: {
    readonly tier: 'Admin';
    readonly priority: number;
    readonly subject: { readonly namespaces: LabelSelector };
    readonly ingress?: readonly ClusterRule[];
    readonly egress?: readonly ClusterRule[];
  };
}

/** Some traffic of the subject: with these peers, on these ports. */
export interface Crossing {
  readonly direction: Direction;
  /** Not empty. */
  readonly peers: readonly ClusterPeer[];
  /** Empty: every port. */
  readonly ports: readonly PortRange[];
}

/** Both lists of rules, for one policy after the other. One direction may end before the other. */
export type RulesOfPolicy = Pick<ClusterPolicy['spec'], 'ingress' | 'egress'>;

/** The rules for all of the traffic, split so that each policy keeps the limits of the API. All have one action, so their order is free. */
export function rulesFor(action: ClusterRule['action'], crossings: readonly Crossing[]): readonly RulesOfPolicy[] {
  const of = (direction: Direction): readonly (readonly ClusterRule[])[] =>
    inParts(
      crossings.filter((one) => one.direction === direction).flatMap((one) => splitRule(action, one)),
      most,
    );
  const [ingress, egress] = [of('ingress'), of('egress')];
  return Array.from({ length: Math.max(ingress.length, egress.length) }, (_, index) => ({
    ...(ingress[index] && { ingress: ingress[index] }),
    ...(egress[index] && { egress: egress[index] }),
  }));
}

/** Networks as peers, as few as the limits let. */
export function networkPeers(networks: readonly string[]): readonly ClusterPeer[] {
  return inParts(networks, most).map((part) => ({ networks: part }));
}

/**
 * These pods of the own cluster, and of the other clusters of a mesh of Cilium that are listed.
 *
 * `pods` and not `namespaces`: in a mesh, `namespaces` would also pass namespaces of all other clusters with these labels. To deny,
 * `namespaces` is right for the same reason. Of `pods`, Cilium adds the own cluster unless the selector has the key of the cluster.
 */
export function podPeers(
  namespaceSelector: LabelSelector,
  podSelector: LabelSelector,
  clusters: ReadonlySet<string> | undefined,
): readonly ClusterPeer[] {
  const own: ClusterPeer = { pods: { namespaceSelector, podSelector } };
  if (clusters === undefined || clusters.size === 0) return [own];
  const isThere = { key: meshClusterLabel, operator: 'In', values: [...clusters].sort() } as const;
  const matchExpressions = [...(podSelector.matchExpressions ?? []), isThere];
  return [own, { pods: { namespaceSelector, podSelector: { ...podSelector, matchExpressions } } }];
}

function splitRule(action: ClusterRule['action'], { direction, peers, ports }: Crossing): readonly ClusterRule[] {
  const isEvery = ports.length === 0 || allPorts.every((all) => containsPort(ports, all));
  const groups = isEvery ? [undefined] : inParts(mergedPorts(ports).map(protocolOf), most);
  return groups.flatMap((protocols) =>
    inParts(peers, most).map((part) => ({
      action,
      ...(direction === 'ingress' ? { from: part } : { to: part }),
      ...(protocols && { protocols }),
    })),
  );
}

/** A protocol must have a port, so all of them are written out. The ends of a range must differ. */
function protocolOf({ protocol, first, last }: PortRange): ClusterProtocol {
  const destinationPort = first === last ? { number: first } : { range: { start: first, end: last } };
  const names = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const;
  return { [names[protocol]]: { destinationPort } };
}

function inParts<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  const parts: Item[][] = [];
  for (let begin = 0; begin < items.length; begin += size) parts.push(items.slice(begin, begin + size));
  return parts;
}
