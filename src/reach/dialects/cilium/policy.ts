/**
 * cilium.io/v2 CiliumNetworkPolicy -> Reach.
 *
 * Reads the object as untrusted data: a value that is not what the API says gives an `invalid` diagnostic, and so does a field that is not
 * known; nothing throws. What a field means is what the code of Cilium 1.20 does with it; the names of its functions are given. Linear in
 * the size of the policy.
 *
 * Rules of `ingressDeny` and `egressDeny` win over every other rule and open nothing, so only their fields are looked at.
 */
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, type JsonMap, unknownField } from '../../../kubernetes/json.ts';
import { contradiction, type Selector } from '../../../kubernetes/label-selector.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import { allPorts } from '../../../kubernetes/port-range.ts';
import type { Direction } from '../../../tenancy/tenant.ts';
import {
  type DiagnosticScope,
  diagnostic,
  everyPod,
  type Isolation,
  invalid,
  type Reach,
  type Subject,
} from '../../model.ts';
import { Found, type Limits } from '../found.ts';
import { countIn, peerLists } from './peers.ts';
import { itemsOf, type Place, readRulePorts } from './ports.ts';
import { readSubject } from './selector.ts';

/** How much of one policy is looked at; what is beyond is `unproven`. */
export const limits: Limits = { rules: 1000, peers: 1500, ports: 5000, excepts: 3000, labels: 5000, items: 8000 };

const specFields: ReadonlySet<string> = new Set([
  ...['endpointSelector', 'nodeSelector', 'ingress', 'ingressDeny', 'egress', 'egressDeny'],
  ...['enableDefaultDeny', 'labels', 'description', 'log'],
]);
const denyField = { ingress: 'ingressDeny', egress: 'egressDeny' } as const;
const directions = ['ingress', 'egress'] as const;
/** What is wrong with a rule is shown as. */
const scopes: Readonly<Record<Direction, DiagnosticScope>> = {
  ingress: { direction: 'ingress', kind: 'any' },
  egress: { direction: 'egress', kind: 'any' },
};
/** Which diagnostics of a whole specification are shown as. */
const whole = scopes.ingress;

const fieldsOf = (direction: Direction, others: readonly string[]): ReadonlySet<string> =>
  new Set([...peerLists[direction].keys(), 'toPorts', 'icmps', ...others]);
const ruleFields = {
  ingress: fieldsOf('ingress', ['authentication']),
  egress: fieldsOf('egress', ['authentication']),
};
const denyFields = { ingress: fieldsOf('ingress', []), egress: fieldsOf('egress', []) };

/** "spec or specs must be provided", and both may be: every one of them counts. */
export function readCiliumPolicy(policy: Policy): Reach {
  const { spec, specs }: { spec?: unknown; specs?: unknown } = policy;
  const found = Found.within(limits);
  const { rules, diagnostics } = found;
  const isolates: Isolation[] = [];
  const namespace = policy.metadata?.namespace ?? '';
  const read = (written: unknown, path: FieldPath): void => {
    isolates.push(...readSpec(written, { path, scope: whole, namespace, found }));
  };
  if (isGiven(spec)) read(spec, field(undefined, 'spec'));
  if (!isGiven(specs)) return { rules, isolates, diagnostics };
  const path = field(undefined, 'specs');
  const items = itemsOf({ specs }, 'specs', undefined, { scope: whole, found });
  for (const [index, one] of items.entries()) read(one, field(path, index));
  return { rules, isolates, diagnostics };
}

function readSpec(written: unknown, place: Place): readonly Isolation[] {
  const { path, scope, found } = place;
  if (!isMap(written)) {
    found.add(invalid(scope, path, `${excerpt(written)} is not a map`, 'write endpointSelector and rules'));
    return [];
  }
  if (isGiven(written.nodeSelector)) {
    const reason = 'selects nodes, which a policy of a namespace is not about';
    found.add(invalid(scope, field(path, 'nodeSelector'), reason, 'write endpointSelector'));
    return [];
  }
  const unknown = unknownField(written, specFields);
  if (unknown !== undefined) {
    const reason = `${excerpt(unknown)} is not a field of a CiliumNetworkPolicy that is understood`;
    found.add(invalid(scope, path, reason, 'write endpointSelector, ingress, ingressDeny, egress and egressDeny'));
  }
  readLabels(written, place);
  const { pods, isDead } = subjectOf(written, place);
  // Cilium rejects a policy for an invalid rule even if the rule selects no pod, so such a rule is reported all the same.
  const inner: Place = isDead ? { ...place, found: found.aside() } : place;
  readRules(written, { namespaces: undefined, pods, path: field(path, 'endpointSelector') }, inner);
  if (isDead) for (const one of inner.found.diagnostics) if (one.verdict === 'invalid') found.add(one);
  if (directions.every((direction) => !hasRules(written, direction)))
    notTaken('no rules', 'write ingress, ingressDeny, egress or egressDeny with at least one rule', place);
  return isDead ? [] : [{ pods, directions: directions.filter((direction) => isIsolating(written, direction)) }];
}

function readRules(spec: JsonMap, subject: Subject, place: Place): void {
  const { path } = place;
  for (const direction of directions) {
    const at = field(path, direction);
    const rules = itemsOf(spec, direction, path, place);
    for (let index = 0; index < rules.length; index++)
      readRule(rules[index], field(at, index), direction, subject, place);
    const deny = denyField[direction];
    for (const [index, rule] of itemsOf(spec, deny, path, place).entries()) {
      const at = field(field(path, deny), index);
      if (understood(rule, at, direction, denyFields[direction], place)) readRulePorts(rule, { ...place, path: at });
    }
  }
}

