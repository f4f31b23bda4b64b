/**
 * What changes between two snapshots: connections gained and lost, with the policies that cause it. Pure.
 *
 * Not pair by pair: workloads that no policy tells apart are one body, and only bodies about which something changed are asked about.
 */
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type Cause, causesOf, distinct, type Seat, twinOf } from './causes.ts';
import { type Change, type Changes, createChanges, type Part } from './changes.ts';
import { compareOutside } from './compare-outside.ts';
import { compareServices, type ServiceChange } from './compare-services.ts';
import { portsOfServices } from './crossings.ts';
import type { PodClass } from './parties.ts';
import { contains, differenceOf, intersectionOf, noPorts, type PortSet, unionOf } from './port-set.ts';
import { type Body, type SideName, type Sides, sideNames, sidesOf } from './sides.ts';
import type { Snapshot } from './snapshot.ts';
import { createTouching, type Touching } from './touched.ts';
import { partsUnread, type UnreadPart } from './unread.ts';
import type { World } from './world.ts';

export interface Comparison {
  readonly changes: readonly Change[];
  /** How many workloads there are on both sides together, and of them those that do not exist. */
  readonly workloads: number;
  /** The engines whose reading counts, by name. */
  readonly readings: readonly string[];
  /** Services that lead elsewhere. */
  readonly services: readonly ServiceChange[];
  /** Of the policies that change, what is not understood: that may open or close more. */
  readonly unread: readonly UnreadPart[];
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
    comparePods(sides, worlds, touching, tenancy, changes, onProgress);
    compareOutside(sides, worlds, touching, tenancy.settings, changes);
  }
  return {
    changes: changes.all(),
    workloads: sides.bodies.reduce(
      (sum, { workloads, isHypothetical }) => sum + (isHypothetical ? 0 : workloads.length),
      0,
    ),
    readings: sides.worlds.map(({ reading }) => reading.name),
    services: compareServices(before, after),
    unread: partsUnread(
      sides.changed,
      sides.worlds.map(({ reading }) => reading),
    ),
  };
}

type Worlds = Readonly<Record<SideName, World>>;

function comparePods(
  sides: Sides,
  worlds: Worlds,
  touching: Touching,
  tenancy: Tenancy,
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
      if (to !== undefined) comparePair(from, to, worlds, tenancy, changes);
    }
    onProgress?.(from.index + 1, bodies.length);
  }
}

function addTo(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function comparePair(from: Body, to: Body, worlds: Worlds, tenancy: Tenancy, changes: Changes): void {
  const ports = { old: connection(from, to, worlds, 'old'), new: connection(from, to, worlds, 'new') };
  if (ports.old.length === 0 && ports.new.length === 0) return;
  // In another tenant it is another connection.
  const isMoved =
    from.group.old !== from.group.new || to.group.old !== to.group.new
      ? isOverBorder(from, to, 'old') !== isOverBorder(from, to, 'new') || isOverBorder(from, to, 'new')
      : false;
  const gained = isMoved ? ports.new : differenceOf(ports.new, ports.old);
  const lost = isMoved ? ports.old : differenceOf(ports.old, ports.new);
  if (gained.length > 0) {
    const granted = isOverBorder(from, to, 'new') ? servedPorts(from, to, tenancy) : gained;
    const [over, within] = [differenceOf(gained, granted), intersectionOf(gained, granted)];
    if (over.length > 0) changes.add(partOf('gained', true, from, to, over, worlds));
    if (within.length > 0) changes.add(partOf('gained', false, from, to, within, worlds));
  }
  if (lost.length > 0) changes.add(partOf('lost', false, from, to, lost, worlds));
}

/** Of a tenant and the platform, the ports that shared services open between them, as audit asks it (crossings.ts). Else none. */
function servedPorts({ classes: { new: from } }: Body, { classes: { new: to } }: Body, tenancy: Tenancy): PortSet {
  let ports: PortSet | undefined;
  for (const source of from)
    for (const target of to) {
      const served = portsOfServices(source, target, tenancy);
      ports = ports === undefined ? served : intersectionOf(ports, served);
    }
  return ports ?? noPorts;
}

function connection(from: Body, to: Body, worlds: Worlds, side: SideName): PortSet {
  let ports = noPorts;
  for (const one of from.classes[side])
    for (const other of to.classes[side]) ports = unionOf(ports, worlds[side].connection(one, other));
  return ports;
}

function isOverBorder({ group: from }: Body, { group: to }: Body, side: SideName): boolean {
  const [one, other] = [from[side], to[side]];
  return one !== undefined && other !== undefined && one !== other;
}

function partOf(
  change: Part['change'],
  isCrossing: boolean,
  from: Body,
  to: Body,
  ports: PortSet,
  worlds: Worlds,
): Part {
  const side = change === 'gained' ? 'new' : 'old';
  const end = ({ group, workloads, isHypothetical }: Body): Part['from'] => ({
    group: group[side] ?? '',
    members: workloads,
    isHypothetical,
  });
  return {
    change,
    isCrossing,
    from: end(from),
    to: end(to),
    ports,
    causes: pairCauses(from, to, ports, worlds, side),
  };
}

/** Pairs of classes that are asked for causes. Those of one body differ little. */
const mostPairs = 16;

/** @param side on which the connection is open */
function pairCauses(from: Body, to: Body, ports: PortSet, worlds: Worlds, side: SideName): readonly Cause[] {
  const other = sideNames.find((one) => one !== side) ?? side;
  const open = from.classes[side].flatMap((source) =>
    to.classes[side].flatMap((target) =>
      intersectionOf(worlds[side].connection(source, target), ports).length > 0 ? [{ source, target }] : [],
    ),
  );
  return distinct(
    open.slice(0, mostPairs).flatMap(({ source, target }) => {
      const [oldSource, oldTarget] = [twinOf(source, from.classes[other]), twinOf(target, to.classes[other])];
      const seat = (at: SideName, pods: PodClass | undefined, peer: PodClass | undefined): Seat | undefined =>
        pods && peer && { side: at, world: worlds[at], pods, peer };
      return causesOfPair(
        [
          { direction: 'egress', open: seat(side, source, target), closed: seat(other, oldSource, oldTarget) },
          { direction: 'ingress', open: seat(side, target, source), closed: seat(other, oldTarget, oldSource) },
        ],
        ports,
      );
    }),
  );
}

interface Ends {
  readonly direction: Direction;
  readonly open: Seat | undefined;
  readonly closed: Seat | undefined;
}

function causesOfPair(all: readonly Ends[], ports: PortSet): readonly Cause[] {
  // Where one side of the connection allows it on both sides of the comparison, it is no cause.
  const isCause = ({ direction, closed }: Ends): boolean =>
    closed === undefined || !contains(closed.world.allowed(closed.pods, direction, closed.peer), ports);
  const causing = all.filter(isCause);
  return (causing.length > 0 ? causing : all).flatMap(({ direction, open, closed }) =>
    open === undefined ? [] : causesOf(direction, open, closed, ports),
  );
}
