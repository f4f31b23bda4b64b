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
import { everyPod, type Reach, type Subject } from '../../model.ts';
import { Found, type Limits } from '../found.ts';
import { type Asked, askedOf, type Entity, entityAt, labelCount, portCount, readPeer, sizeOf } from './entity.ts';
import { headOf, isolationOf, tiersOf } from './head.ts';
import { diagnosticOf, flawIn, listAt, mapAt, type Place, unread, within } from './place.ts';
import { readPorts } from './ports.ts';

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
/** Who the peer is, beside a namespaceSelector. */
const otherFields = ['selector', 'notSelector', 'serviceAccounts', 'nets', 'notNets'] as const;
/** Each annotation of a rule is a comment of every iptables rule made of it; iptables-restore takes no line of more than 10,240 bytes. */
const mostAnnotations = 16;

interface Reading extends Asked {
  readonly subject: Subject;
  readonly found: Found;
}

export function readCalicoPolicy(policy: Policy): Reach {
  const { spec: written }: { spec?: unknown } = policy;
  const found = Found.within(limits);
  const { rules, diagnostics } = found;
  const whole: Place = { path: field(undefined, 'spec'), scope: { direction: 'ingress', kind: 'any' } };
  // Without a specification there is no rule, and none is what the policy then has.
  let spec: JsonMap;
  try {
    spec = isGiven(written) ? specOf(written, whole) : {};
  } catch (error) {
    found.add(diagnosticOf(error));
    return { rules, isolates: [], diagnostics };
  }
  for (const one of headOf(spec, policy.metadata, whole)) found.add(one);
  const subject: Subject = { namespaces: undefined, pods: everyPod, path: field(whole.path, 'selector') };
  const count = directions.reduce((sum, one) => sum + (Array.isArray(spec[one]) ? spec[one].length : 0), 1);
  const steps = Math.min(mostSteps, Math.max(leastSteps, Math.floor(allSteps / count)));
  const asked: Reading = { ...askedOf(policy.metadata?.namespace ?? '', steps), subject, found };
  for (const direction of directions) {
    const place: Place = { path: whole.path, scope: { direction, kind: 'any' } };
    const flaw = flawIn(() => readRules(spec[direction], place, asked));
    if (flaw !== undefined) found.add(flaw);
  }
  const tiers = tiersOf(spec, policy.metadata, whole);
  return { rules, isolates: isolationOf(spec, tiers), diagnostics, tiers };
}

function specOf(written: unknown, whole: Place): JsonMap {
  const host = isMap(written) ? hostFields.find((name) => isGiven(written[name])) : undefined;
  if (host !== undefined)
    throw unread(within(whole, host), 'is a field of policies for the whole cluster', `remove ${host}`);
  return mapAt(written, specFields, 'a NetworkPolicy of Calico', whole);
}

function readRules(written: unknown, whole: Place, policy: Reading): void {
  const { direction } = whole.scope;
  const list = listAt(written, direction, whole);
  const place = within(whole, direction);
  if (!policy.found.examines(list.length, policy.found.left.rules, place.scope, place.path)) return;
  for (let index = 0; index < list.length; index++) if (!readRule(list[index], index, place, policy)) return;
}

/** False: the rule goes beyond what is examined, so the rules behind it are not looked at either. */
function readRule(written: unknown, index: number, list: Place, policy: Reading): boolean {
  const { subject, found } = policy;
  const { direction } = list.scope;
  let opens = true;
  try {
    const rule = mapAt(written, ruleFields, 'a rule of Calico', list, index);
    const { action } = rule;
    opens = action === 'Allow' || action === 'Pass';
    const place = within(list, index);
    checkFields(rule, place);
    const source = entityAt(rule.source, 'source', place);
    const destination = entityAt(rule.destination, 'destination', place);
    if (!isExamined(source, found) || !isExamined(destination, found)) return false;
    const listed = readPorts(rule, source, destination, place);
    const isIngress = direction === 'ingress';
    checkLocal(isIngress ? destination : source, policy);
    const remote = isIngress ? source : destination;
    const peer = readPeer(remote, policy);
    if (!opens || listed.length === 0) return true;
    // One port is judged as quickly as an earlier verdict on it is found.
    const ports = listed.length > 1 ? found.onPorts(listed) : listed;
    const path = pathOf(remote, place.path);
    found.rules.push({ action: action === 'Pass' ? 'pass' : 'allow', subject, direction, peer, path, ports });
  } catch (error) {
    const flaw = diagnosticOf(error);
    // Of a rule that opens nothing, only what is not understood matters.
    if (opens || flaw.verdict === 'invalid') found.add(flaw);
  }
  return true;
}

/** What a rule says beside its entities and ports. */
function checkFields({ action, http, ipVersion, protocol, metadata }: JsonMap, place: Place): void {
  if (!actions.has(action))
    throw unread(
      within(place, 'action'),
      `${excerpt(action)} is not an action of Calico`,
      'write Allow, Deny, Log or Pass',
    );
  if (isGiven(ipVersion) && ipVersion !== 4 && ipVersion !== 6)
    throw unread(within(place, 'ipVersion'), `${excerpt(ipVersion)} is not a version of IP`, 'write 4 or 6');
  if (isGiven(http)) {
    mapAt(http, httpFields, 'a match of HTTP requests', place, 'http');
    if (action !== 'Allow' || (isGiven(protocol) && protocol !== 'TCP'))
      throw unread(
        within(place, 'http'),
        'is for rules that allow TCP',
        'write action: Allow and protocol: TCP, or remove http',
      );
  }
  const annotations = isMap(metadata) && isMap(metadata.annotations) ? Object.keys(metadata.annotations).length : 0;
  if (annotations > mostAnnotations)
    throw unread(
      within(within(place, 'metadata'), 'annotations'),
      `are ${annotations}, and Calico makes a comment of each, so that a node may not be able to load its rules`,
      `write at most ${mostAnnotations}`,
    );
}

/** The side that is local narrows nothing at the border, but it must be understood: a selector that is not is left out by Calico. */
function checkLocal(entity: Entity, policy: Reading): void {
  try {
    readPeer(entity, policy);
  } catch (error) {
    if (diagnosticOf(error).verdict === 'invalid') throw error;
  }
}

function isExamined(entity: Entity, found: Found): boolean {
  const peers = sizeOf(entity);
  const labels = labelCount(entity);
  const ports = portCount(entity);
  if (peers + labels + ports === 0) return true;
  const { scope, path } = entity.place;
  return (
    found.examines(peers, found.left.peers, scope, path) &&
    found.examines(labels, found.left.labels, scope, path) &&
    found.examines(ports, found.left.ports, scope, path)
  );
}

/** The field that says who the peer is, where one does alone. */
function pathOf(entity: Entity, rule: FieldPath): FieldPath {
  const { path } = entity.place;
  if (isWritten(entity.namespaceSelector)) return field(path, 'namespaceSelector');
  let only: string | undefined;
  for (const name of otherFields) {
    if (!isWritten(entity[name])) continue;
    if (only !== undefined) return path;
    only = name;
  }
  return only === undefined ? rule : field(path, only);
}

function isWritten(value: unknown): boolean {
  return isGiven(value) && value !== '';
}
