/** `toPorts` and `icmps` of a rule of cilium.io/v2 -> ports. */
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, type JsonMap, unknownField } from '../../../kubernetes/json.ts';
import { allPorts, type Port } from '../../../kubernetes/port-range.ts';
import { type DiagnosticScope, diagnostic, invalid } from '../../model.ts';
import type { Found } from '../found.ts';

/** On which ports the peers of a rule are let through. `unlisted`: no field of the rule says anything about ports. */
export type RulePorts = readonly Port[] | 'unlisted';

/** Where a rule stands. */
export interface Place {
  readonly path: FieldPath;
  readonly scope: DiagnosticScope;
  /** Of the policy. */
  readonly namespace: string;
  readonly found: Found;
}

type Protocol = Port['protocol'];
const protocols: ReadonlyMap<unknown, readonly Protocol[]> = new Map<unknown, readonly Protocol[]>([
  ...(['TCP', 'UDP', 'SCTP'] as const).map((one) => [one, [one]] as const),
  ['ANY', ['TCP', 'UDP', 'SCTP']],
]);
/** These have no ports. A grant says nothing of them, unless it is one for every port. */
export const otherProtocols: ReadonlySet<string> = new Set(['VRRP', 'IGMP', 'GRE', 'IPIP', 'IPV6', 'ESP', 'AH']);
const portRuleFields: ReadonlySet<string> = new Set([
  ...['ports', 'terminatingTLS', 'originatingTLS', 'serverNames', 'listener', 'rules'],
]);
const portFields: ReadonlySet<string> = new Set(['port', 'endPort', 'protocol']);
const highest = 65535;

/**
 * Both lists are joined. An item without ports opens none, but the rule then names ports: only the listed ones are
 * open (mergeL4Filter of pkg/policy/rule.go).
 */
export function readRulePorts(rule: JsonMap, place: Place): RulePorts {
  const { path } = place;
  const ports: Port[] = [];
  const rules = itemsOf(rule, 'toPorts', path, place);
  for (let index = 0; index < rules.length; index++)
    readPortRule(rules[index], field(field(path, 'toPorts'), index), place, ports);
  const icmps = itemsOf(rule, 'icmps', path, place);
  for (const [index, item] of icmps.entries()) {
    const at = field(field(path, 'icmps'), index);
    // Of ICMP, a grant says nothing either.
    if (!isMap(item))
      place.found.add(invalid(place.scope, at, `${excerpt(item)} is not a map`, 'write a map with fields'));
    else if (!Array.isArray(item.fields) || item.fields.length > 0) ports.push(...allPorts);
  }
  return rules.length + icmps.length > 0 ? ports : 'unlisted';
}

const none: readonly unknown[] = [];

/** The items of an optional list. A value that is no list, or a list that is too long, is reported and has no items. */
export function itemsOf(
  map: JsonMap,
  name: string,
  path: FieldPath | undefined,
  { scope, found }: Pick<Place, 'scope' | 'found'>,
): readonly unknown[] {
  const list = map[name];
  if (!isGiven(list)) return none;
  const at = field(path, name);
  if (Array.isArray(list)) return found.examines(list.length, found.left.items, scope, at) ? list : none;
  found.add(invalid(scope, at, `${excerpt(list)} is not a list`, 'write a list'));
  return none;
}

/** What is not understood counts as every port, so that the peers beside it are judged all the same. */
function readPortRule(item: unknown, path: FieldPath, place: Place, open: Port[]): void {
  const { scope, found } = place;
  const unknown = isMap(item) ? unknownField(item, portRuleFields) : undefined;
  if (!isMap(item) || unknown !== undefined) {
    const reason = isMap(item)
      ? `${excerpt(unknown)} is not a field of toPorts that is understood`
      : `${excerpt(item)} is not a map`;
    found.add(invalid(scope, path, reason, 'write ports, and rules if you need them'));
    open.push(...allPorts);
    return;
  }
  if (isGiven(item.listener)) {
    const reason = 'hands the traffic to a proxy, and where that sends it no field of the policy says';
    found.add(diagnostic(scope, 'unproven', field(path, 'listener'), reason, 'remove listener'));
  }
  readSecrets(item, path, place);
  const { ports } = item;
  if (!isGiven(ports)) return;
  const at = field(path, 'ports');
  if (!Array.isArray(ports)) {
    found.add(invalid(scope, at, `${excerpt(ports)} is not a list of ports`, 'write a list'));
    open.push(...allPorts);
    return;
  }
  if (!found.examines(ports.length, found.left.ports, scope, at)) {
    open.push(...allPorts);
    return;
  }
  for (let index = 0; index < ports.length; index++) {
    const wrong = readPort(ports[index], open);
    if (wrong === undefined) continue;
    found.add(invalid(scope, field(at, index), wrong.reason, wrong.fix));
    open.push(...allPorts);
    return;
  }
}

