/**
 * What one rule opens, as a product of independent parts: labels of both sides, addresses, ports. What one product has and another lacks is
 * a few products again, so two versions of a policy are compared without any pod or namespace. Pure.
 */
import { type IpSet, intersect, subtract } from '../../kubernetes/ip-set.ts';
import { commonDomain, contradiction, type Domain, domainFor, type Selector } from '../../kubernetes/label-selector.ts';
import { commonPorts, containsPort, type Port, type PortRange } from '../../kubernetes/port-range.ts';

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
  readonly ports: readonly Port[];
}

export const anyone = 'anyone';

/** Parts of `box` that `other` does not have. Disjoint, and with the common part all of `box`. */
export function partsOutside<Kind extends Box>(box: Kind, other: Box): readonly Kind[] {
  if (box.frame !== other.frame || (other.requests !== '' && other.requests !== box.requests)) return [box];
  if (other.peer !== anyone && other.peer !== box.peer) return [box];
  const ports = portsOutside(box.ports, other.ports);
  if (ports.length === box.ports.length && ports.every((port, index) => port === box.ports[index])) return [box];
  const outside: Kind[] = [];
  const labels = new Map(box.labels);
  for (const [key, domain] of other.labels) {
    const own = domainFor(box.labels, key);
    const common = commonDomain(own, domain);
    if (isEmpty(common)) return [box];
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

/**
 * Parts of some boxes that none of the others has.
 * @returns undefined when there are more than `most` of them on the way, or it takes more than `steps` comparisons
 */
export function difference<Kind extends Box>(
  some: readonly Kind[],
  others: readonly Box[],
  most: number,
  steps: number,
): readonly Kind[] | undefined {
  const found: Kind[] = [];
  let left = steps;
  for (const box of some) {
    if (contradiction(box.labels) !== undefined) continue;
    let parts: readonly Kind[] = [box];
    for (const other of others) {
      left -= parts.length;
      if (left < 0) return undefined;
      parts = parts.flatMap((part) => partsOutside(part, other));
      if (parts.length === 0) break;
      if (parts.length > most) return undefined;
    }
    found.push(...parts);
    if (found.length > most) return undefined;
  }
  return found;
}

/** Of the same objects where nothing is taken away. A name may stand for any number, so only its own text, or every port, covers it. */
function portsOutside(ports: readonly Port[], others: readonly Port[]): readonly Port[] {
  const ranges = others.filter((port): port is PortRange => !('name' in port));
  return ports.flatMap((port): readonly Port[] => {
    if ('name' in port) {
      const isNamed = others.some((one) => 'name' in one && one.name === port.name && one.protocol === port.protocol);
      return isNamed || containsPort(ranges, port) ? [] : [port];
    }
    if (commonPorts([port], ranges).length === 0) return [port];
    let rest: readonly PortRange[] = [port];
    for (const range of ranges) rest = rest.flatMap((one) => withoutRange(one, range));
    return rest;
  });
}

function withoutRange(one: PortRange, { protocol, first, last }: PortRange): readonly PortRange[] {
  if (one.protocol !== protocol || one.last < first || last < one.first) return [one];
  return [
    ...(one.first < first ? [{ ...one, last: first - 1 }] : []),
    ...(last < one.last ? [{ ...one, first: last + 1 }] : []),
  ];
}

function allBut({ absent, finite, values }: Domain): Domain {
  return { absent: !absent, finite: !finite, values };
}

function isEmpty({ absent, finite, values }: Domain): boolean {
  return !absent && finite && values.size === 0;
}
