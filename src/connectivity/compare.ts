/**
 * What changes between two snapshots: connections gained and lost, with the policies that cause it. Pure.
 *
 * Not pair by pair: workloads that no policy tells apart are one body, and only bodies about which something changed are asked about.
 */
import type { Tenancy } from '../tenancy/tenancy.ts';
import { type Cause, causesOf, type Seat } from './causes.ts';
import { type Change, type Changes, createChanges, type Part } from './changes.ts';
import { compareOutside } from './compare-outside.ts';
import { platformGroup } from './matrix.ts';
import { contains, differenceOf, noPorts, type PortSet, unionOf } from './port-set.ts';
import { type Body, type SideName, type Sides, sideNames, sidesOf } from './sides.ts';
import type { Snapshot } from './snapshot.ts';
import { createTouching, type Touching } from './touched.ts';
import type { World } from './world.ts';

export interface Comparison {
  readonly changes: readonly Change[];
  /** How many workloads there are on both sides together, and of them those that do not exist. */
  readonly workloads: number;
  /** The engines whose reading counts, by name. */
  readonly readings: readonly string[];
}

/** @param onProgress how many workloads are done, of how many */
export function compare(
  before: Snapshot,
  after: Snapshot,
  tenancy: Tenancy,
  onProgress?: (done: number, all: number) => void,
): Comparison {
  const sides = sidesOf(before, after, tenancy);
  const changes = createChanges();
  for (const worlds of sides.worlds) {
    const touching = createTouching(worlds, sides);
    comparePods(sides, worlds, touching, changes, onProgress);
    compareOutside(sides, worlds, touching, tenancy.settings, changes);
  }
  return {
    changes: changes.all(),
    workloads: sides.bodies.reduce(
      (sum, { workloads, isHypothetical }) => sum + (isHypothetical ? 0 : workloads.length),
      0,
    ),
    readings: sides.worlds.map(({ reading }) => reading.name),
  };
}

type Worlds = Readonly<Record<SideName, World>>;

function comparePods(
  sides: Sides,
  worlds: Worlds,
  touching: Touching,
  changes: Changes,
  onProgress: ((done: number, all: number) => void) | undefined,
): void {
  const { bodies } = sides;
  const everyone = bodies.map((_, index) => index);
  /** Those that everybody is to be asked about, and by whom each is to be asked about. */
  const asked = new Set<number>();
  const askedBy = new Map<number, number[]>();
  for (const body of bodies) {
    const peers = body.isUnchanged ? touching.peers(body, 'ingress') : 'all';
    if (peers === 'all') asked.add(body.index);
    else if (peers !== 'none') for (const peer of peers) addTo(askedBy, peer, body.index);
  }
  for (const from of bodies) {
    const peers = from.isUnchanged ? touching.peers(from, 'egress') : 'all';
    const targets =
      peers === 'all'
        ? everyone
        : new Set([...(peers === 'none' ? [] : peers), ...(askedBy.get(from.index) ?? []), ...asked]);
    for (const index of targets) {
      const to = bodies[index];
      if (to !== undefined) comparePair(from, to, worlds, changes);
    }
    onProgress?.(from.index + 1, bodies.length);
  }
}

function addTo(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function comparePair(from: Body, to: Body, worlds: Worlds, changes: Changes): void {
  const ports = { old: connection(from, to, worlds, 'old'), new: connection(from, to, worlds, 'new') };
  if (ports.old.length === 0 && ports.new.length === 0) return;
  // In another tenant it is another connection.
  const isMoved =
    from.group.old !== from.group.new || to.group.old !== to.group.new
      ? isBetweenTenants(from, to, 'old') !== isBetweenTenants(from, to, 'new') || isBetweenTenants(from, to, 'new')
      : false;
  const gained = isMoved ? ports.new : differenceOf(ports.new, ports.old);
  const lost = isMoved ? ports.old : differenceOf(ports.old, ports.new);
  if (gained.length > 0) changes.add(partOf('gained', from, to, gained, worlds));
  if (lost.length > 0) changes.add(partOf('lost', from, to, lost, worlds));
}

function connection(from: Body, to: Body, worlds: Worlds, side: SideName): PortSet {
  let ports = noPorts;
  for (const one of from.classes[side])
    for (const other of to.classes[side]) ports = unionOf(ports, worlds[side].connection(one, other));
  return ports;
}

function isBetweenTenants({ group: from }: Body, { group: to }: Body, side: SideName): boolean {
  const [one, other] = [from[side], to[side]];
  return one !== undefined && other !== undefined && one !== other && one !== platformGroup && other !== platformGroup;
}

function partOf(change: Part['change'], from: Body, to: Body, ports: PortSet, worlds: Worlds): Part {
  const side = change === 'gained' ? 'new' : 'old';
  const end = ({ group, workloads, isHypothetical }: Body): Part['from'] => ({
    group: group[side] ?? '',
    members: workloads,
    isHypothetical,
  });
  return {
    change,
    isCrossing: change === 'gained' && isBetweenTenants(from, to, side),
    from: end(from),
    to: end(to),
    ports,
    causes: pairCauses(from, to, ports, worlds, side),
  };
}

/** @param side on which the connection is open */
function pairCauses(from: Body, to: Body, ports: PortSet, worlds: Worlds, side: SideName): readonly Cause[] {
  const other = sideNames.find((one) => one !== side) ?? side;
  const seat = (pods: Body, peer: Body, at: SideName): Seat | undefined => {
    const [own, whom] = [pods.classes[at][0], peer.classes[at][0]];
    return own && whom && { side: at, world: worlds[at], pods: own, peer: whom };
  };
  const all = (
    [
      ['egress', from, to],
      ['ingress', to, from],
    ] as const
  ).map(([direction, pods, peer]) => ({ direction, open: seat(pods, peer, side), closed: seat(pods, peer, other) }));
  // Where one side of the connection allows it on both sides of the comparison, it is no cause.
  const isCause = ({ direction, open, closed }: (typeof all)[number]): boolean =>
    open !== undefined &&
    (closed === undefined || !contains(closed.world.allowed(closed.pods, direction, closed.peer), ports));
  const causing = all.filter(isCause);
  return (causing.length > 0 ? causing : all).flatMap(({ direction, open, closed }) =>
    open === undefined ? [] : causesOf(direction, open, closed, ports),
  );
}
