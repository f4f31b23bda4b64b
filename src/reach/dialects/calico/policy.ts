/**
 * NetworkPolicy of projectcalico.org/v3, and of crd.projectcalico.org/v1, which is how Calico stores it -> Reach.
 *
 * Reads the object as untrusted data: a value that is not what the API says gives an `invalid` diagnostic, and so does a field that is not
 * known; nothing throws. Calico's own validation does not see an object of crd.projectcalico.org: there, what it cannot read is left out
 * of a rule, which then opens more. Linear in the size of the policy; a selector has a budget of its own.
 *
 * The order of rules and policies proves nothing: it can change. So an earlier Deny takes nothing away, and Pass lets through: behind the
 * last tier, the profile of the namespace allows everything.
 */
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, type JsonMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import { mostSteps } from '../../expression/budget.ts';
import { type AllowRule, type Diagnostic, everyPod, type Reach, type Subject } from '../../model.ts';
import { Found, type Limits } from '../found.ts';
import { entityAt, labelCount, readPeer, sizeOf } from './entity.ts';
import { headOf, isolationOf, tiersOf } from './head.ts';
import { isDiagnostic, listAt, mapOf, type Place, within, wrong } from './place.ts';
import { portCount, readPorts } from './ports.ts';

/** How much of one policy is looked at; what is beyond is `unproven`. */
export const limits: Limits = {
  rules: 1000,
  peers: 2000,
  ports: 5000,
  excepts: 5000,
  labels: 4000,
  items: Number.POSITIVE_INFINITY,
};

const specFields: ReadonlySet<string> = new Set([
  ...['selector', 'types', 'ingress', 'egress', 'order', 'tier', 'serviceAccountSelector', 'performanceHints'],
]);
const ruleFields: ReadonlySet<string> = new Set([
  ...['action', 'source', 'destination', 'protocol', 'notProtocol', 'ipVersion', 'icmp', 'notICMP', 'http', 'metadata'],
]);
/** Steps that the proofs of all selectors of a policy may take together, about 15 ms; and what each has at least. */
const allSteps = 20_000;
const leastSteps = 64;
/** Fields of policies of the whole cluster, for host endpoints. */
const hostFields = ['doNotTrack', 'preDNAT', 'applyOnForward', 'namespaceSelector'] as const;
const httpFields: ReadonlySet<string> = new Set(['methods', 'paths']);
const actions: ReadonlySet<unknown> = new Set(['Allow', 'Deny', 'Log', 'Pass']);
const directions = ['ingress', 'egress'] as const;
/** Each annotation of a rule is a comment of every iptables rule made of it; iptables-restore takes no line of more than 10,240 bytes. */
const mostAnnotations = 16;

export function readCalicoPolicy(policy: Policy): Reach {
  const { spec: written }: { spec?: unknown } = policy;
  const found = new Found(limits);
  const { rules, diagnostics } = found;
  const place: Place = {
    path: field(undefined, 'spec'),
    scope: { direction: 'ingress', kind: 'any' },
    namespace: policy.metadata?.namespace ?? '',
    steps: mostSteps,
  };
  // Without a specification there is no rule, and none is what the policy then has.
  const spec = isGiven(written) ? specOf(written, place) : {};
  if (isDiagnostic(spec)) {
    found.add(spec);
    return { rules, isolates: [], diagnostics };
  }
  for (const one of headOf(spec, policy.metadata, place)) found.add(one);
  const subject: Subject = { namespaces: undefined, pods: everyPod, path: field(place.path, 'selector') };
  const count = directions.reduce((sum, one) => sum + (Array.isArray(spec[one]) ? spec[one].length : 0), 1);
  const steps = Math.min(mostSteps, Math.max(leastSteps, Math.floor(allSteps / count)));
  for (const direction of directions) {
    const at: Place = { ...place, steps, scope: { direction, kind: 'any' } };
    const list = listAt(spec, direction, at);
    if (isDiagnostic(list)) {
      found.add(list);
      continue;
    }
    if (!found.examines(list.length, 'rules', at.scope, within(at, direction).path)) continue;
    for (const [index, rule] of list.entries())
      if (!readRule(rule, within(within(at, direction), index), subject, found)) break;
  }
  const tiers = tiersOf(spec, policy.metadata, place);
  return { rules, isolates: isolationOf(spec, tiers), diagnostics, tiers };
}

function specOf(written: unknown, place: Place): JsonMap | Diagnostic {
  const host = isMap(written) ? hostFields.find((name) => isGiven(written[name])) : undefined;
  if (host !== undefined)
    return wrong(within(place, host), 'is a field of policies for the whole cluster', `remove ${host}`);
  return mapOf(written, specFields, 'a NetworkPolicy of Calico', place);
}

