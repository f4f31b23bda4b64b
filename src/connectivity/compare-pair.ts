/** What changes between two bodies, and why. */
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type Cause, causesOf, distinct, type Seat, twinOf } from './causes.ts';
import type { Part, PartEnd } from './changes.ts';
import { portsOfServices } from './crossings.ts';
import type { PodClass } from './parties.ts';
import { contains, differenceOf, intersectionOf, noPorts, type PortSet, unionOf } from './port-set.ts';
import { type Body, type SideName, sideNames } from './sides.ts';
import type { World } from './world.ts';

export type Worlds = Readonly<Record<SideName, World>>;

export function comparePair(from: Body, to: Body, worlds: Worlds, tenancy: Tenancy): readonly Part[] {
  const ports = { old: connection(from, to, worlds, 'old'), new: connection(from, to, worlds, 'new') };
  if (ports.old.length === 0 && ports.new.length === 0) return [];
  // In another tenant it is another connection.
  const isMoved =
    from.group.old !== from.group.new || to.group.old !== to.group.new
      ? isOverBorder(from, to, 'old') !== isOverBorder(from, to, 'new') || isOverBorder(from, to, 'new')
      : false;
  const gained = isMoved ? ports.new : differenceOf(ports.new, ports.old);
  const lost = isMoved ? ports.old : differenceOf(ports.old, ports.new);
  const parts: Part[] = [];
  if (gained.length > 0) {
    const granted = isOverBorder(from, to, 'new') ? servedPorts(from, to, tenancy) : gained;
    const [over, within] = [differenceOf(gained, granted), intersectionOf(gained, granted)];
    if (over.length > 0) parts.push(partOf('gained', true, from, to, over, worlds));
    if (within.length > 0) parts.push(partOf('gained', false, from, to, within, worlds));
  }
  if (lost.length > 0) parts.push(partOf('lost', false, from, to, lost, worlds));
  return parts;
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

export function isOverBorder(
  { group: from }: Pick<Body, 'group'>,
  { group: to }: Pick<Body, 'group'>,
  side: SideName,
): boolean {
  const [one, other] = [from[side], to[side]];
  return one !== undefined && other !== undefined && one !== other;
}

/** The side on which the connection is open. */
export function sideOf(change: Part['change']): SideName {
  return change === 'gained' ? 'new' : 'old';
}

export function endOf({ group, workloads, isHypothetical }: Body, side: SideName): PartEnd {
  return { group: group[side] ?? '', members: workloads, isHypothetical };
}

function partOf(
  change: Part['change'],
  isCrossing: boolean,
  from: Body,
  to: Body,
  ports: PortSet,
  worlds: Worlds,
): Part {
  const side = sideOf(change);
  const causes = pairCauses(from, to, ports, worlds, side);
  return { change, isCrossing, from: endOf(from, side), to: endOf(to, side), ports, causes };
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
