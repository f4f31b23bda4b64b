/**
 * Sets of addresses: sorted, disjoint, not adjacent ranges, IPv4 before IPv6. Pure.
 * {@link normalise} makes one of any list; the other operations take and give such sets, in time linear in their size.
 */
import type { IpRange } from './ip-range.ts';

export type IpSet = readonly IpRange[];

/** The union of ranges in any order. O(n log n). */
export function normalise(ranges: readonly IpRange[]): IpSet {
  if (ranges.length < 2) return ranges;
  const sorted = [...ranges].sort(compare);
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
    while (liesBefore(what[index], range)) index++;
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
    if (liesBefore(a, b)) l++;
    else if (liesBefore(b, a)) r++;
    else {
      const [begin, end] = [a.first > b.first ? a : b, a.last < b.last ? a : b];
      common.push({ family: a.family, first: begin.first, last: end.last });
      if (a === end) l++;
      else r++;
    }
  }
}

/** Whether every address of `inner` is in `outer`. */
export function contains(outer: IpSet, inner: IpSet): boolean {
  return subtract(inner, outer).length === 0;
}

/** Whether the range lies wholly before the other; false when there is none. */
function liesBefore(range: IpRange | undefined, other: IpRange): boolean {
  return (
    range !== undefined && (range.family < other.family || (range.family === other.family && range.last < other.first))
  );
}

function compare(a: IpRange, b: IpRange): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.first < b.first ? -1 : a.first > b.first ? 1 : 0;
}