/** Cilium's agent reads these Secrets for the proxy, whosever they are, and puts them into answers and requests. */
function readSecrets(item: JsonMap, path: FieldPath, place: Place): void {
  readSecret(item.terminatingTLS, path, 'terminatingTLS', place);
  readSecret(item.originatingTLS, path, 'originatingTLS', place);
  const { rules } = item;
  if (!isMap(rules)) return;
  const requests = itemsOf(rules, 'http', field(path, 'rules'), place);
  for (let index = 0; index < requests.length; index++) {
    const request = requests[index];
    if (!isMap(request) || !isGiven(request.headerMatches)) continue;
    const at = field(field(field(path, 'rules'), 'http'), index);
    for (const [nth, match] of itemsOf(request, 'headerMatches', at, place).entries())
      readSecret(match, field(at, 'headerMatches'), nth, place);
  }
}

function readSecret(
  holder: unknown,
  parent: FieldPath,
  step: string | number,
  { scope, namespace, found }: Place,
): void {
  const secret: unknown = isMap(holder) ? holder.secret : undefined;
  if (!isMap(secret) || secret.namespace === namespace) return;
  const reason = `takes a Secret that is not of the namespace ${namespace}, which is read with the rights of Cilium`;
  const at = field(field(parent, step), 'secret');
  found.add(diagnostic(scope, 'unproven', at, reason, `write namespace: ${namespace}`));
}

/**
 * port      text: a number, or a name. Missing and "0" are every port of the protocol
 * endPort   the last port of a range; 0 and missing: none
 * protocol  missing and ANY are TCP, UDP and SCTP
 * Go reads "010" as 8 and "0x50" as a name, so a number is decimal and begins with no zero here.
 */
function readPort(written: unknown, open: Port[]): { readonly reason: string; readonly fix: string } | undefined {
  if (!isMap(written)) return { reason: `${excerpt(written)} is not a port`, fix: 'write port and protocol' };
  const unknown = unknownField(written, portFields);
  if (unknown !== undefined)
    return { reason: `${excerpt(unknown)} is not a field of a port`, fix: 'write port, endPort and protocol' };
  const { port, endPort } = written;
  const protocol = isGiven(written.protocol) ? written.protocol : 'ANY';
  if (typeof protocol === 'string' && otherProtocols.has(protocol)) {
    open.push(...allPorts);
    return undefined;
  }
  const transports = protocols.get(protocol);
  if (transports === undefined)
    return { reason: `${excerpt(protocol)} is not a protocol of Cilium`, fix: 'write TCP, UDP, SCTP or ANY' };
  const on = (first: number, last: number): undefined => {
    for (const protocol of transports) open.push({ protocol, first, last });
  };
  if (!isGiven(port) || port === '' || port === '0') return on(1, highest);
  if (typeof port !== 'string') return { reason: `${excerpt(port)} is not text`, fix: 'put the port in quotes' };
  const first = Number(port);
  const isNumber = Number.isInteger(first) && String(first) === port;
  if (!isNumber && isPortName(port)) {
    for (const protocol of transports) open.push({ protocol, name: port.toLowerCase(), keepsProtocol: true });
    return undefined;
  }
  if (!isNumber || first < 1 || first > highest)
    return {
      reason: `${excerpt(port)} is not a port`,
      fix: 'write a number from 1 to 65535 without leading zeros, in quotes',
    };
  if (!isGiven(endPort) || endPort === 0) return on(first, first);
  if (typeof endPort !== 'number' || !Number.isInteger(endPort) || endPort < first || endPort > highest)
    return {
      reason: `${excerpt(endPort)} is not the end of a range that begins at ${first}`,
      fix: `write endPort from ${first} to 65535, or remove it`,
    };
  return on(first, endPort);
}

/** An IANA service name: letters, digits and single hyphens inside, with a letter in it (pkg/iana). */
function isPortName(text: string): boolean {
  return text.length <= 15 && /^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/.test(text) && /[A-Za-z]/.test(text);
}
