/**
 * Pairs of two profiles, in bulk. They fall apart by whether the two are of one tenant, before and after; the pairs of one such part that no
 * narrow rule is about are all alike, so one is asked about for all.
 */
import { isOverBorder } from './compare-pair.ts';
import type { Profile } from './profiles.ts';
import type { Body } from './sides.ts';

/** Whether a pair is over a border, on the old side and on the new. */
export type Relation = 0 | 1 | 2 | 3;
const relations = [0, 1, 2, 3] as const;

export function relationOf(from: Pick<Body, 'group'>, to: Pick<Body, 'group'>): Relation {
  return ((isOverBorder(from, to, 'old') ? 1 : 0) + (isOverBorder(from, to, 'new') ? 2 : 0)) as Relation;
}

/** Pairs that are asked about one by one. */
export class Pairs {
  readonly #to = new Map<number, Set<number>>();
  count = 0;

  add(from: Body, to: Body): void {
    const known = this.#to.get(from.index) ?? new Set<number>();
    this.#to.set(from.index, known);
    if (!known.has(to.index)) this.count++;
    known.add(to.index);
  }

  has(from: Body, to: Body): boolean {
    return this.#to.get(from.index)?.has(to.index) === true;
  }

  of({ index }: Body): ReadonlySet<number> | undefined {
    return this.#to.get(index);
  }
}

/** All pairs of two profiles in one relation but for the single ones; of one at least. */
export interface Rectangle {
  readonly profiles: Readonly<Record<'from' | 'to', Profile>>;
  readonly relation: Relation;
  readonly example: readonly [from: Body, to: Body];
  /** Those that have a partner among the others. */
  readonly from: readonly Body[];
  readonly to: readonly Body[];
  /** Single pairs in it. */
  readonly singles: readonly (readonly [from: Body, to: Body])[];
}

export function rectanglesOf(
  from: Profile,
  to: Profile,
  singles: Rectangle['singles'],
  isSingle: (from: Body, to: Body) => boolean,
): readonly Rectangle[] {
  const [sources, targets] = [countsOf(from), countsOf(to)];
  const taken = new Map<string, number>();
  for (const [one, other] of singles) {
    const relation = relationOf(one, other);
    for (const key of [`> ${one.index} ${relation}`, `< ${other.index} ${relation}`])
      taken.set(key, (taken.get(key) ?? 0) + 1);
  }
  return relations.flatMap((relation): readonly Rectangle[] => {
    const withPartner = (bodies: readonly Body[], others: Counts, arrow: string) =>
      bodies.filter((body) => {
        const partners = partnersOf(body, others)[relation];
        return partners > (singles.length === 0 ? 0 : (taken.get(`${arrow} ${body.index} ${relation}`) ?? 0));
      });
    const left = withPartner(from.bodies, targets, '>');
    const [first] = left;
    if (first === undefined) return [];
    const second = to.bodies.find((one) => relationOf(first, one) === relation && !isSingle(first, one));
    if (second === undefined) return [];
    const right = withPartner(to.bodies, sources, '<');
    const own = singles.filter(([one, other]) => relationOf(one, other) === relation);
    return [{ profiles: { from, to }, relation, example: [first, second], from: left, to: right, singles: own }];
  });
}

interface Counts {
  readonly all: number;
  /** By the group on the old side, on the new, and on both. */
  readonly old: ReadonlyMap<string | undefined, number>;
  readonly new: ReadonlyMap<string | undefined, number>;
  readonly both: ReadonlyMap<string, number>;
  /** None goes from one group to another. */
  readonly isStill: boolean;
}

const known = new WeakMap<Profile, Counts>();

function countsOf(profile: Profile): Counts {
  const found = known.get(profile);
  if (found !== undefined) return found;
  const { bodies } = profile;
  const made: Counts = {
    all: bodies.length,
    old: counted(bodies.map(({ group }) => group.old)),
    new: counted(bodies.map(({ group }) => group.new)),
    both: counted(bodies.map(({ group }) => bothOf(group))),
    isStill: bodies.every(({ group }) => group.old === group.new),
  };
  known.set(profile, made);
  return made;
}

function counted<Key>(keys: readonly Key[]): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function bothOf({ old, new: now }: Body['group']): string {
  return `${old} ${now}`;
}

/** How many of a profile are in each relation to the body. All of a profile are on the same sides. */
function partnersOf({ group }: Body, others: Counts): Readonly<Record<Relation, number>> {
  if (others.isStill && group.old === group.new) {
    const same = others.old.get(group.old) ?? 0;
    return { 0: same, 1: 0, 2: 0, 3: others.all - same };
  }
  const isNever = { old: group.old === undefined || others.old.has(undefined), new: false };
  isNever.new = group.new === undefined || others.new.has(undefined);
  const old = isNever.old ? others.all : (others.old.get(group.old) ?? 0);
  const now = isNever.new ? others.all : (others.new.get(group.new) ?? 0);
  const both = isNever.old ? now : isNever.new ? old : (others.both.get(bothOf(group)) ?? 0);
  return { 0: both, 1: now - both, 2: old - both, 3: others.all - old - now + both };
}