/** Dead: no pod can be selected, so the rules open nothing. */
function subjectOf(
  { endpointSelector }: JsonMap,
  { path, scope, found }: Place,
): { readonly pods: Selector; readonly isDead: boolean } {
  const at = field(path, 'endpointSelector');
  if (!isGiven(endpointSelector)) {
    found.add(invalid(scope, at, 'is missing', 'write endpointSelector: {} for every pod of the namespace'));
    return { pods: everyPod, isDead: false };
  }
  const selector = readSubject(endpointSelector, at, scope);
  if ('verdict' in selector) {
    found.add(selector);
    return { pods: everyPod, isDead: false };
  }
  const dead = contradiction(selector);
  if (dead === undefined) return { pods: selector, isDead: false };
  const reason = `selects no pod, as no value of the label ${dead} meets all its requirements`;
  found.add(diagnostic(scope, 'nothing', at, reason, `correct the requirements on ${dead}`));
  return { pods: selector, isDead: true };
}

/**
 * "Default posture is per-direction: if there is a peer selector for that direction, the default is deny" (Sanitize), unless
 * enableDefaultDeny says otherwise. A direction without rules isolates no pod, whatever that field says.
 */
function isIsolating(spec: JsonMap, direction: Direction): boolean {
  const { enableDefaultDeny } = spec;
  return hasRules(spec, direction) && !(isMap(enableDefaultDeny) && enableDefaultDeny[direction] === false);
}

function hasRules(spec: JsonMap, direction: Direction): boolean {
  return hasItems(spec[direction]) || hasItems(spec[denyField[direction]]);
}

function hasItems(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

/** Cilium tells by such labels which policy a rule is of, and removes the rules of a policy by them. */
function readLabels(spec: JsonMap, place: Place): void {
  for (const [index, label] of itemsOf(spec, 'labels', place.path, place).entries()) {
    const key: unknown = isMap(label) ? label.key : undefined;
    if (typeof key === 'string' && !key.startsWith('io.cilium.')) continue;
    const reason = `${excerpt(key)} is not a label for the rules of a tenant`;
    place.found.add(invalid(place.scope, field(field(place.path, 'labels'), index), reason, 'remove it'));
  }
}

/**
 * A rule without peers and without ports allows nothing: it is how a policy denies by default. With ports alone it allows every peer.
 * An empty list of peers selects no peer (mergeEndpointSelectors of pkg/policy/utils).
 */
function readRule(
  rule: unknown,
  path: FieldPath,
  direction: Direction,
  subject: Subject,
  { namespace, found }: Place,
): void {
  const place: Place = { path, scope: scopes[direction], namespace, found };
  if (!found.examines(1, found.left.rules, place.scope, path)) return;
  if (!understood(rule, path, direction, ruleFields[direction], place)) return;
  const read = readRulePorts(rule, place);
  const ports = read === 'unlisted' ? allPorts : found.onPorts(read);
  if (hasItems(rule.toPorts) && hasItems(rule.icmps))
    notTaken('icmps beside toPorts', 'write a rule for each of them', place);
  let matchesNone = false;
  const listed: string[] = [];
  const lists = peerLists[direction];
  for (const name in rule) {
    const list = lists.get(name);
    const written = list && rule[name];
    if (list === undefined || !isGiven(written)) continue;
    const items = itemsOf(rule, name, path, place);
    const at = field(path, name);
    const { many } = list;
    if (hasItems(written)) listed.push(name);
    else if (list.emptyMatchesNone) {
      matchesNone = true;
      const reason = 'matches nothing, as an empty list selects no peer in Cilium';
      found.add(diagnostic(place.scope, 'nothing', at, reason, { id: 'remove-peer' }));
    }
    if (items.length === 0 || !found.examines(items.length, found.left.peers, place.scope, at)) continue;
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      if (many !== undefined && !found.examines(countIn[many](item), found.left[many], place.scope, at)) break;
      const path = field(at, index);
      const peer = list.read(item, path, direction);
      if ('verdict' in peer) {
        // A rule on no port allows nothing; an invalid peer is reported all the same.
        if (ports.length > 0 || peer.verdict === 'invalid' || peer.verdict === 'nothing') found.add(peer);
      } else if (ports.length > 0) found.add({ action: 'allow', subject, direction, path, peer, ports });
    }
  }
  const [one, other] = listed;
  if (other !== undefined) notTaken(`${one} beside ${other}`, 'write a rule for each of them', place);
  if (listed.length === 0 && !matchesNone && read !== 'unlisted' && ports.length > 0)
    found.add({ action: 'allow', subject, direction, path, peer: { kind: 'any' }, ports });
}

/** Cilium then takes no rule of the whole policy. */
function notTaken(what: string, fix: string, { path, scope, found }: Place): void {
  found.add(invalid(scope, path, `has ${what}, with which Cilium rejects the policy`, fix));
}

function understood(
  rule: unknown,
  path: FieldPath,
  direction: Direction,
  known: ReadonlySet<string>,
  { scope, found }: Place,
): rule is JsonMap {
  if (!isMap(rule)) {
    found.add(invalid(scope, path, `${excerpt(rule)} is not a rule`, 'write a map with peers and toPorts'));
    return false;
  }
  const unknown = unknownField(rule, known);
  if (unknown === undefined) return true;
  const reason = `${excerpt(unknown)} is not a field of an ${direction} rule that is understood`;
  const lists = [...peerLists[direction].keys()].slice(0, 4);
  found.add(invalid(scope, path, reason, `write ${lists.join(', ')} or toPorts`));
  return false;
}
