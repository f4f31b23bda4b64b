/** The protocol of a rule of projectcalico.org/v3 and the ports of its destination -> ports. */
import { excerpt, isGiven, type JsonMap } from '../../../kubernetes/json.ts';
import { allPorts, type Port } from '../../../kubernetes/port-range.ts';
import type { Diagnostic } from '../../model.ts';
import { isDiagnostic, listAt, mapOf, type Place, within, wrong } from './place.ts';

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
export function readPorts(
  rule: JsonMap,
  source: JsonMap,
  destination: JsonMap,
  place: Place,
): readonly Port[] | Diagnostic {
  const protocol = readProtocol(rule, 'protocol', place);
  if (isDiagnostic(protocol)) return protocol;
  const not = readProtocol(rule, 'notProtocol', place);
  if (isDiagnostic(not)) return not;
  for (const name of ['icmp', 'notICMP']) {
    if (!isGiven(rule[name])) continue;
    const icmp = readIcmp(rule[name], within(place, name));
    if (isDiagnostic(icmp)) return icmp;
  }
  const at = within(place, 'destination');
  // Of one port that is not understood, Calico cannot read the list of all policies of the cluster.
  if (isGiven(source.ports ?? source.notPorts ?? destination.notPorts)) {
    const narrowing = [
      portsAt(source, 'ports', 'TCP', within(place, 'source')),
      portsAt(source, 'notPorts', 'TCP', within(place, 'source')),
      portsAt(destination, 'notPorts', 'TCP', at),
    ];
    for (const ports of narrowing) if (isDiagnostic(ports)) return ports;
  }
  if (protocol.of === undefined) {
    const ports = portsAt(destination, 'ports', 'TCP', at);
    return isDiagnostic(ports) ? ports : allPorts;
  }
  const ports = portsAt(destination, 'ports', protocol.of, at);
  if (isDiagnostic(ports) || ports.length > 0) return ports;
  return [{ protocol: protocol.of, first: 1, last: highest }];
}

/** "Type = 255 is not assigned to any protocol and the Linux kernel doesn't support matching on it" (backend/model/rule.go). */
function readIcmp(written: unknown, place: Place): JsonMap | Diagnostic {
  const icmp = mapOf(written, icmpFields, 'a match of ICMP', place);
  if (isDiagnostic(icmp)) return icmp;
  for (const [name, most] of [
    ['type', 254],
    ['code', 255],
  ] as const) {
    const number = icmp[name];
    if (isGiven(number) && !(typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most))
      return wrong(
        within(place, name),
        `${excerpt(number)} is not a ${name} of ICMP`,
        `write a number from 0 to ${most}`,
      );
  }
  return icmp;
}

const anyProtocol = { of: undefined };

/** `of` is undefined for every protocol, and for those that have no ports. */
function readProtocol(rule: JsonMap, name: string, place: Place): { readonly of: Protocol | undefined } | Diagnostic {
  const written = rule[name];
  if (!isGiven(written)) return anyProtocol;
  const transport = transports.get(written);
  if (transport !== undefined) return { of: transport };
  const text = typeof written === 'number' || typeof written === 'string' ? String(written) : '';
  if (otherProtocols.has(text) || (/^[1-9][0-9]{0,2}$/.test(text) && Number(text) <= 255)) return { of: undefined };
  return wrong(
    within(place, name),
    `${excerpt(written)} is not a protocol of Calico`,
    'write TCP, UDP, SCTP, ICMP, ICMPv6 or UDPLite',
  );
}

/** A number, a range as text (`8080:8090`), or a name. */
function portsAt(entity: JsonMap, name: string, protocol: Protocol, place: Place): readonly Port[] | Diagnostic {
  const list = listAt(entity, name, place);
  if (isDiagnostic(list)) return list;
  const ports: Port[] = [];
  for (const [index, written] of list.entries()) {
    const port = portOf(written, protocol);
    if (port === undefined)
      return wrong(
        within(within(place, name), index),
        `${excerpt(written)} is not a port`,
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

/** Without leading zeros, so that nobody reads another number. */
function isNumber(text: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= highest;
}

/** A protocol that is neither TCP, UDP nor SCTP. */
export function isPortless(protocol: unknown): boolean {
  return isGiven(protocol) && !transports.has(protocol);
}

/** What `notPorts` and `notProtocol` take away. For who reaches whom alone (in-force.ts). */
export function notPortsOf(rule: JsonMap, destination: JsonMap, place: Place): readonly Port[] | Diagnostic {
  const protocol = readProtocol(rule, 'protocol', place);
  if (isDiagnostic(protocol)) return protocol;
  const not = readProtocol(rule, 'notProtocol', place);
  if (isDiagnostic(not)) return not;
  const ports = portsAt(destination, 'notPorts', protocol.of ?? 'TCP', within(place, 'destination'));
  if (isDiagnostic(ports) || not.of === undefined) return ports;
  return [...ports, { protocol: not.of, first: 1, last: highest }];
}

/** How many ports are examined. */
export function portCount(entity: JsonMap): number {
  const { ports, notPorts } = entity;
  return (Array.isArray(ports) ? ports.length : 0) + (Array.isArray(notPorts) ? notPorts.length : 0);
}
