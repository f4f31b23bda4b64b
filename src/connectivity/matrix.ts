/**
 * Which tenants reach which, and on which ports. A cell is the union over all pods of the two, so it is exact: for each of its ports there
 * is a pod of the one that reaches a pod of the other.
 *
 * The cost follows what policies open, not the number of pairs. A rule with certain peers is followed to these peers.
 * Rules for every peer are summed up for each tenant, and two such sums meet in one step.
 */
import type { Direction } from '../tenancy/tenant.ts';
import { type PodClass, unnamedPod } from './parties.ts';
import { portsOf } from './policy-index.ts';
import { contains, everyPort, intersectionOf, type PortSet, unionOf } from './port-set.ts';
import type { Plan, World } from './world.ts';

/** The name of a tenant, or all namespaces without one. */
export type Group = string;
/** No tenant can have this name. */
export const platformGroup: Group = '(platform)';

export interface Cell {
  readonly from: Group;
  readonly to: Group;
  readonly ports: PortSet;
  /** Pairs who do: on each of the ports, one at least. Not empty. */
  readonly examples: readonly Example[];
}

export interface Example {
  readonly from: PodClass;
  readonly to: PodClass;
  readonly ports: PortSet;
}

export interface Matrix {
  readonly groups: readonly Group[];
  /** Only those in which something is open, each once, in no order. */
  readonly cells: readonly Cell[];
  cell(from: Group, to: Group): Cell | undefined;
}

export function groupOf({ namespace: { owner } }: PodClass): Group {
  return owner === 'platform' ? platformGroup : owner.name;
}

/** Pods of one group that are open to every pod on the same ports. */
interface Bundle {
  /** Not empty. */
  readonly members: PodClass[];
  readonly ports: PortSet;
  /** Earlier rules deny certain peers or pass them on, so each pair must be evaluated by itself. */
  readonly hasExceptions: boolean;
}

/** @param ofPods the group of each */
export function matrixOf(world: World, ofPods: (pods: PodClass) => Group = groupOf): Matrix {
  const { classes } = world.parties;
  const groupsOf = classes.map(ofPods);
  const groups = [...new Set(groupsOf)].sort();
  const numbers = new Map(groups.map((group, index) => [group, index]));
  const groupNumbers = groupsOf.map((group) => numbers.get(group) ?? 0);
  const cells = new Map<number, { ports: PortSet; readonly examples: Example[] }>();
  const keyOf = (from: PodClass, to: PodClass): number =>
    (groupNumbers[from.index] ?? 0) * groups.length + (groupNumbers[to.index] ?? 0);
  const isNew = (from: PodClass, to: PodClass, ports: PortSet): boolean => {
    const cell = cells.get(keyOf(from, to));
    return cell === undefined ? ports.length > 0 : !contains(cell.ports, ports);
  };
  const add = (from: PodClass, to: PodClass, ports: PortSet): void => {
    if (ports.length === 0) return;
    const cell = cells.get(keyOf(from, to));
    if (cell === undefined) cells.set(keyOf(from, to), { ports, examples: [{ from, to, ports }] });
    else if (!contains(cell.ports, ports)) {
      cell.ports = unionOf(cell.ports, ports);
      cell.examples.push({ from, to, ports });
    }
  };
  const ask = (from: PodClass, to: PodClass, ports: PortSet): void => {
    if (isNew(from, to, ports)) add(from, to, world.connection(from, to));
  };

  // Many rules name the same pods, and one pair of a group may be all that is asked for.
  const ingress = scan(world, 'ingress', groupNumbers, (pods, peers, ports) => {
    for (const peer of peers) {
      if (!isNew(peer, pods, ports)) return;
      add(peer, pods, world.connection(peer, pods));
    }
  });
  const egress = scan(world, 'egress', groupNumbers, (pods, peers, ports) => {
    for (const peer of peers) {
      if (!isNew(pods, peer, ports)) return;
      add(pods, peer, world.connection(pods, peer));
    }
  });
  for (const out of egress)
    for (const into of ingress) {
      const ports = intersectionOf(out.ports, into.ports);
      const [from, to] = [out.members[0], into.members[0]];
      if (from === undefined || to === undefined || !isNew(from, to, ports)) continue;
      if (!out.hasExceptions && !into.hasExceptions) add(from, to, ports);
      else for (const from of out.members) for (const to of into.members) ask(from, to, ports);
    }

  const listed = [...cells].map(
    ([key, cell]): Cell => ({
      from: groups[Math.floor(key / groups.length)] ?? '',
      to: groups[key % groups.length] ?? '',
      ...cell,
    }),
  );
  const byName = new Map(listed.map((cell) => [`${cell.from} ${cell.to}`, cell]));
  return { groups, cells: listed, cell: (from, to) => byName.get(`${from} ${to}`) };
}

