/**
 * Sets of ports: sorted, disjoint, not adjacent ranges of numbers, each range two items of a flat list. A number is a port of one protocol:
 * `protocol * 65536 + port`. Pure; linear in the size of both.
 */
import { allPorts, type Port, type PortRange } from '../kubernetes/port-range.ts';

export type PortSet = readonly number[];

const protocols = ['TCP', 'UDP', 'SCTP'] as const;
const span = 65536;

export const noPorts: PortSet = [];

export function portNumber(protocol: PortRange['protocol'], port: number): number {
  return protocols.indexOf(protocol) * span + port;
}

export const everyPort: PortSet = setOf(allPorts);

/** @param ranges in any order */
export function setOf(ranges: readonly PortRange[]): PortSet {
  const pairs = ranges
    .map(({ protocol, first, last }) => [portNumber(protocol, first), portNumber(protocol, last)] as const)
    .sort((one, other) => one[0] - other[0]);
  const set: number[] = [];
  for (const [first, last] of pairs) append(set, first, last);
  return set;
}

function append(set: number[], first: number, last: number): void {
  const end = set.at(-1);
  if (end === undefined || end + 1 < first) set.push(first, last);
  else if (end < last) set[set.length - 1] = last;
}

export function unionOf(one: PortSet, other: PortSet): PortSet {
  if (one.length === 0 || other === everyPort) return other;
  if (other.length === 0 || one === everyPort || one === other) return one;
  const set: number[] = [];
  let [l, r] = [0, 0];
  while (l < one.length || r < other.length) {
    const [a, b] = [one[l], other[r]];
    if (b === undefined || (a !== undefined && a <= b)) {
      append(set, a as number, one[l + 1] as number);
      l += 2;
    } else {
      append(set, b, other[r + 1] as number);
      r += 2;
    }
  }
  return set.length === everyPort.length && contains(set, everyPort) ? everyPort : set;
}

export function intersectionOf(one: PortSet, other: PortSet): PortSet {
  if (one === everyPort || one === other) return other;
  if (other === everyPort) return one;
  const set: number[] = [];
  let [l, r] = [0, 0];
  while (l < one.length && r < other.length) {
    const first = Math.max(one[l] as number, other[r] as number);
    const [endLeft, endRight] = [one[l + 1] as number, other[r + 1] as number];
    const last = Math.min(endLeft, endRight);
    if (first <= last) set.push(first, last);
    if (endLeft <= endRight) l += 2;
    if (endRight <= endLeft) r += 2;
  }
  return set.length === 0 ? noPorts : set;
}

/** What is in `from` and not in `what`. */
export function differenceOf(from: PortSet, what: PortSet): PortSet {
  if (what.length === 0 || from.length === 0) return from;
  if (what === everyPort || from === what) return noPorts;
  const set: number[] = [];
  let at = 0;
  for (let index = 0; index < from.length; index += 2) {
    let first = from[index] as number;
    const last = from[index + 1] as number;
    while (at < what.length && (what[at + 1] as number) < first) at += 2;
    for (let hole = at; hole < what.length && (what[hole] as number) <= last; hole += 2) {
      const begin = what[hole] as number;
      if (first < begin) set.push(first, begin - 1);
      first = Math.max(first, (what[hole + 1] as number) + 1);
    }
    if (first <= last) set.push(first, last);
  }
  return set.length === 0 ? noPorts : set;
}

export function contains(outer: PortSet, inner: PortSet): boolean {
  if (outer === everyPort || outer === inner) return true;
  let at = 0;
  for (let index = 0; index < inner.length; index += 2) {
    const first = inner[index] as number;
    while (at < outer.length && (outer[at + 1] as number) < first) at += 2;
    if (at >= outer.length || (outer[at] as number) > first || (outer[at + 1] as number) < (inner[index + 1] as number))
      return false;
  }
  return true;
}

export function hasPort(set: PortSet, number: number): boolean {
  for (let index = 0; index < set.length; index += 2)
    if ((set[index] as number) <= number && number <= (set[index + 1] as number)) return true;
  return false;
}

/** In order, for reports and {@link setOf}. */
export function rangesOf(set: PortSet): readonly PortRange[] {
  const ranges: PortRange[] = [];
  for (let index = 0; index < set.length; index += 2) {
    const protocol = protocols[Math.floor((set[index] as number) / span)];
    if (protocol === undefined) throw new Error(`${set[index]} is no port`);
    ranges.push({ protocol, first: (set[index] as number) % span, last: (set[index + 1] as number) % span });
  }
  return ranges;
}

/** A port of a container, by which a name is resolved. */
export interface ContainerPort {
  readonly name: string;
  readonly protocol: PortRange['protocol'];
  readonly port: number;
}

/**
 * A name is every number that the pod gives it, in the protocol of the rule; none where the pod does not have it, or where the peer is no pod.
 *
 * @param named ports of the pod to which the connection goes
 */
export function resolved(ports: readonly Port[], named: readonly ContainerPort[]): PortSet {
  if (ports === allPorts) return everyPort;
  return setOf(
    ports.flatMap((port) => {
      if (!('name' in port)) return [port];
      const { protocol, name } = port;
      const numbers = named.filter((one) => one.name === name && one.protocol === protocol);
      return numbers.map((one): PortRange => ({ protocol, first: one.port, last: one.port }));
    }),
  );
}
