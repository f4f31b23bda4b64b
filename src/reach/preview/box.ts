/**
 * What one rule opens, as a product of independent parts: labels of both sides, addresses, ports. What one product has and another lacks is
 * a few products again, so two versions of a policy are compared without any pod or namespace. Pure.
 */
import { formatRange } from '../../kubernetes/ip-range.ts';
import { type IpSet, intersect, subtract } from '../../kubernetes/ip-set.ts';
import { commonDomain, contradiction, type Domain, domainFor, type Selector } from '../../kubernetes/label-selector.ts';
import { containsPort, formatPort, mergedPorts, type Port, type PortRange } from '../../kubernetes/port-range.ts';

export interface Box {
  /** What is done, in which direction. */
  readonly frame: string;
  /** Empty: every request. Texts of requests are compared as a whole. */
  readonly requests: string;
  /** The kind of peer, or all of it where it is neither labels nor addresses. {@link anyone} covers every other. */
  readonly peer: string;
  /** Of both sides; the beginning of each key says whose (see boxes-of-policy.ts). */
  readonly labels: Selector;
  /** Undefined: any. */
  readonly addresses: IpSet | undefined;
  /** Ranges, which are sorted and disjoint (see {@link boxPorts}), then names. */
  readonly ports: readonly Port[];
}

/** As a box has them. */
export function boxPorts(ports: readonly Port[]): readonly Port[] {
  if (ports.length < 2) return ports;
  return [...mergedPorts(ports.filter(isRange)), ...ports.filter((port) => !isRange(port))];
}

export const anyone = 'anyone';

/** Parts of `box` that `other` does not have. Disjoint, and with the common part all of `box`. */
export function partsOutside<Kind extends Box>(box: Kind, other: Box): readonly Kind[] {
  if (!isComparable(box, other) || !sharesLabels(box, other)) return [box];
  const ports = portsOutside(box.ports, other.ports);
  if (ports.length === box.ports.length && ports.every((port, index) => port === box.ports[index])) return [box];
  const outside: Kind[] = [];
  const labels = new Map(box.labels);
  for (const [key, domain] of other.labels) {
    const own = domainFor(box.labels, key);
    const common = commonDomain(own, domain);
    const rest = commonDomain(own, allBut(domain));
    if (!isEmpty(rest)) outside.push({ ...box, labels: new Map(labels).set(key, rest) });
    labels.set(key, common);
  }
  let { addresses } = box;
  if (addresses !== undefined && other.addresses !== undefined) {
    const common = intersect(addresses, other.addresses);
    if (common.length === 0) return [box];
    const rest = subtract(addresses, other.addresses);
    if (rest.length > 0) outside.push({ ...box, labels: new Map(labels), addresses: rest });
    addresses = common;
  }
  return ports.length === 0 ? outside : [...outside, { ...box, labels, addresses, ports }];
}

/** What a comparison may cost before it is given up, and how many parts it may leave. */
export interface Limit {
  readonly parts: number;
  /** About 100 ns each. */
  readonly steps: number;
}

/**
 * Parts of some boxes that none of the others has.
 * @returns undefined where it goes beyond the limit
 */
export function difference<Kind extends Box>(
  some: readonly Kind[],
  others: readonly Box[],
  limit: Limit,
): readonly Kind[] | undefined {
  const found: Kind[] = [];
  // Most of two versions of a policy is the same.
  const same = new Set(others.map(textOf));
  const sized = others.map((box) => ({ box, size: sizeOf(box) }));
  let left = limit.steps;
  for (const box of some) {
    if (contradiction(box.labels) !== undefined || same.has(textOf(box))) continue;
    let parts: readonly Kind[] = [box];
    for (const { box: other, size } of sized) {
      left -= 1;
      if (isComparable(box, other)) {
        const shared: Kind[] = [];
        const apart: Kind[] = [];
        for (const part of parts) {
          left -= labelsSize(other);
          (sharesLabels(part, other) ? shared : apart).push(part);
        }
        for (const part of shared) left -= size + sizeOf(part);
        if (left < 0) return undefined;
        parts = [...apart, ...shared.flatMap((part) => partsOutside(part, other))];
      }
      if (left < 0 || parts.length > limit.parts) return undefined;
      if (parts.length === 0) break;
    }
    found.push(...parts);
    if (found.length > limit.parts) return undefined;
  }
  return found;
}