/** False: the rule goes beyond what is examined, so the rules behind it are not looked at either. */
function readRule(written: unknown, place: Place, subject: Subject, found: Found): boolean {
  const rule = mapOf(written, ruleFields, 'a rule of Calico', place);
  if (isDiagnostic(rule)) {
    found.add(rule);
    return true;
  }
  const { direction } = place.scope;
  const remote = direction === 'ingress' ? 'source' : 'destination';
  const read = readFields(rule, place, remote, found);
  if (read === 'beyond') return false;
  const opens = rule.action === 'Allow' || rule.action === 'Pass';
  if (isDiagnostic(read)) {
    // Of a rule that opens nothing, only what is not understood matters.
    if (opens || read.verdict === 'invalid') found.add(read);
    return true;
  }
  const action = rule.action === 'Pass' ? 'pass' : 'allow';
  if (opens && read.ports.length > 0) found.add({ action, subject, direction, ...read });
  return true;
}

/** The side that is local narrows nothing at the border, but it must be understood: a selector that is not is left out by Calico. */
function readFields(
  rule: JsonMap,
  place: Place,
  remote: 'source' | 'destination',
  found: Found,
): Pick<AllowRule, 'peer' | 'path' | 'ports'> | Diagnostic | 'beyond' {
  const { action, http, ipVersion } = rule;
  if (!actions.has(action))
    return wrong(
      within(place, 'action'),
      `${excerpt(action)} is not an action of Calico`,
      'write Allow, Deny, Log or Pass',
    );
  if (isGiven(ipVersion) && ipVersion !== 4 && ipVersion !== 6)
    return wrong(within(place, 'ipVersion'), `${excerpt(ipVersion)} is not a version of IP`, 'write 4 or 6');
  const requests = isGiven(http)
    ? mapOf(http, httpFields, 'a match of HTTP requests', within(place, 'http'))
    : undefined;
  if (requests !== undefined && isDiagnostic(requests)) return requests;
  if (requests !== undefined && (action !== 'Allow' || (isGiven(rule.protocol) && rule.protocol !== 'TCP')))
    return wrong(
      within(place, 'http'),
      'is for rules that allow TCP',
      'write action: Allow and protocol: TCP, or remove http',
    );
  const { metadata } = rule;
  const annotations = isMap(metadata) && isMap(metadata.annotations) ? Object.keys(metadata.annotations).length : 0;
  if (annotations > mostAnnotations)
    return wrong(
      within(within(place, 'metadata'), 'annotations'),
      `are ${annotations}, and Calico makes a comment of each, so that a node may not be able to load its rules`,
      `write at most ${mostAnnotations}`,
    );
  const source = entityAt(rule, 'source', place);
  if (isDiagnostic(source)) return source;
  const destination = entityAt(rule, 'destination', place);
  if (isDiagnostic(destination)) return destination;
  if (!isExamined(source, 'source', place, found) || !isExamined(destination, 'destination', place, found))
    return 'beyond';
  const listed = readPorts(rule, source, destination, place);
  if (isDiagnostic(listed)) return listed;
  // One port is judged as quickly as an earlier verdict on it is found.
  const ports = listed.length > 1 ? found.onPorts(listed) : listed;
  const [other, own] = remote === 'source' ? [source, destination] : [destination, source];
  const local = readPeer(own, within(place, remote === 'source' ? 'destination' : 'source'));
  if (isDiagnostic(local) && local.verdict === 'invalid') return local;
  const at = within(place, remote);
  const peer = readPeer(other, at);
  return isDiagnostic(peer) ? peer : { peer, path: pathOf(other, at, place), ports };
}

function isExamined(entity: JsonMap, name: 'source' | 'destination', { path, scope }: Place, found: Found): boolean {
  const counts = { peers: sizeOf(entity), labels: labelCount(entity), ports: portCount(entity) };
  if (counts.peers + counts.labels + counts.ports === 0) return true;
  const at: FieldPath = field(path, name);
  return (
    found.examines(counts.peers, 'peers', scope, at) &&
    found.examines(counts.labels, 'labels', scope, at) &&
    found.examines(counts.ports, 'ports', scope, at)
  );
}

/** The field that says who the peer is, where one does alone. */
function pathOf(entity: JsonMap, at: Place, rule: Place): FieldPath {
  const names = ['namespaceSelector', 'selector', 'notSelector', 'serviceAccounts', 'nets', 'notNets'];
  const given = names.filter((name) => isGiven(entity[name]) && entity[name] !== '');
  const [name, second] = given;
  if (name === undefined) return rule.path;
  return name === 'namespaceSelector' || second === undefined ? field(at.path, name) : at.path;
}
