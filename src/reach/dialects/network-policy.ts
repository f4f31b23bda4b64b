/**
 * networking.k8s.io/v1 NetworkPolicy -> Reach.
 *
 * Reads the spec as untrusted data: a value that is not what the API says gives an `invalid` diagnostic, and so does a field
 * that is not known (an API server of a later version may give it a meaning); nothing throws. Where the API means something
 * else than meets the eye, it is quoted above the function that implements it. Linear in the size of the policy.
 */
import { type FieldPath, field } from '../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, unknownField } from '../../kubernetes/json.ts';
import { contradiction, parseSelector, type Selector } from '../../kubernetes/label-selector.ts';
import type { Policy } from '../../kubernetes/objects.ts';
import { allPorts, type Port, parsePort } from '../../kubernetes/port-range.ts';
import type { Direction } from '../../tenancy/tenant.ts';
import {
  type AllowRule,
  type Diagnostic,
  type DiagnosticScope,
  diagnostic,
  emptyReach,
  type Isolation,
  type PlacedDiagnostic,
  type Reach,
  type Subject,
} from '../model.ts';
import { everyPod, foreignKeyOf, readPeer } from './network-policy-peer.ts';

/** How much of one policy is looked at; what is beyond is `unproven`. Network plugins struggle far earlier (NP-14). */
export const limits = { rules: 200, peers: 1000, ports: 1000, excepts: 5000 };

const specFields: ReadonlySet<string> = new Set(['podSelector', 'policyTypes', 'ingress', 'egress']);
const spec = field(undefined, 'spec');
const podSelectorPath = field(spec, 'podSelector');
const bothTypes: readonly string[] = ['Ingress', 'Egress'];
const directions = ['ingress', 'egress'] as const;

const anyPod: Subject = { namespaces: undefined, pods: everyPod, path: podSelectorPath };

/** One direction of a policy: what its fields are called, and what is found in them. */
interface Side {
  readonly scope: DiagnosticScope;
  /** The value of policyTypes. */
  readonly type: string;
  /** The field of a rule that lists the peers. */
  readonly peers: string;
  readonly ruleFields: ReadonlySet<string>;
}
const sides: Readonly<Record<Direction, Side>> = {
  ingress: {
    scope: { direction: 'ingress', kind: 'any' },
    type: 'Ingress',
    peers: 'from',
    ruleFields: new Set(['from', 'ports']),
  },
  egress: {
    scope: { direction: 'egress', kind: 'any' },
    type: 'Egress',
    peers: 'to',
    ruleFields: new Set(['to', 'ports']),
  },
};

/** What was found so far. */
class Found implements Reach {
  readonly rules: AllowRule[] = [];
  readonly diagnostics: PlacedDiagnostic[] = [];
  isolates: readonly Isolation[] = [];

  add(part: AllowRule | Diagnostic): void {
    if ('verdict' in part) this.diagnostics.push({ ...part, rulesBefore: this.rules.length });
    else this.rules.push(part);
  }
}