const texts = new WeakMap<Box, string>();

/** Where it is the same, the boxes are. */
function textOf(box: Box): string {
  const known = texts.get(box);
  if (known !== undefined) return known;
  const { frame, requests, peer, labels, addresses, ports } = box;
  const text = JSON.stringify([
    ...[frame, requests, peer, ports.map(formatPort)],
    [...labels].map(([key, { absent, finite, values }]) => [key, absent, finite, ...values]),
    addresses?.map(formatRange),
  ]);
  texts.set(box, text);
  return text;
}

/** Otherwise they have nothing in common, or it is not known what. */
function isComparable(box: Box, other: Box): boolean {
  if (box.frame !== other.frame || (other.requests !== '' && other.requests !== box.requests)) return false;
  return other.peer === anyone || other.peer === box.peer;
}

function sharesLabels(box: Box, other: Box): boolean {
  for (const [key, domain] of other.labels) {
    const own = box.labels.get(key);
    if (own !== undefined && !sharesValues(own, domain)) return false;
  }
  return true;
}

function sharesValues(one: Domain, other: Domain): boolean {
  if ((one.absent && other.absent) || !(one.finite || other.finite)) return true;
  const [finite, by] = one.finite ? [one, other] : [other, one];
  for (const value of finite.values) if (by.values.has(value) === by.finite) return true;
  return false;
}

/** Items that a full comparison looks at, at most. For each label a part is made, which has all labels. */
function sizeOf(box: Box): number {
  return labelsSize(box) + box.labels.size ** 2 + box.ports.length + (box.addresses?.length ?? 0);
}

function labelsSize({ labels }: Box): number {
  let size = labels.size;
  for (const { values } of labels.values()) size += values.size;
  return size;
}

/** Of the same objects where nothing is taken away. A name may stand for any number, so only its own text, or every port, covers it. */
function portsOutside(ports: readonly Port[], others: readonly Port[]): readonly Port[] {
  const ranges = others.filter(isRange);
  const names = new Set(others.flatMap((port) => ('name' in port ? [formatPort(port)] : [])));
  const named = ports.filter((port) => 'name' in port && !names.has(formatPort(port)) && !containsPort(ranges, port));
  return [...rangesOutside(ports.filter(isRange), ranges), ...named];
}

function isRange(port: Port): port is PortRange {
  return !('name' in port);
}

/** Both are sorted and disjoint. Linear in the size of both. */
function rangesOutside(some: readonly PortRange[], others: readonly PortRange[]): readonly PortRange[] {
  const rest: PortRange[] = [];
  let at = 0;
  for (const range of some) {
    const { protocol, last } = range;
    for (let hole = others[at]; hole !== undefined && liesBefore(hole, range); hole = others[++at]);
    let { first } = range;
    // The last hole may reach into the next range, so it is looked at again there.
    for (let next = at; ; next++) {
      const hole = others[next];
      if (hole === undefined || liesBefore(range, hole)) break;
      if (first < hole.first) rest.push({ protocol, first, last: hole.first - 1 });
      first = hole.last + 1;
      at = next;
    }
    if (first === range.first) rest.push(range);
    else if (first <= last) rest.push({ protocol, first, last });
  }
  return rest;
}

function liesBefore(one: PortRange, other: PortRange): boolean {
  return one.protocol === other.protocol ? one.last < other.first : one.protocol < other.protocol;
}

function allBut({ absent, finite, values }: Domain): Domain {
  return { absent: !absent, finite: !finite, values };
}

function isEmpty({ absent, finite, values }: Domain): boolean {
  return !absent && finite && values.size === 0;
}
