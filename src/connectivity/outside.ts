/** The internet, in pieces that policies tell apart. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { addressBits, type Family } from '../kubernetes/ip-address.ts';
import { type IpRange, knownRange } from '../kubernetes/ip-range.ts';
import { compareRanges, normalise, subtract } from '../kubernetes/ip-set.ts';
import { internet } from '../reach/internet.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Snapshot } from './snapshot.ts';

/** The largest ones are asked about, of each family. */
const mostPieces = 32;

/** No policy may name `::ffff:0:0/96`, which stands for IPv4 addresses. Around it, no address is in use. */
export const aroundMapped = knownRange('::/80');

/** The address families of the cluster: each has ranges in the settings, or lacks some. */
export function familiesOf({ protectedRanges, unlistedFamilies }: Settings): readonly Family[] {
  const pods = protectedRanges.filter(({ name }) => name === 'pod network').map(({ range }) => range);
  const known = new Set([...unlistedFamilies, ...destinations(normalise(pods)).map(({ family }) => family)]);
  return [...known].sort((one, other) => one - other);
}

/** Whether it is a place that a rule names, and not the world: at most an IPv4 /8 or an IPv6 /16. */
function isPlace({ family, first, last }: IpRange): boolean {
  return last - first < 1n << BigInt(addressBits[family] - (family === 4 ? 8 : 16));
}

export interface Outside {
  /** Every rule is about the whole of each, or about nothing of it. By address. */
  readonly pieces: readonly IpRange[];
  /** So many smaller ones are left out. */
  readonly left: number;
}

/** Addresses outside of the cluster that no rule names by themselves: of the ranges in policies, only those of the world have them. */
export function outsideOf({ policies, sets = [] }: Snapshot, settings: Settings): Outside {
  const read = new Set(policies.map(({ inForce }) => inForce));
  const rules = [...read].flatMap(({ parts }) => parts.flatMap((part) => part.rules));
  const ranges = rules.flatMap(({ peer }) => ('addresses' in peer ? (peer.addresses ?? []) : []));
  const written = [...ranges, ...sets.flatMap(({ set }) => set.addresses)];
  const worlds = written.filter((one) => !isPlace(one));
  const covered = normalise(worlds);
  // A small gap between ranges of the world is an exception of a rule, which names it.
  const gaps = covered.flatMap(({ family, last }, at) => {
    const next = covered[at + 1];
    const gap = next?.family === family && { family, first: last + 1n, last: next.first - 1n };
    return gap && isPlace(gap) ? [gap] : [];
  });
  const places = normalise([aroundMapped, ...written.filter(isPlace), ...gaps]);
  const free = subtract(internet(settings), places);
  const parts = familiesOf(settings).map((family) => {
    const isOf = (one: IpRange): boolean => one.family === family;
    return cut(free.filter(isOf), worlds.filter(isOf)).sort((one, other) =>
      Number(other.last - other.first - (one.last - one.first)),
    );
  });
  return {
    pieces: parts.flatMap((own) => own.slice(0, mostPieces).sort(compareRanges)),
    left: parts.reduce((sum, own) => sum + Math.max(0, own.length - mostPieces), 0),
  };
}

/** The same addresses, of one family, cut where one of the ranges begins or ends. */
function cut(set: readonly IpRange[], at: readonly IpRange[]): IpRange[] {
  const cuts = [...new Set(at.flatMap(({ first, last }) => [first, last + 1n]))].sort((one, other) =>
    one < other ? -1 : 1,
  );
  const pieces: IpRange[] = [];
  let index = 0;
  for (const { family, first, last } of set) {
    let begin = first;
    for (let next = cuts[index]; next !== undefined && next <= last; next = cuts[++index])
      if (next > begin) {
        pieces.push({ family, first: begin, last: next - 1n });
        begin = next;
      }
    pieces.push({ family, first: begin, last });
  }
  return pieces;
}