export function readNetworkPolicy(policy: Policy): Reach {
  const written: unknown = policy.spec;
  if (!isGiven(written)) return emptyReach;
  const found = new Found();
  const whole = sides.ingress.scope;
  if (!isMap(written)) {
    const reason = `${excerpt(written)} is not a policy`;
    found.add(diagnostic(whole, 'invalid', spec, reason, 'write a map with podSelector and rules'));
    return found;
  }
  const unknown = unknownField(written, specFields);
  if (unknown !== undefined) {
    const reason = `${excerpt(unknown)} is not a field of a NetworkPolicy that is understood`;
    found.add(diagnostic(whole, 'invalid', spec, reason, 'write podSelector, policyTypes, ingress and egress'));
  }
  const { subject, selected, flaw } = readSubject(written.podSelector);
  if (flaw !== undefined) found.add(flaw);
  const left = { ...limits };
  const types = readPolicyTypes(written.policyTypes, written.egress, found);
  if (selected !== undefined && types !== undefined) {
    const isolated = directions.filter((direction) => types.includes(sides[direction].type));
    found.isolates = [{ pods: selected, directions: isolated }];
  }
  for (const direction of directions) {
    const rules = written[direction];
    if (!isGiven(rules)) continue;
    const { scope, type } = sides[direction];
    const path = field(spec, direction);
    if (!Array.isArray(rules)) {
      found.add(
        diagnostic(scope, 'invalid', path, `${excerpt(rules)} is not a list of rules`, 'write a list of rules'),
      );
      continue;
    }
    // What is not understood counts as both, so that no rule goes unread.
    if (types?.includes(type) === false) found.add(deadRules(sides[direction], path));
    left.rules -= rules.length;
    if (left.rules < 0) found.add(beyond(scope, path, 'rules'));
    else {
      for (let index = 0; index < rules.length; index++) {
        readRule(rules[index], field(path, index), sides[direction], subject, left, found);
      }
    }
  }
  if (flaw?.verdict !== 'nothing') return found;
  const { isolates, diagnostics } = found;
  return {
    rules: [],
    isolates,
    diagnostics: diagnostics
      .filter(({ path, verdict }) => path === flaw.path || verdict === 'invalid')
      .map((one) => ({ ...one, rulesBefore: 0 })),
  };
}

/** Whom a policy is about. */
interface ReadSubject {
  readonly subject: Subject;
  /** The podSelector, also one that contradicts itself; undefined: it is not understood. */
  readonly selected: Selector | undefined;
  readonly flaw?: Diagnostic;
}
const everyPodRead: ReadSubject = { subject: anyPod, selected: everyPod };

/**
 * "An empty podSelector matches all pods in this namespace", and so does none. One that contradicts itself selects no pod, and then
 * nothing is opened, whatever the rules say: labels of pods are free, but none of them can meet it.
 */
function readSubject(podSelector: unknown): ReadSubject {
  const { scope } = sides.ingress;
  if (!isGiven(podSelector)) return everyPodRead;
  const selector = parseSelector(podSelector);
  if (!selector.ok) {
    const at = selector.steps.reduce<FieldPath>(field, podSelectorPath);
    const flaw = diagnostic(scope, 'invalid', at, selector.reason, selector.fix);
    return { subject: anyPod, selected: undefined, flaw };
  }
  const selected = selector.value;
  const torn = contradiction(selected);
  if (torn === undefined)
    return { subject: { namespaces: undefined, pods: selected, path: podSelectorPath }, selected };
  // Cilium writes the policy's own namespace over such a key, and the contradiction with it: every pod may be selected.
  if (foreignKeyOf(selected) !== undefined) return { subject: anyPod, selected };
  const reason = `selects no pod, as no value of the label ${torn} meets all its requirements`;
  const flaw = diagnostic(scope, 'nothing', podSelectorPath, reason, `correct the requirements on ${torn}`);
  return { subject: anyPod, selected, flaw };
}

/**
 * "If no policyTypes are specified on a NetworkPolicy then by default Ingress will always be set and Egress will be set if
 * the NetworkPolicy has any egress rules": an empty list has none.
 *
 * @returns undefined where it is not understood
 */
function readPolicyTypes(types: unknown, egress: unknown, found: Found): readonly unknown[] | undefined {
  if (!isGiven(types) || (Array.isArray(types) && types.length === 0)) {
    return Array.isArray(egress) && egress.length > 0 ? bothTypes : ['Ingress'];
  }
  const listed: readonly unknown[] = Array.isArray(types) ? types : [types];
  const stranger = listed.find((type) => type !== 'Ingress' && type !== 'Egress');
  if (Array.isArray(types) && stranger === undefined) return listed;
  const reason = `${excerpt(stranger ?? types)} is not ${stranger === undefined ? 'a list' : 'a direction of a policy'}`;
  const path = field(spec, 'policyTypes');
  found.add(diagnostic(sides.ingress.scope, 'invalid', path, reason, 'write a list of Ingress, Egress or both'));
  return undefined;
}

