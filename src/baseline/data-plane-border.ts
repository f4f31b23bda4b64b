/**
 * The border of a tenant as the network itself keeps it (network.clusterPolicy): ClusterNetworkPolicies of tier Admin, which no policy of a
 * tenant can override. Pure.
 *
 *   bulkhead-<tenant>.within           passes the pods of the tenant
 *   bulkhead-<tenant>.gate.<other>     passes what both halves of the gates with another tenant agree on
 *   bulkhead-<tenant>.service.<name>   passes a shared service
 *   bulkhead-<tenant>.vouched          passes the single addresses that the platform answers for
 *   bulkhead-<tenant>.deny             denies all other pods, metadata addresses, and nodes where the settings say so
 *
 * To pass is not to allow: NetworkPolicies decide then, the default-deny policy among them.
 *
 * Each object is about one counterpart, so that a change of one grant touches no other and moves no rule from object to object. All
 * that pass share one priority, and so do all that deny: whichever of several with one action counts first, the result is the same. So the
 * priorities of one tenant never run out, and those of two tenants have different subjects.
 */
import { destinations, nat64Base } from '../kubernetes/embedded-ipv4.ts';
import { blocksOf, formatRange, type IpRange } from '../kubernetes/ip-range.ts';
import { type IpSet, intersect, normalise, subtract } from '../kubernetes/ip-set.ts';
import type { LabelSelector } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { once } from '../kubernetes/once.ts';
import { commonPorts, orAllPorts } from '../kubernetes/port-range.ts';
import { openPorts, serves } from '../tenancy/served-tenants.ts';
import type { Settings, SharedService } from '../tenancy/settings.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction, Gate, Tenant } from '../tenancy/tenant.ts';
import { withoutEmptyParts } from './baseline.ts';
import {
  type ClusterPeer,
  type ClusterPolicy,
  type Crossing,
  clusterPolicyVersion,
  networkPeers,
  podPeers,
  rulesFor,
} from './cluster-policy.ts';
import { descriptionAnnotation, managedByLabel, managedByValue, managedPrefix } from './managed.ts';

/**
 * Of tier Admin. The platform has 0 to 97 for policies that come first. Below 100, because OVN-Kubernetes took no greater ones for
 * AdminNetworkPolicy.
 */
export const borderPriorities = { pass: 98, deny: 99 } as const;

/** What must be there before what. */
export interface DataPlaneBorder {
  readonly passes: readonly ClusterPolicy[];
  readonly denies: readonly ClusterPolicy[];
}

const directions = ['ingress', 'egress'] as const;

/**
 * @param now milliseconds since the epoch
 * @returns the same objects in the same order for the same input
 */
export function dataPlaneBorder(tenant: Tenant, tenancy: Tenancy, now: number): DataPlaneBorder {
  const { settings } = tenancy;
  const denied = deniedNetworks(settings);
  const policies = (
    what: string,
    description: string,
    action: 'Pass' | 'Deny',
    crossings: readonly Crossing[],
  ): readonly ClusterPolicy[] =>
    rulesFor(action, crossings).map((rules, index) => ({
      apiVersion: clusterPolicyVersion,
      kind: 'ClusterNetworkPolicy',
      metadata: {
        name: `${namePrefixOf(tenant.name)}${what}${index === 0 ? '' : `.${index + 1}`}`,
        labels: { [managedByLabel]: managedByValue, [settings.tenantLabel]: tenant.name },
        annotations: { [descriptionAnnotation]: description },
      },
      spec: {
        tier: 'Admin',
        priority: action === 'Pass' ? borderPriorities.pass : borderPriorities.deny,
        subject: { namespaces: ofTenant(tenant.name, settings) },
        ...rules,
      },
    }));
  const own = podPeers(ofTenant(tenant.name, settings), {}, tenant.network.clusters);
  const within = directions.map((direction) => ({ direction, peers: own, ports: [] }));
  const others = new Set(tenant.network.gates.map((gate) => gate.tenant));
  const services = Map.groupBy(
    settings.sharedServices.filter((service) => serves(service, tenant)),
    ({ name }) => name,
  );
  return {
    passes: [
      ...policies('within', `Leaves traffic inside tenant ${tenant.name} to NetworkPolicies.`, 'Pass', within),
      ...[...others]
        .filter((other) => other !== tenant.name)
        .sort()
        .flatMap((other) => {
          const open = directions.flatMap((direction) => gateWith(other, direction, tenant, tenancy, now));
          return policies(`gate.${other}`, `Leaves the gate with tenant ${other} to NetworkPolicies.`, 'Pass', open);
        }),
      ...[...services].flatMap(([name, halves]) => {
        const open = halves.flatMap((half) => serviceOpens(half, denied));
        return policies(`service.${name}`, `Leaves the shared service ${name} to NetworkPolicies.`, 'Pass', open);
      }),
      ...policies('vouched', 'Leaves vouched addresses to NetworkPolicies.', 'Pass', vouched(tenant, denied, now)),
    ],
    denies: policies(
      'deny',
      `Denies traffic with pods outside tenant ${tenant.name} that no other policy of Bulkhead passes.`,
      'Deny',
      [
        ...directions.map((direction) => ({ direction, peers: [{ namespaces: {} }], ports: [] })),
        { direction: 'egress' as const, peers: networkPeers(texts(denied)), ports: [] },
      ],
    ),
  };
}