const fewClasses = 4;

/** @param named is called for pods and those of one group whom a rule names; each is to be asked about, as other rules may deny it */
function scan(
  world: World,
  direction: Direction,
  groupNumbers: readonly number[],
  named: (pods: PodClass, peers: readonly PodClass[], ports: PortSet) => void,
): readonly Bundle[] {
  const open = new Map<string, Bundle>();
  const known = new Map<Plan, Summary>();
  const grouped = createGrouping(groupNumbers);
  for (const pods of world.parties.classes) {
    const plan = world.plan(pods, direction);
    const found = known.get(plan);
    // Pods of one plan differ in what the plan says of some of them, or of ports by their names.
    const summary = found?.isOfEach === false ? found : summaryOf(world, pods, direction, plan);
    // Where there are few classes, few share a plan.
    if (found === undefined && pods.namespace.classes.length > fewClasses) known.set(plan, summary);
    for (const { peers, ports } of summary.naming) for (const group of grouped(peers)) named(pods, group, ports);
    const { ports, hasExceptions } = summary;
    if (ports.length === 0) continue;
    const key = `${groupNumbers[pods.index]} ${ports.join()} ${hasExceptions}`;
    const bundle = open.get(key);
    if (bundle === undefined) open.set(key, { members: [pods], ports, hasExceptions });
    else bundle.members.push(pods);
  }
  return [...open.values()];
}

/** What a plan opens in one direction. */
interface Summary {
  readonly naming: readonly { readonly peers: readonly PodClass[]; readonly ports: PortSet }[];
  /** To a pod that no rule names. */
  readonly ports: PortSet;
  readonly hasExceptions: boolean;
  /** Each pod of the plan has its own. */
  readonly isOfEach: boolean;
}

function summaryOf(world: World, pods: PodClass, direction: Direction, plan: Plan): Summary {
  const naming: Summary['naming'][number][] = [];
  let isOfEach = false;
  // What a name of a port stands for, each pod that the connection goes to says by itself.
  let hasNames = false;
  let hasExceptions = false;
  for (const { steps } of plan)
    for (const { own, peer, ports, rule } of steps) {
      isOfEach ||= own !== undefined || (ports === undefined && direction === 'ingress');
      if (own?.has(pods) === false) continue;
      if (peer.isEverybody || peer.isEveryPod) hasNames ||= ports === undefined && direction === 'egress';
      else {
        hasExceptions ||= rule.action !== 'allow';
        if (rule.action === 'deny') continue;
        const most = ports ?? (direction === 'ingress' ? portsOf(rule, pods.ports) : everyPort);
        naming.push({ peers: peer.classes(), ports: most });
      }
    }
  const ports = hasNames ? everyPort : world.allowed(pods, direction, unnamedPod);
  return { naming, ports, hasExceptions: hasExceptions || hasNames, isOfEach };
}

/** Pods by their groups, worked out once for each list. */
function createGrouping(groupNumbers: readonly number[]) {
  const known = new WeakMap<readonly PodClass[], readonly (readonly PodClass[])[]>();
  return (pods: readonly PodClass[]): readonly (readonly PodClass[])[] => {
    const [first] = pods;
    if (first === undefined) return [];
    const number = groupNumbers[first.index];
    if (pods.length < 64 && pods.every(({ index }) => groupNumbers[index] === number)) return [pods];
    let groups = known.get(pods);
    if (groups === undefined) {
      groups = [...Map.groupBy(pods, ({ index }) => groupNumbers[index] ?? 0).values()];
      known.set(pods, groups);
    }
    return groups;
  };
}
