/** Connections with what is no pod: addresses outside of the cluster in disjoint ranges, names of DNS, and nodes. */
import { formatRange, type IpRange } from '../kubernetes/ip-range.ts';
import { everyAddress, type IpSet, normalise, subtract } from '../kubernetes/ip-set.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type Cause, causesOf, distinct, type Seat, twinOf } from './causes.ts';
import { type Change, type Changes, nodes, outside } from './changes.ts';
import { platformGroup } from './matrix.ts';
import { node, type Party, type PodClass } from './parties.ts';
import { differenceOf, intersectionOf, noPorts, type PortSet, unionOf } from './port-set.ts';
import { type Body, type SideName, type Sides, sideNames } from './sides.ts';
import type { Touching } from './touched.ts';
import { edgesOf, type World } from './world.ts';

type Worlds = Readonly<Record<SideName, World>>;
const directions = ['egress', 'ingress'] as const;

export function compareOutside(
  { bodies }: Sides,
  worlds: Worlds,
  touching: Touching,
  settings: Settings,
  changes: Changes,
): void {
  const inside = settings.protectedRanges.filter(({ name }) => name === 'pod network' || name === 'service network');
  const space = subtract(everyAddress, normalise(inside.map(({ range }) => range)));
  for (const body of bodies)
    for (const direction of directions) {
      const isStill = body.isUnchanged && body.group.old === body.group.new;
      if (isStill && touching.peers(body, direction) === 'none') continue;
      for (const { change, party, ports, text, causes } of differences(body, direction, worlds, space)) {
        const group = body.group[change === 'gained' ? 'new' : 'old'] ?? '';
        const own = { group, members: body.workloads, isHypothetical: body.isHypothetical };
        const other = { group: party === 'node' ? nodes : outside, members: text, isHypothetical: false };
        const isCrossing = change === 'gained' && party !== 'node' && group !== platformGroup;
        const [from, to] = direction === 'egress' ? [own, other] : [other, own];
        changes.add({ change, isCrossing, from, to, ports, causes });
      }
    }
}

interface Difference {
  readonly change: Change['change'];
  readonly party: 'address' | 'name' | 'node';
  readonly ports: PortSet;
  readonly text: readonly string[];
  readonly causes: readonly Cause[];
}

function differences(body: Body, direction: Direction, worlds: Worlds, space: IpSet): readonly Difference[] {
  const steps = sideNames.flatMap((side) =>
    body.classes[side].flatMap((one) => worlds[side].plan(one, direction).flatMap((stage) => stage.steps)),
  );
  const peers = new Set(steps.map(({ rule }) => rule.peer));
  const sets = new Set(steps.map(edgesOf).filter((one) => one.length > 0));
  const names = new Set([...peers].flatMap((peer) => (peer.kind === 'name' ? [peer.pattern.text] : [])));
  const parties: Party[] = [
    ...cut(space, [...sets]).map((range): Party => ({ kind: 'address', range })),
    ...[...names].sort().map((name): Party => ({ kind: 'name', name })),
    node,
  ];
  const found = new Map<string, { readonly one: Omit<Difference, 'text'>; readonly parties: Party[] }>();
  for (const party of parties) {
    const open = {
      old: allowed(body.classes.old, direction, party, worlds.old),
      new: allowed(body.classes.new, direction, party, worlds.new),
    };
    for (const [change, side, other] of [['gained', 'new', 'old'] as const, ['lost', 'old', 'new'] as const]) {
      // In another tenant it is another connection.
      const isMoved = body.group.old !== body.group.new;
      const ports = isMoved ? open[side] : differenceOf(open[side], open[other]);
      if (ports.length === 0) continue;
      const seat = (at: SideName, pods: PodClass | undefined): Seat | undefined =>
        pods && { side: at, world: worlds[at], pods, peer: party };
      const opened = body.classes[side].filter(
        (pods) => intersectionOf(worlds[side].allowed(pods, direction, party), ports).length > 0,
      );
      const causes = distinct(
        opened.flatMap((pods) => {
          const [open, closed] = [seat(side, pods), seat(other, twinOf(pods, body.classes[other]))];
          return open === undefined ? [] : causesOf(direction, open, closed, ports);
        }),
      );
      const kind = party.kind as Difference['party'];
      const key = JSON.stringify([change, kind, ports, causes]);
      const known = found.get(key);
      if (known === undefined) found.set(key, { one: { change, party: kind, ports, causes }, parties: [party] });
      else known.parties.push(party);
    }
  }
  return [...found.values()].map(({ one, parties }) => ({ ...one, text: textOf(parties, space) }));
}

function allowed(classes: readonly PodClass[], direction: Direction, party: Party, world: World): PortSet {
  let ports = noPorts;
  for (const one of classes) ports = unionOf(ports, world.allowed(one, direction, party));
  return ports;
}

/** Ranges such that each set holds all of one or nothing of it. */
function cut(space: IpSet, sets: readonly IpSet[]): readonly IpRange[] {
  const starts: Record<4 | 6, Set<bigint>> = { 4: new Set(), 6: new Set() };
  for (const set of [space, ...sets])
    for (const { family, first, last } of set) starts[family].add(first).add(last + 1n);
  const sorted = { 4: inOrder(starts[4]), 6: inOrder(starts[6]) };
  return space.flatMap(({ family, first, last }) => {
    const inner = sorted[family].filter((start) => start > first && start <= last);
    return [first, ...inner].map(
      (begin, at): IpRange => ({ family, first: begin, last: (inner[at] ?? last + 1n) - 1n }),
    );
  });
}

function inOrder(numbers: ReadonlySet<bigint>): readonly bigint[] {
  return [...numbers].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
}

function textOf(parties: readonly Party[], space: IpSet): readonly string[] {
  const ranges = normalise(parties.flatMap((party) => (party.kind === 'address' ? [party.range] : [])));
  if (ranges.length > 0 && subtract(space, ranges).length === 0) return ['any address'];
  const others = parties.flatMap((party) =>
    party.kind === 'name' ? [party.name] : party.kind === 'node' ? ['nodes'] : [],
  );
  return [...ranges.map(formatRange), ...others];
}
