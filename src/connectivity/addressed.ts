/** Addresses of pods, by which their classes are found. */
import type { IpRange } from '../kubernetes/ip-range.ts';
import { compareRanges } from '../kubernetes/ip-set.ts';
import type { PodClass } from './parties.ts';

export interface Addressed {
  readonly range: IpRange;
  readonly pods: PodClass;
  /** Of those of its family up to here, the one that ends last. */
  readonly reach: IpRange;
}

/** Two classes may have the same address, for a while. */
export function inOrder(classes: readonly PodClass[]): readonly Addressed[] {
  const all = classes.flatMap((pods) => pods.addresses.map((range) => ({ range, pods, reach: range })));
  all.sort((one, other) => compareRanges(one.range, other.range));
  for (const [at, one] of all.entries()) {
    const before = all[at - 1]?.reach;
    if (before?.family === one.range.family && before.last > one.range.last) one.reach = before;
  }
  return all;
}

/** Those with an address in the range: found by halving, as there may be as many as pods. */
export function addressedIn({ family, first, last }: IpRange, addressed: readonly Addressed[]): readonly PodClass[] {
  let [low, high] = [0, addressed.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const reach = addressed[middle]?.reach;
    if (reach !== undefined && (reach.family < family || (reach.family === family && reach.last < first)))
      low = middle + 1;
    else high = middle;
  }
  const found: PodClass[] = [];
  for (let at = low; ; at++) {
    const one = addressed[at];
    if (one === undefined || one.range.family !== family || one.range.first > last) return found;
    if (one.range.last >= first) found.push(one.pods);
  }
}
