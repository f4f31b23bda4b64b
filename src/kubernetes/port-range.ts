/** Ports of transport protocols, as NetworkPolicyPort of networking.k8s.io/v1 writes them. Pure. */
import { excerpt, isGiven, isMap, unknownField } from './json.ts';

type Protocol = 'TCP' | 'UDP' | 'SCTP';

/** The ports from `first` to `last` of one protocol, both included, 1 to 65535. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/**
 * A port by its name: every destination pod maps it to a number of its own choice. Where no pod has the name, kube-router treats the
 * rule as one without ports, which opens every port of every protocol (policy.go; confirmed with packets).
 */
interface NamedPort {
  readonly protocol: Protocol;
  readonly name: string;
  /** Read by one engine alone, for which a name is never a port of another protocol. */
  readonly keepsProtocol?: true;
}

export type Port = PortRange | NamedPort;

/** Where name servers listen: 53 everywhere, and 5353 in the pods of OpenShift's. */
export const namePorts: readonly number[] = [53, 5353];

/** What {@link parsePort} gives: the port, or which field of it is wrong (undefined: all of it), why, and what to write instead. */
type ParsedPort = { readonly ok: true; readonly value: Port } | PortFailure;
interface PortFailure {
  readonly ok: false;
  readonly field: 'protocol' | 'port' | 'endPort' | undefined;
  readonly reason: string;
  readonly fix: string;
}

const portFields: ReadonlySet<string> = new Set(['protocol', 'port', 'endPort']);
const highest = 65535;

/** Every port of every protocol. */
export const allPorts: readonly PortRange[] = [
  { protocol: 'TCP', first: 1, last: highest },
  { protocol: 'UDP', first: 1, last: highest },
  { protocol: 'SCTP', first: 1, last: highest },
];

/** Where an empty list means every port. */
export function orAllPorts(ports: readonly PortRange[]): readonly PortRange[] {
  return ports.length === 0 ? allPorts : ports;
}

/**
 * Reads one NetworkPolicyPort.
 * protocol  missing is TCP
 * port      missing is every port of the protocol; a string is a name, also when it looks like a number
 * endPort   the last port of a range; needs a numeric port that is not greater
 */
export function parsePort(written: unknown): ParsedPort {
  if (!isMap(written)) return failure(undefined, `${excerpt(written)} is not a port`, 'write protocol and port');
  const unknown = unknownField(written, portFields);
  if (unknown !== undefined) {
    return failure(undefined, `${excerpt(unknown)} is not a field of a port`, 'write protocol, port and endPort');
  }
  const { port, endPort } = written;
  const protocol = isGiven(written.protocol) ? written.protocol : 'TCP';
  if (!isProtocol(protocol)) {
    return failure('protocol', `${excerpt(protocol)} is not a protocol of a network policy`, 'write TCP, UDP or SCTP');
  }
  if (!isGiven(port) || typeof port === 'string') {
    if (isGiven(endPort)) {
      const reason = 'endPort is the end of a range and needs a numeric port as its beginning';
      return failure('endPort', reason, 'give port as a number, or remove endPort');
    }
    if (typeof port !== 'string') return { ok: true, value: { protocol, first: 1, last: highest } };
    return isPortName(port) ? { ok: true, value: { protocol, name: port } } : wrongName(port);
  }
  if (!isPortNumber(port)) return failure('port', `${excerpt(port)} is not a port`, 'write a number from 1 to 65535');
  if (!isGiven(endPort)) return { ok: true, value: { protocol, first: port, last: port } };
  if (!isPortNumber(endPort) || endPort < port) {
    const reason = `${excerpt(endPort)} is not the end of a range that begins at ${port}`;
    return failure('endPort', reason, `write a number from ${port} to 65535, or remove endPort`);
  }
  return { ok: true, value: { protocol, first: port, last: endPort } };
}

/**
 * Whether the union of `outer` surely has every port of `inner`. A name may stand for any port: the owner of the destination pod chooses
 * the number, and kube-router opens every protocol where no pod has the name (NP-09).
 */
export function containsPort(outer: readonly PortRange[], inner: Port): boolean {
  if (!('name' in inner)) return containsRange(outer, inner);
  const mayBe = inner.keepsProtocol ? allPorts.filter(({ protocol }) => protocol === inner.protocol) : allPorts;
  return mayBe.every((range) => containsRange(outer, range));
}

function containsRange(outer: readonly PortRange[], inner: PortRange): boolean {
  const { first, last } = inner;
  let next = first;
  // Each round moves `next` behind one range or ends, so a range is used at most once.
  for (let moved = true; moved && next <= last; ) {
    moved = false;
    for (const range of outer) {
      if (range.protocol === inner.protocol && range.first <= next && next <= range.last) {
        next = range.last + 1;
        moved = true;
      }
    }
  }
  return next > last;
}

/** The ports that are in both, as few ranges in order. */
export function commonPorts(some: readonly PortRange[], others: readonly PortRange[]): readonly PortRange[] {
  const both = some.flatMap(({ protocol, first, last }) =>
    others.flatMap((other) => {
      const range = { protocol, first: Math.max(first, other.first), last: Math.min(last, other.last) };
      return other.protocol === protocol && range.first <= range.last ? [range] : [];
    }),
  );
  return mergedPorts(both);
}

/** The same ports as few ranges, in order. */
export function mergedPorts(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const range of ranges.toSorted(byPort)) {
    const before = merged.at(-1);
    if (before?.protocol === range.protocol && range.first <= before.last + 1)
      merged[merged.length - 1] = { ...before, last: Math.max(before.last, range.last) };
    else merged.push(range);
  }
  return merged;
}

function byPort(one: PortRange, other: PortRange): number {
  if (one.protocol !== other.protocol) return one.protocol < other.protocol ? -1 : 1;
  return one.first - other.first;
}

/** `5432/TCP`, `30000-30100/TCP`, `all/UDP`, `http/TCP`. */
export function formatPort(port: Port): string {
  if ('name' in port) return `${port.name}/${port.protocol}`;
  if (port.first === 1 && port.last === highest) return `all/${port.protocol}`;
  return `${port.first}${port.first === port.last ? '' : `-${port.last}`}/${port.protocol}`;
}

function isProtocol(value: unknown): value is Protocol {
  return value === 'TCP' || value === 'UDP' || value === 'SCTP';
}

function isPortNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= highest;
}

/** IANA service name (RFC 6335 5.1) as Kubernetes narrows it to lower case. */
function isPortName(name: string): boolean {
  return name.length <= 15 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) && /[a-z]/.test(name);
}

function wrongName(name: string): PortFailure {
  const number = Number(name);
  return failure(
    'port',
    `${excerpt(name)} is a string and so the name of a port, and no port can be named so`,
    /^\d{1,5}$/.test(name) && isPortNumber(number)
      ? `write the number ${number} without quotes`
      : 'write a number, or a name of 1 to 15 lower-case letters, digits and single inner hyphens with a letter in it',
  );
}

function failure(field: PortFailure['field'], reason: string, fix: string): PortFailure {
  return { ok: false, field, reason, fix };
}