/**
 * Rules of a direction that policyTypes leaves out. The API ignores them. Cilium 1.20.2, OVN-Kubernetes (policy.go), Antrea
 * (processNetworkPolicy) and the controller of the AWS VPC CNI (endpoints.go) enforce them, so they are judged like all others (NP-21).
 */
function deadRules({ scope, type }: Side, path: FieldPath): Diagnostic {
  const reason = `is ignored by the API: policyTypes lacks ${type}; Cilium, OVN-Kubernetes, Antrea, AWS apply it`;
  return diagnostic(scope, 'nothing', path, reason, `add ${type} to policyTypes, or remove the rules`);
}

/**
 * "If this field is empty or missing, this rule matches all sources (traffic not restricted by source)", those outside the
 * cluster among them. A rule that is `null`, which the API server reads as `{}`, is taken for the mistake it is.
 */
function readRule(
  rule: unknown,
  path: FieldPath,
  side: Side,
  subject: Subject,
  left: typeof limits,
  found: Found,
): void {
  const { scope } = side;
  if (!isMap(rule)) {
    const reason = `${excerpt(rule)} is not a rule`;
    found.add(diagnostic(scope, 'invalid', path, reason, `write a map with ${side.peers} and ports`));
    return;
  }
  const unknown = unknownField(rule, side.ruleFields);
  if (unknown !== undefined) {
    const reason = `${excerpt(unknown)} is not a field of an ${scope.direction} rule`;
    found.add(diagnostic(scope, 'invalid', path, reason, `write ${side.peers} and ports`));
    return;
  }
  const peers = rule[side.peers];
  const peersPath = field(path, side.peers);
  if (isGiven(peers) && !Array.isArray(peers)) {
    found.add(
      diagnostic(scope, 'invalid', peersPath, `${excerpt(peers)} is not a list of peers`, 'write a list of peers'),
    );
    return;
  }
  const ports = readPorts(rule.ports, field(path, 'ports'), scope, left, found);
  if (!Array.isArray(peers) || peers.length === 0) {
    // An empty list is not told from none: the API server drops it.
    found.rules.push({ action: 'allow', subject, direction: scope.direction, path, peer: { kind: 'any' }, ports });
    return;
  }
  left.peers -= peers.length;
  if (left.peers < 0) {
    found.add(beyond(scope, peersPath, 'peers'));
    return;
  }
  for (let index = 0; index < peers.length; index++) {
    const written: unknown = peers[index];
    const at = field(peersPath, index);
    const excepts = exceptsIn(written);
    left.excepts -= excepts;
    if (excepts > 0 && left.excepts < 0) {
      found.add(beyond({ direction: scope.direction, kind: 'ipBlock' }, at, 'excepts'));
    } else found.add(readPeer(written, at, scope.direction, ports, subject));
  }
}

/**
 * "If this field is empty or missing, this rule matches all ports (traffic not restricted by port)." Ports that are not
 * understood count as every port, so that the peers beside them are judged all the same.
 */
function readPorts(
  ports: unknown,
  path: FieldPath,
  scope: DiagnosticScope,
  left: typeof limits,
  found: Found,
): readonly Port[] {
  if (!isGiven(ports)) return allPorts;
  if (!Array.isArray(ports)) {
    found.add(diagnostic(scope, 'invalid', path, `${excerpt(ports)} is not a list of ports`, 'write a list of ports'));
    return allPorts;
  }
  left.ports -= ports.length;
  if (left.ports < 0) {
    found.add(beyond(scope, path, 'ports'));
    return allPorts;
  }
  const read: Port[] = [];
  for (let index = 0; index < ports.length; index++) {
    const port = parsePort(ports[index]);
    if (!port.ok) {
      const item = field(path, index);
      const at = port.field === undefined ? item : field(item, port.field);
      found.add(diagnostic(scope, 'invalid', at, port.reason, port.fix));
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

function beyond(scope: DiagnosticScope, path: FieldPath, what: keyof typeof limits): Diagnostic {
  const reason = `goes beyond the ${limits[what]} ${what} of one policy that are examined, so it is not proven to stay inside`;
  return diagnostic(scope, 'unproven', path, reason, 'split the policy into several: policies add up');
}