/** No tenant name has a dot, so the names of two tenants never meet. */
function namePrefixOf(tenant: string): string {
  return `${managedPrefix}${tenant}.`;
}

/** The tenant whose border an object of this name belongs to; undefined where it is not named as one of a border. */
export function tenantOfName(name: string): string | undefined {
  if (!name.startsWith(managedPrefix)) return undefined;
  const dot = name.indexOf('.');
  return dot > managedPrefix.length ? name.slice(managedPrefix.length, dot) : undefined;
}

/** Whether an object of this name, which is one of a border, denies. */
export function isDenyName(name: string): boolean {
  return name.split('.')[1] === 'deny';
}

/** Milliseconds since the epoch: when the end of a vouched address changes the border next; infinite: none does. */
export function nextVouchedEnd({ network }: Tenant, now: number): number {
  const ends = network.vouched.flatMap(({ expires }) => (expires !== undefined && expires > now ? [expires] : []));
  return Math.min(...ends, Number.POSITIVE_INFINITY);
}

function ofTenant(name: string, { tenantLabel }: Settings): LabelSelector {
  return { matchLabels: { [tenantLabel]: name } };
}

/** A gate passes what both tenants declare, while neither half has expired. */
function gateWith(
  other: string,
  direction: Direction,
  tenant: Tenant,
  tenancy: Tenancy,
  now: number,
): readonly Crossing[] {
  const { own, theirs } = tenancy.gates(tenant, other, direction, now);
  // Each gate of the own half by itself: it has clusters of its own.
  return own.flatMap((gate) => {
    const passed = (peers: readonly ClusterPeer[], halves: readonly Gate[]): readonly Crossing[] => {
      const ports = commonPorts(
        orAllPorts(gate.ports),
        halves.flatMap((half) => orAllPorts(half.ports)),
      );
      return peers.length === 0 || ports.length === 0 ? [] : [{ direction, peers, ports }];
    };
    const peers = podPeers(ofTenant(other, tenancy.settings), {}, gate.clusters);
    const declared = theirs.filter(({ agreed }) => agreed !== true);
    return [...passed(peers.slice(0, 1), theirs), ...passed(peers.slice(1), declared)];
  });
}

/** Whichever policy may open it: what the baseline opens, and what policies of the tenant may. */
function serviceOpens(service: SharedService, denied: IpSet): readonly Crossing[] {
  const { direction, namespace, podSelector, addresses, endpoints = [], clusters } = service;
  const ports = openPorts(direction, service.ports);
  const pods: readonly Crossing[] =
    namespace === undefined || podSelector === undefined
      ? []
      : [
          {
            direction,
            peers: podPeers(
              { matchLabels: { [namespaceNameLabel]: namespace } },
              withoutEmptyParts(podSelector),
              clusters,
            ),
            ports,
          },
        ];
  // Nothing denies ingress by address.
  if (direction === 'ingress') return pods;
  const atAddresses = addresses.length === 0 ? [] : [{ direction, peers: peersAt(addresses, denied), ports }];
  return [
    ...pods,
    ...atAddresses,
    ...endpoints.map(({ address, ports }) => ({
      ...{ direction, peers: peersAt([address], denied), ports: openPorts(direction, ports) },
    })),
  ];
}

function vouched({ network }: Tenant, denied: IpSet, now: number): readonly Crossing[] {
  return network.vouched
    .filter(({ direction, expires }) => direction === 'egress' && (expires === undefined || now < expires))
    .map(({ address, ports }) => ({ direction: 'egress' as const, peers: peersAt([address], denied), ports }));
}

/** As they are written, and in the other spellings of those that would be denied. */
function peersAt(addresses: readonly IpRange[], denied: IpSet): readonly ClusterPeer[] {
  return networkPeers(texts(normalise([...addresses, ...intersect(spelt(addresses), denied)])));
}

/**
 * The same for all tenants. Of the cluster, only what is named so: a metadata address, a node. A Service has its address in front of pods
 * that are judged themselves.
 */
const deniedNetworks = once(({ protectedRanges, clusterPolicy }: Settings): IpSet => {
  const among = (isSuch: (range: Settings['protectedRanges'][number]) => boolean): IpSet =>
    spelt(protectedRanges.filter(isSuch).map(({ range }) => range));
  return subtract(
    among(
      ({ kind, name }) =>
        kind === 'metadata' || kind === 'link-local' || (clusterPolicy?.deniesNodes === true && name === nodeRange),
    ),
    among(({ name }) => name === serviceRange),
  );
});

/** As parse-cluster-addresses.ts names them. */
const [nodeRange, serviceRange] = ['node network', 'service network'];

/** All addresses from which traffic arrives there: IPv4 also as NAT64 writes it. */
function spelt(ranges: readonly IpRange[]): IpSet {
  const reached = destinations(normalise(ranges));
  const behindNat64 = reached
    .filter(({ family }) => family === 4)
    .map(({ first, last }): IpRange => ({ family: 6, first: nat64Base | first, last: nat64Base | last }));
  return normalise([...reached, ...behindNat64]);
}

function texts(set: IpSet): readonly string[] {
  return set.flatMap((range) => blocksOf(range).map(formatRange));
}
