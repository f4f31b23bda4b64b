/** Who may reach which addresses on which ports: many grants as one sorted list, so that a look-up does not depend on their number. */
import type { IpRange } from '../kubernetes/ip-range.ts';
import { type IpSet, normalise, overlapping, subtract } from '../kubernetes/ip-set.ts';
import { once } from '../kubernetes/once.ts';
import { allPorts, type Port, type PortRange } from '../kubernetes/port-range.ts';
import { shutPorts } from './open-ports.ts';

export interface AddressGrant {
  readonly addresses: IpSet;
  /** Empty: every port. */
  readonly ports: readonly PortRange[];
  /** Milliseconds since the epoch. Undefined: never. */
  readonly expires?: number | undefined;
  /** The platform has not named the addresses: they are part of the internet (reach/internet.ts). */
  readonly internet?: boolean;
}

/** Addresses that are in the same grants. */
export interface GrantedRange<Grant extends AddressGrant = AddressGrant> extends IpRange {
  /** Not empty. */
  readonly grants: readonly Grant[];
}

/** Sorted, disjoint ranges, where adjacent ones may be in different grants. O(n log n) in the ranges of the grants, and in its result. */
export function grantedRanges<Grant extends AddressGrant>(grants: readonly Grant[]): readonly GrantedRange<Grant>[] {
  const result: GrantedRange<Grant>[] = [];
  for (const family of [4, 6] as const) {
    const edges = grants
      .flatMap((grant) =>
        grant.addresses
          .filter((range) => range.family === family)
          .flatMap(({ first, last }) => [
            { at: first, grant, begins: true },
            { at: last + 1n, grant, begins: false },
          ]),
      )
      .sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
    const open = new Set<Grant>();
    for (const [index, { at, grant, begins }] of edges.entries()) {
      if (begins) open.add(grant);
      else open.delete(grant);
      const next = edges[index + 1]?.at;
      if (next === undefined || next === at || open.size === 0) continue;
      result.push({ family, first: at, last: next - 1n, grants: [...open] });
    }
  }
  return result;
}

/** Whether grants together open what is asked for. Many addresses are in the same grants, so each answer is kept. */
export type IsOpen = (grants: readonly AddressGrant[]) => boolean;

/** Of these ports, every one. */
export function opens(ports: readonly Port[], now: number): IsOpen {
  return once((grants: readonly AddressGrant[]) => shutPorts(inForce(grants, now), ports).length === 0);
}

/** The addresses whose grants open what is asked for. Grants of one address add up, in whichever of the lists they are. */
export function openIn(lists: readonly (readonly GrantedRange[])[], isOpen: IsOpen): IpSet {
  const open: IpRange[] = lists.flat().filter(({ grants }) => isOpen(grants));
  const closed = lists.map((list) => list.filter(({ grants }) => !isOpen(grants)));
  if (closed.filter(({ length }) => length > 0).length > 1) {
    const shared = closed.flatMap((list, index) =>
      overlapping(list, normalise(closed.toSpliced(index, 1).flat())).flatMap((range) =>
        range.grants.map((grant) => ({ ...grant, addresses: [range] })),
      ),
    );
    open.push(...grantedRanges(shared).filter(({ grants }) => isOpen(grants)));
  }
  return normalise(open);
}

/** For more granted ranges, no common ports are named. */
const mostCompared = 32;

/** The ports that are open for every one of the addresses; undefined where one of them is in no grant at all. */
export function portsGranted(
  addresses: IpSet,
  lists: readonly (readonly GrantedRange[])[],
  now: number,
): readonly PortRange[] | undefined {
  const touched = lists.flatMap((list) => overlapping(list, addresses));
  if (touched.length > mostCompared || subtract(addresses, normalise(touched)).length > 0) return undefined;
  const [first = [], ...others] = touched.map(({ grants }) => inForce(grants, now));
  return first
    .flatMap(({ ports }) => (ports.length === 0 ? allPorts : ports))
    .filter((port) => others.every((grants) => shutPorts(grants, [port]).length === 0));
}

function inForce(grants: readonly AddressGrant[], now: number): readonly AddressGrant[] {
  return grants.filter(({ expires }) => expires === undefined || now < expires);
}
