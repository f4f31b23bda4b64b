/** The protocol of a rule of projectcalico.org/v3 and the ports of its destination -> ports. */
import { excerpt, isGiven, type JsonMap } from '../../../kubernetes/json.ts';
import { allPorts, type Port } from '../../../kubernetes/port-range.ts';
import type { Entity } from './entity.ts';
import { listAt, mapAt, type Place, unread, within } from './place.ts';

type Protocol = Port['protocol'];
const highest = 65535;
/** By their names, and by the numbers that IANA gives them. */
const transports: ReadonlyMap<unknown, Protocol> = new Map<unknown, Protocol>([
  ...(['TCP', 'UDP', 'SCTP'] as const).map((name) => [name, name] as const),
  ...([
    [6, 'TCP'],
    [17, 'UDP'],
    [132, 'SCTP'],
  ] as const),
]);
/** These have no ports. A grant says nothing of them, unless it is one for every port. */
const otherProtocols: ReadonlySet<string> = new Set(['ICMP', 'ICMPv6', 'UDPLite']);
const icmpFields: ReadonlySet<string> = new Set(['type', 'code']);

/** What is taken away from the ports (`notPorts`, `notProtocol`, `notICMP`) narrows nothing here: no grant rests on it. */
export function readPorts(rule: JsonMap, source: Entity, destination: Entity, place: Place): readonly Port[] {
  const { protocol, notProtocol, icmp, notICMP } = rule;
  const transport = transportOf(protocol, 'protocol', place);
  transportOf(notProtocol, 'notProtocol', place);
  if (isGiven(icmp)) readIcmp(icmp, 'icmp', place);
  if (isGiven(notICMP)) readIcmp(notICMP, 'notICMP', place);
  // Of one port that is not understood, Calico cannot read the list of all policies of the cluster.
  if (isGiven(source.ports ?? source.notPorts ?? destination.notPorts)) {
    portsAt(source, 'ports', 'TCP');
    portsAt(source, 'notPorts', 'TCP');
    portsAt(destination, 'notPorts', 'TCP');
  }
  const ports = portsAt(destination, 'ports', transport ?? 'TCP');
  if (transport === undefined) return allPorts;
  return ports.length > 0 ? ports : [{ protocol: transport, first: 1, last: highest }];
}

/** "Type = 255 is not assigned to any protocol and the Linux kernel doesn't support matching on it" (backend/model/rule.go). */
function readIcmp(written: unknown, field: 'icmp' | 'notICMP', place: Place): void {
  const icmp = mapAt(written, icmpFields, 'a match of ICMP', place, field);
  for (const [name, most] of [
    ['type', 254],
    ['code', 255],
  ] as const) {
    const number = icmp[name];
    if (isGiven(number) && !(typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most))
      throw unread(
        within(within(place, field), name),
        `${excerpt(number)} is not a ${name} of ICMP`,
        `write a number from 0 to ${most}`,
      );
  }
}

/** Undefined for every protocol, and for those that have no ports. */
function transportOf(written: unknown, name: 'protocol' | 'notProtocol', place: Place): Protocol | undefined {
  if (!isGiven(written)) return undefined;
  const transport = transports.get(written);
  if (transport !== undefined) return transport;
  const text = typeof written === 'number' || typeof written === 'string' ? String(written) : '';
  if (otherProtocols.has(text) || (/^[1-9][0-9]{0,2}$/.test(text) && Number(text) <= 255)) return undefined;
  throw unread(
    within(place, name),
    `${excerpt(written)} is not a protocol of Calico`,
    'write TCP, UDP, SCTP, ICMP, ICMPv6 or UDPLite',
  );
}

/** A number, a range as text (`8080:8090`), or a name. */
function portsAt(entity: Entity, name: 'ports' | 'notPorts', protocol: Protocol): readonly Port[] {
  const list = listAt(entity[name], name, entity.place);
  const ports: Port[] = [];
  for (let index = 0; index < list.length; index++) {
    const port = portOf(list[index], protocol);
    if (port === undefined)
      throw unread(
        within(within(entity.place, name), index),
        `${excerpt(list[index])} is not a port`,
        'write a number from 1 to 65535, a range such as 8080:8090, or a name',
      );
    ports.push(port);
  }
  return ports;
}

function portOf(written: unknown, protocol: Protocol): Port | undefined {
  if (typeof written === 'number')
    return Number.isInteger(written) && written >= 1 && written <= highest
      ? { protocol, first: written, last: written }
      : undefined;
  if (typeof written !== 'string') return undefined;
  const [first = '', last = first, more] = written.split(':');
  if (more === undefined && isNumber(first) && isNumber(last))
    return Number(first) <= Number(last) ? { protocol, first: Number(first), last: Number(last) } : undefined;
  // What has no letter could be read as a number somewhere.
  if (!/^[A-Za-z0-9_.-]{1,128}$/.test(written) || !/[A-Za-z]/.test(written)) return undefined;
  return { protocol, name: written };
}

/** Without leading zeros, which another reader may take for octal. */
function isNumber(text: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= highest;
}

/** A protocol that is neither TCP, UDP nor SCTP. */
export function isPortless(protocol: unknown): boolean {
  return isGiven(protocol) && !transports.has(protocol);
}

/** What `notPorts` and `notProtocol` take away. For who reaches whom alone (in-force.ts). */
export function notPortsOf({ protocol, notProtocol }: JsonMap, destination: Entity, place: Place): readonly Port[] {
  const ports = portsAt(destination, 'notPorts', transportOf(protocol, 'protocol', place) ?? 'TCP');
  const not = transportOf(notProtocol, 'notProtocol', place);
  return not === undefined ? ports : [...ports, { protocol: not, first: 1, last: highest }];
}
