/**
 * What changes between two snapshots: connections gained and lost, with the policies that cause it. Pure.
 *
 * Not pair by pair: workloads that no policy tells apart are one body, and only bodies about which something changed are asked about. Where
 * that is everyone, bodies are asked about by profile.
 */
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type Breadth, createBreadth } from './breadth.ts';
import { type Change, type Changes, createChanges } from './changes.ts';
import { compareOutside } from './compare-outside.ts';
import { comparePair, type Worlds } from './compare-pair.ts';
import { compareServices, type ServiceChange } from './compare-services.ts';
import { type Layer7Change, layer7Changes } from './layer7/changed.ts';
import type { Matcher } from './matcher.ts';
import { directions, type Profile, profilesOf } from './profiles.ts';
import { Pairs, rectanglesOf } from './rectangles.ts';
import { type Body, type SideName, type Sides, sideNames, sidesOf } from './sides.ts';
import type { Snapshot } from './snapshot.ts';
import { spread } from './spread.ts';
import { createTouching, type Touched, type Touching } from './touched.ts';
import { partsUnread, setsUnread, type UnreadPart } from './unread.ts';

export interface Comparison {
  readonly changes: readonly Change[];
  /** How many workloads there are on both sides together, and of them those that do not exist. */
  readonly workloads: number;
  /** The engines whose reading counts, by name. */
  readonly readings: readonly string[];
  /** Services that lead elsewhere. */
  readonly services: readonly ServiceChange[];
  /** Policies about requests that differ: what they open and close is not compared. */
  readonly layer7: readonly Layer7Change[];
  /** Of the policies that change, what is not understood: that may open or close more. */
  readonly unread: readonly UnreadPart[];
  /** Pairs of pods that were asked about, and bodies that were looked at for it: what the time follows. */
  readonly work: number;
}

/**
 * @param onProgress how much is done, of how much
 * @param changes    takes what is found
 */
export function compare(
  before: Snapshot,
  after: Snapshot,
  tenancy: Tenancy,
  onProgress?: (done: number, all: number) => void,
  changes: Changes = createChanges(),
): Comparison {
  const sides = sidesOf(before, after, tenancy);
  let work = 0;
  for (const worlds of sides.worlds) {
    const breadth = createBreadth({ old: worlds.old, new: worlds.new });
    const touching = createTouching(worlds, sides, breadth);
    work += comparePods({ sides, worlds, breadth, tenancy, changes }, touching, onProgress);
    compareOutside(sides, worlds, touching, tenancy.settings, changes);
  }
  const readings = sides.worlds.map(({ reading }) => reading);
  return {
    changes: changes.all(),
    workloads: sides.bodies.reduce(
      (sum, { workloads, isHypothetical }) => sum + (isHypothetical ? 0 : workloads.length),
      0,
    ),
    readings: readings.map(({ name }) => name),
    services: compareServices(before, after),
    layer7: layer7Changes(before, after),
    unread: [...partsUnread(sides.changed, readings), ...setsUnread(sides.changedSets, readings)],
    work,
  };
}

interface Asked {
  readonly sides: Sides;
  readonly worlds: Worlds;
  readonly breadth: Breadth;
  readonly tenancy: Tenancy;
  readonly changes: Changes;
}

type TouchedBodies = Readonly<Record<Direction, readonly Touched[]>>;

function comparePods(
  asked: Asked,
  touching: Touching,
  onProgress: ((done: number, all: number) => void) | undefined,
): number {
  const { sides, worlds, breadth, tenancy, changes } = asked;
  const { bodies } = sides;
  const touchedIn = (direction: Direction) =>
    bodies.map((body) => (body.isUnchanged ? touching.peers(body, direction) : 'all'));
  const touched = { egress: touchedIn('egress'), ingress: touchedIn('ingress') };
  const isAnyTouched = directions.some((direction) => touched[direction].includes('all'));
  const pairs = singlePairs(asked, touched, isAnyTouched);
  const profiles = isAnyTouched ? profilesOf(sides, worlds, breadth, touched, tenancy.settings) : [];
  let done = 0;
  const step = (): void => {
    done++;
    onProgress?.(done, pairs.count + profiles.length);
  };

  const profileOf = new Map(profiles.flatMap((one) => one.bodies.map((body) => [body, one] as const)));
  const singles = new Map<string, (readonly [Body, Body])[]>();
  for (const from of bodies)
    for (const index of pairs.of(from) ?? []) {
      const to = bodies[index];
      if (to === undefined) continue;
      for (const part of comparePair(from, to, worlds, tenancy)) changes.add(part);
      step();
      const key = `${profileOf.get(from)?.index} ${profileOf.get(to)?.index}`;
      const list = singles.get(key);
      if (list === undefined) singles.set(key, [[from, to]]);
      else list.push([from, to]);
    }
  let work = pairs.count;
  const compareProfiles = (from: Profile, to: Profile): void => {
    work += from.bodies.length + to.bodies.length;
    const own = singles.get(`${from.index} ${to.index}`) ?? [];
    for (const rectangle of rectanglesOf(from, to, own, (one, other) => pairs.has(one, other)))
      for (const part of comparePair(...rectangle.example, worlds, tenancy))
        spread(part, rectangle, worlds, breadth, changes);
  };
  const receiving = profiles.filter(({ isTouched }) => isTouched.ingress);
  for (const from of profiles) {
    for (const to of from.isTouched.egress ? profiles : receiving) compareProfiles(from, to);
    step();
  }
  return work;
}

/** Those that a narrow rule is about, where something changes between them. */
function singlePairs({ sides, worlds, breadth }: Asked, touched: TouchedBodies, isAnyTouched: boolean): Pairs {
  const { bodies, bodiesOf } = sides;
  const pairs = new Pairs();
  const lists = { egress: new Map<Matcher, Body[]>(), ingress: new Map<Matcher, Body[]>() };
  /** Of whom the rule names, all where the own end is touched, else those that are. */
  const named = (side: SideName, matcher: Matcher, direction: Direction, isTouched: boolean): readonly Body[] => {
    const all = [...new Set(matcher.classes().flatMap(({ index }) => bodiesOf[side][index] ?? []))];
    if (isTouched) return all;
    const other = direction === 'egress' ? 'ingress' : 'egress';
    const known = lists[direction].get(matcher) ?? all.filter(({ index }) => touched[other][index] === 'all');
    lists[direction].set(matcher, known);
    return known;
  };
  for (const direction of directions)
    for (const body of bodies) {
      const add = (other: Body | undefined): void => {
        if (other !== undefined)
          pairs.add(...(direction === 'egress' ? ([body, other] as const) : ([other, body] as const)));
      };
      const own = touched[direction][body.index] ?? 'none';
      if (typeof own !== 'string') for (const index of own) add(bodies[index]);
      if (!isAnyTouched) continue;
      for (const side of sideNames)
        for (const pods of body.classes[side])
          for (const { steps } of worlds[side].plan(pods, direction))
            for (const { peer } of steps)
              if (!breadth.isBroad(peer)) for (const one of named(side, peer, direction, own === 'all')) add(one);
    }
  return pairs;
}
