/**
 * What a policy of the platform lets tenants do to each other past their own policies, and which of its rules decide nothing. Pure. It is
 * judged by what tenants there are: the platform may write anything, and is only warned.
 */
import { intersect } from '../kubernetes/ip-set.ts';
import { type Domain, domainFor, freshValue, labelsOutside, type Selector } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { allPorts, containsPort, type Port, type PortRange } from '../kubernetes/port-range.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { AdminPeer, AdminPods, AdminPolicy, AdminRule } from './dialects/admin-policy.ts';
import { possibleNames } from './namespace-name.ts';
import { shutPorts } from './open-ports.ts';

export interface AdminFlaw {
  /** `past`: it passes what the border in the network would deny. */
  readonly kind: 'crossing' | 'past' | 'dead' | 'unknown';
  readonly path: string;
  /** Follows the path. */
  readonly reason: string;
}

/**
 * @param denying the priority at which the border in the network denies, with network.clusterPolicy
 * @param now     milliseconds since the epoch
 */
export function adminFlaws(
  policy: AdminPolicy,
  tenancy: Tenancy,
  denying: number | undefined,
  now: number,
): readonly AdminFlaw[] {
  const isBefore = denying !== undefined && (policy.priority ?? 0) <= denying;
  return policy.rules.flatMap((rule, index) => {
    const before = policy.rules.slice(0, index).filter(({ direction }) => direction === rule.direction);
    const decided = before.find((earlier) => decides(earlier, rule));
    if (decided !== undefined)
      return [{ kind: 'dead', path: rule.path, reason: `has no effect, as ${decided.path} decides all of it` }];
    return rule.peers.flatMap(({ path, peer }): readonly AdminFlaw[] => {
      if (peer.kind === 'nothing') return [{ kind: 'dead', path, reason: `matches nothing: it ${peer.reason}` }];
      if (peer.kind === 'unknown')
        return [{ kind: 'unknown', path, reason: 'has no known field, so engines deny everybody' }];
      if (rule.action === 'deny' || policy.tier === 'Baseline') return [];
      const kind = rule.action === 'accept' ? 'crossing' : 'past';
      if (kind === 'past' && !isBefore) return [];
      const crossing = crossingOf(policy.subject, rule, peer, tenancy, now);
      return crossing === undefined ? [] : [{ kind, path, reason: crossing }];
    });
  });
}

/** Who crosses, as an example; undefined: no tenant, or gates agree. */
function crossingOf(
  subject: AdminPods,
  { direction, ports, action }: AdminRule,
  peer: AdminPeer,
  tenancy: Tenancy,
  now: number,
): string | undefined {
  const own = tenantsIn(subject.namespaces, tenancy);
  if (own.length === 0) return undefined;
  if (peer.kind === 'networks') {
    const touched = tenancy.settings.protectedRanges.find(
      ({ name, range }) => name === 'pod network' && intersect(peer.addresses, [range]).length > 0,
    );
    const isUnlisted = peer.addresses.some(({ family }) => tenancy.settings.unlistedFamilies.includes(family));
    if (touched === undefined && !isUnlisted) return undefined;
    return action === 'pass' ? undefined : `lets ${own[0]} reach pods of other tenants by address`;
  }
  if (peer.kind !== 'pods' && peer.kind !== 'everybody') return undefined;
  const others = peer.kind === 'pods' ? tenantsIn(peer.namespaces, tenancy) : tenantsIn(new Map(), tenancy);
  for (const one of own) {
    for (const other of others) {
      if (one === other || isAgreed(one, other, direction, ports, tenancy, now)) continue;
      const [from, to] = direction === 'ingress' ? [other, one] : [one, other];
      return action === 'pass'
        ? `passes what ${from} sends to ${to}, so the border in the network does not deny it`
        : `lets ${from} reach ${to} without a gate`;
    }
  }
  return undefined;
}

function isAgreed(
  one: string,
  other: string,
  direction: Direction,
  ports: readonly Port[],
  tenancy: Tenancy,
  now: number,
): boolean {
  const tenant = tenancy.tenants.get(one);
  if (tenant === undefined) return false;
  const { own, theirs } = tenancy.gates(tenant, other, direction, now);
  return shutPorts(own, ports).length === 0 && shutPorts(theirs, ports).length === 0;
}

/** Names of tenants that may own a namespace which is selected; where not all can be listed, a name that no tenant has is among them. */
function tenantsIn(namespaces: Selector, tenancy: Tenancy): readonly string[] {
  const { tenants, settings } = tenancy;
  // Only namespaces of the platform have such a label.
  for (const [key, { absent }] of namespaces) if (!absent && settings.trustedLabels.has(key)) return [];
  const owner = domainFor(namespaces, settings.tenantLabel);
  const named = namedOwners(domainFor(namespaces, namespaceNameLabel), tenancy);
  const isOwner = (name: string) => owner.values.has(name) === owner.finite && (named === undefined || named.has(name));
  const listed = owner.finite ? [...owner.values].filter(isOwner) : [...tenants.keys()].filter(isOwner);
  const isOpen = !owner.finite && named === undefined;
  return isOpen ? [...listed, freshValue('any-other', (name) => tenants.has(name) || owner.values.has(name))] : listed;
}

/** Undefined: every tenant may own a namespace of such a name. */
function namedOwners(name: Domain, { reservation }: Tenancy): ReadonlySet<string> | undefined {
  const names = possibleNames(name);
  if (names === undefined) return undefined;
  const owners = new Set<string>();
  for (const one of names) {
    const owner = reservation(one);
    if (owner === undefined) return undefined;
    if (owner !== 'platform') owners.add(owner.name);
  }
  return owners;
}

/** Whether the earlier rule decides about everything that the later one is about. */
function decides(earlier: AdminRule, later: AdminRule): boolean {
  const open = earlier.ports.filter((port): port is PortRange => 'first' in port);
  const isEvery = allPorts.every((all) => containsPort(open, all));
  if (!isEvery && !(later.ports !== allPorts && later.ports.every((port) => containsPort(open, port)))) return false;
  return later.peers.every(({ peer }) => earlier.peers.some((one) => holds(one.peer, peer)));
}

/** Whether the peer is surely among those of the other one. */
function holds(outer: AdminPeer, inner: AdminPeer): boolean {
  if (outer.kind === 'everybody' || outer.kind === 'unknown') return inner.kind !== 'nothing';
  if (outer.kind !== 'pods' || inner.kind !== 'pods') return false;
  return (
    labelsOutside(inner.namespaces, outer.namespaces) === undefined &&
    labelsOutside(inner.pods, outer.pods) === undefined
  );
}

/** Whether the policy and the border of tenants have one priority, so that which of them counts first is not defined. */
export function tiesWithBorder(
  { tier, priority }: AdminPolicy,
  { clusterPolicy }: Settings,
  priorities: { readonly pass: number; readonly deny: number },
): boolean {
  return (
    clusterPolicy !== undefined && tier === 'Admin' && (priority === priorities.pass || priority === priorities.deny)
  );
}
