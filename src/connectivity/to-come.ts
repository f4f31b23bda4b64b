/**
 * What rules open to pods of other tenants that are created later: "any namespace of a tenant other than acme" is open to each that will come,
 * whether or not one exists (hypothetical.ts). Only the side of the tenant at hand decides, as a tenant to come writes the other one.
 */
import { isManagedName } from '../baseline/managed.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type Crossing, gatePorts } from './crossings.ts';
import { hypotheticalKind, hypotheticalOf } from './hypothetical.ts';
import type { Matcher } from './matcher.ts';
import { groupOf, platformGroup } from './matrix.ts';
import { createParties, type Parties, type PodClass } from './parties.ts';
import { differenceOf, intersectionOf, noPorts, type PortSet, unionOf } from './port-set.ts';
import type { Reading } from './readings.ts';
import { covers, type ReportScope } from './report-scope.ts';
import { withNetworks } from './sides.ts';
import type { Snapshot } from './snapshot.ts';
import { createWorld, type Plan, type World } from './world.ts';

/** The group of tenants that do not exist. No tenant can have this name. */
export const tenantsToCome = '(tenants to come)';

/** Rules of one plan are asked about so many of those that they name: more of them differ in little. */
const mostPeers = 16;

/**
 * @param scope of those that are open
 * @returns in the order in which they are found; between two tenants that exist, the other has no pods that the rule is about
 */
export function crossingsToCome(
  snapshot: Snapshot,
  parties: Parties,
  readings: readonly Reading[],
  tenancy: Tenancy,
  now: number,
  scope?: ReportScope,
): readonly Crossing[] {
  const written = snapshot.policies.filter(({ ref }) => !isManagedName(ref.name));
  const extra = hypotheticalOf(written, [snapshot], tenancy);
  if (extra.workloads.length === 0) return [];
  // One workload stands for all that look alike.
  const shown = parties.classes.flatMap(({ workloads }) => workloads.slice(0, 1));
  const all = createParties([...snapshot.namespaces, ...extra.namespaces], [...shown, ...extra.workloads], tenancy);
  const isToCome = (pods: PodClass): boolean => pods.workloads.every(({ kind }) => kind === hypotheticalKind);
  const nameOf = (pods: PodClass): string => (extra.tenants.has(groupOf(pods)) ? tenantsToCome : groupOf(pods));
  const found = new Map<string, Crossing>();
  for (const reading of readings) {
    const world = createWorld(snapshot, all, withNetworks(tenancy.settings), reading);
    const open = createOpen(world, isToCome, (pods) => nameOf(pods) === tenantsToCome);
    for (const pods of all.classes) {
      const { owner } = pods.namespace;
      const own = nameOf(pods);
      if (owner === 'platform' || own === tenantsToCome) continue;
      if (scope !== undefined && !covers(scope, pods)) continue;
      for (const direction of ['egress', 'ingress'] as const)
        for (const { peer, ports } of open(pods, direction)) {
          const other = nameOf(peer);
          if (other === own || other === platformGroup) continue;
          const granted = other === tenantsToCome ? [] : gatePorts(owner, other, direction, tenancy, now);
          add(found, direction, { own, pods, other, peer, world }, ports, granted);
        }
    }
  }
  return [...found.values()];
}

interface Ends {
  readonly own: string;
  readonly pods: PodClass;
  readonly other: string;
  readonly peer: PodClass;
  readonly world: World;
}

function add(
  found: Map<string, Crossing>,
  direction: Direction,
  { own, pods, other, peer, world }: Ends,
  ports: PortSet,
  granted: PortSet,
): void {
  const isOut = direction === 'egress';
  const [from, to] = isOut ? [own, other] : [other, own];
  const known = found.get(`${from} ${to}`);
  const used = intersectionOf(ports, granted);
  const violation = differenceOf(ports, granted);
  const isShown = known === undefined || (known.violation.length === 0 && violation.length > 0);
  const example = isOut ? { from: pods, to: peer } : { from: peer, to: pods };
  found.set(`${from} ${to}`, {
    ...{ from, to, ports: unionOf(known?.ports ?? [], ports) },
    grants: used.length === 0 ? (known?.grants ?? []) : [{ kind: 'gate', name: '', ports: used }],
    violation: unionOf(known?.violation ?? [], violation),
    ...(isShown
      ? { example, violating: violation.length > 0 ? { ...example, world, ports: violation } : undefined }
      : { example: known.example, violating: known.violating }),
  });
}

interface Open {
  readonly peer: PodClass;
  readonly ports: PortSet;
}

/**
 * What pods let in or out, of those to come whom a rule names. Pods of one plan share it, unless rules are about some of them. What is open
 * to tenants that do not exist says nothing more of those that do.
 */
function createOpen(world: World, isToCome: (pods: PodClass) => boolean, isOfAny: (pods: PodClass) => boolean) {
  const known: Record<Direction, Map<Plan, readonly Open[]>> = { egress: new Map(), ingress: new Map() };
  const peersOf = new WeakMap<Matcher, readonly PodClass[]>();
  const anyFirst = (list: readonly PodClass[]) =>
    list.toSorted((one, other) => Number(isOfAny(other)) - Number(isOfAny(one)));
  const toCome = (list: readonly PodClass[]) => anyFirst(list.filter(isToCome));
  const all = toCome(world.parties.classes);
  const named = (matcher: Matcher): readonly PodClass[] => {
    const peers = peersOf.get(matcher) ?? (matcher.isEverybody || matcher.isEveryPod ? all : toCome(matcher.classes()));
    peersOf.set(matcher, peers);
    return peers;
  };
  return (pods: PodClass, direction: Direction): readonly Open[] => {
    const plan = world.plan(pods, direction);
    const before = known[direction].get(plan);
    if (before !== undefined) return before;
    const steps = plan.flatMap((stage) => stage.steps);
    const peers = new Set(
      steps.filter(({ rule }) => rule.action !== 'deny').flatMap(({ peer }) => named(peer).slice(0, mostPeers)),
    );
    // Where no policy isolates the pods, everything is open to all: that is said of the pods themselves.
    const isClosed = plan.some(({ closedBy }) => closedBy.length > 0);
    const open: Open[] = [];
    let toAny = noPorts;
    for (const peer of isClosed ? anyFirst([...peers]) : []) {
      const ports = world.allowed(pods, direction, peer);
      const isAny = isOfAny(peer);
      const more = isAny ? ports : differenceOf(ports, toAny);
      if (isAny) toAny = unionOf(toAny, ports);
      if (more.length > 0) open.push({ peer, ports: more });
    }
    if (steps.every(({ own, ports }) => own === undefined && ports !== undefined)) known[direction].set(plan, open);
    return open;
  };
}
