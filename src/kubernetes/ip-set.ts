/**
 * Sets of addresses: sorted, disjoint, not adjacent ranges, IPv4 before IPv6. Pure.
 * {@link normalise} makes one of any list; the other operations take and give such sets. They take time linear in the size of
 * both, and less where most of one lies far from the other: what is passed over costs the logarithm of its number.
 */
import type { IpRange } from './ip-range.ts';

export type IpSet = readonly IpRange[];

export const everyAddress: IpSet = [
  { family: 4, first: 0n, last: (1n << 32n) - 1n },
  { family: 6, first: 0n, last: (1n << 128n) - 1n },
];

/** The union of ranges in any order. O(n log n). */
export function normalise(ranges: readonly IpRange[]): IpSet {
  if (ranges.length < 2) return ranges;
  const sorted = [...ranges].sort(compareRanges);
  const set: IpRange[] = [];
  for (const range of sorted) {
    const previous = set.at(-1);
    if (previous === undefined || previous.family !== range.family || previous.last + 1n < range.first) set.push(range);
    else if (previous.last < range.last) set[set.length - 1] = { ...previous, last: range.last };
  }
  return set;
}

/** What is in `from` and not in `what`. */
export function subtract(from: IpSet, what: IpSet): IpSet {
  if (what.length === 0) return from;
  const rest: IpRange[] = [];
  let index = 0;
  for (const range of from) {
    index = skip(what, index, range);
    let { first } = range;
    // The last hole may reach into the next range of `from`, so it is looked at again there.
    for (let at = index; ; at++) {
      const hole = what[at];
      if (hole === undefined || liesBefore(range, hole)) break;
      if (first < hole.first) rest.push({ family: range.family, first, last: hole.first - 1n });
      first = hole.last + 1n;
      index = at;
    }
    if (first <= range.last) rest.push({ family: range.family, first, last: range.last });
  }
  return rest;
}

/** What is in both. */
export function intersect(left: IpSet, right: IpSet): IpSet {
  const common: IpRange[] = [];
  let [l, r] = [0, 0];
  for (;;) {
    const [a, b] = [left[l], right[r]];
    if (a === undefined || b === undefined) return common;
    if (liesBefore(a, b)) l = skip(left, l, b);
    else if (liesBefore(b, a)) r = skip(right, r, a);
    else {
      const [begin, end] = [a.first > b.first ? a : b, a.last < b.last ? a : b];
      common.push({ family: a.family, first: begin.first, last: end.last });
      if (a === end) l++;
      else r++;
    }
  }
}

/** Of sorted, disjoint ranges, which may be adjacent: those that share an address with the set. */
export function overlapping<Range extends IpRange>(ranges: readonly Range[], set: IpSet): readonly Range[] {
  const found: Range[] = [];
  let index = 0;
  for (const range of set) {
    index = skip(ranges, index, range);
    for (let next = ranges[index]; next !== undefined && !liesBefore(range, next); next = ranges[++index])
      if (found.at(-1) !== next) found.push(next);
    // The last one may reach into the next range of the set.
    if (index > 0) index--;
  }
  return found;
}

/** Whether every address of `inner` is in `outer`. */
export function contains(outer: IpSet, inner: IpSet): boolean {
  return subtract(inner, outer).length === 0;
}

/**
 * The first index from `from` on whose range does not lie wholly before the other, or the end. Steps that double, then halves; most
 * addresses lie beyond all of a list, which the last of it says at once.
 */
function skip(set: IpSet, from: number, other: IpRange): number {
  if (!liesBefore(set[from], other)) return from;
  if (liesBefore(set.at(-1), other)) return set.length;
  let before = from;
  let step = 1;
  for (; liesBefore(set[before + step], other); step *= 2) before += step;
  let found = before + step;
  while (found - before > 1) {
    const middle = (before + found) >>> 1;
    if (liesBefore(set[middle], other)) before = middle;
    else found = middle;
  }
  return found;
}

/** Whether the range lies wholly before the other; false when there is none. */
function liesBefore(range: IpRange | undefined, other: IpRange): boolean {
  return (
    range !== undefined && (range.family < other.family || (range.family === other.family && range.last < other.first))
  );
}

/** By family, then by the first address. */
export function compareRanges(a: IpRange, b: IpRange): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.first < b.first ? -1 : a.first > b.first ? 1 : 0;
}
