/** One rule of a NetworkPolicy of networking.k8s.io/v1 -> allow rules, one for each peer, and diagnostics. */
import { type FieldPath, field } from '../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, unknownField } from '../../kubernetes/json.ts';
import { allPorts, type Port, parsePort } from '../../kubernetes/port-range.ts';
import type { Direction } from '../../tenancy/tenant.ts';
import { type DiagnosticScope, invalid, type Subject } from '../model.ts';
import type { Found, Limits } from './found.ts';
import { type PeerScopes, readPeer } from './network-policy-peer.ts';

/** How much of one policy is looked at; what is beyond is `unproven`. Network plugins struggle far earlier (NP-14). */
const unlimited = Number.POSITIVE_INFINITY;
export const limits: Limits = {
  rules: 200,
  peers: 1000,
  ports: 1000,
  excepts: 5000,
  labels: unlimited,
  items: unlimited,
};

/** One direction of a policy: what its fields are called, and what is found in them. */
export interface Side extends PeerScopes {
  readonly scope: DiagnosticScope;
  /** The value of policyTypes. */
  readonly type: string;
  /** The field of a rule that lists the peers. */
  readonly peers: string;
  readonly ruleFields: ReadonlySet<string>;
}

export const sides: Readonly<Record<Direction, Side>> = {
  ingress: sideOf('ingress', 'Ingress', 'from'),
  egress: sideOf('egress', 'Egress', 'to'),
};

function sideOf(direction: Direction, type: string, peers: string): Side {
  return {
    direction,
    scope: { direction, kind: 'any' },
    bySelector: { direction, kind: 'selector' },
    byAddress: { direction, kind: 'ipBlock' },
    type,
    peers,
    ruleFields: new Set([peers, 'ports']),
  };
}

/**
 * "If this field is empty or missing, this rule matches all sources (traffic not restricted by source)", those outside the
 * cluster among them. A rule that is `null`, which the API server reads as `{}`, is taken for the mistake it is.
 */
export function readRule(rule: unknown, path: FieldPath, side: Side, subject: Subject, found: Found): void {
  const { direction, scope } = side;
  if (!isMap(rule)) {
    found.add(invalid(scope, path, `${excerpt(rule)} is not a rule`, `write a map with ${side.peers} and ports`));
    return;
  }
  const unknown = unknownField(rule, side.ruleFields);
  if (unknown !== undefined) {
    const reason = `${excerpt(unknown)} is not a field of an ${direction} rule`;
    found.add(invalid(scope, path, reason, `write ${side.peers} and ports`));
    return;
  }
  const peers = rule[side.peers];
  const peersPath = field(path, side.peers);
  if (isGiven(peers) && !Array.isArray(peers)) {
    found.add(invalid(scope, peersPath, `${excerpt(peers)} is not a list of peers`, 'write a list of peers'));
    return;
  }
  const ports = readPorts(rule.ports, field(path, 'ports'), scope, found);
  if (!Array.isArray(peers) || peers.length === 0) {
    // An empty list counts as a missing one: the API server drops it.
    found.rules.push({ action: 'allow', subject, direction, path, peer: { kind: 'any' }, ports });
    return;
  }
  if (!found.examines(peers.length, found.left.peers, scope, peersPath)) return;
  for (let index = 0; index < peers.length; index++) {
    const written: unknown = peers[index];
    const at = field(peersPath, index);
    const excepts = exceptsIn(written);
    if (excepts === 0 || found.examines(excepts, found.left.excepts, side.byAddress, at))
      found.add(readPeer(written, at, side, ports, subject));
  }
}

/**
 * "If this field is empty or missing, this rule matches all ports (traffic not restricted by port)." Ports that are not
 * understood count as every port, so that the peers beside them are judged all the same.
 */
function readPorts(ports: unknown, path: FieldPath, scope: DiagnosticScope, found: Found): readonly Port[] {
  if (!isGiven(ports)) return allPorts;
  if (!Array.isArray(ports)) {
    found.add(invalid(scope, path, `${excerpt(ports)} is not a list of ports`, 'write a list of ports'));
    return allPorts;
  }
  if (!found.examines(ports.length, found.left.ports, scope, path)) return allPorts;
  const read: Port[] = [];
  for (let index = 0; index < ports.length; index++) {
    const port = parsePort(ports[index]);
    if (!port.ok) {
      const item = field(path, index);
      const at = port.field === undefined ? item : field(item, port.field);
      found.add(invalid(scope, at, port.reason, port.fix));
      return allPorts;
    }
    read.push(port.value);
  }
  return read.length === 0 ? allPorts : read;
}

function exceptsIn(peer: unknown): number {
  const block = isMap(peer) ? peer.ipBlock : undefined;
  const excepts = isMap(block) ? block.except : undefined;
  return Array.isArray(excepts) ? excepts.length : 0;
}
