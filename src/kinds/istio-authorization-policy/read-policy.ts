/**
 * AuthorizationPolicy of security.istio.io -> Reach.
 *
 * Reads the object as untrusted data: a value that contradicts the API gives an `invalid` diagnostic, and so does an unknown field.
 * Nothing throws. A field means what istiod 1.31 makes of it for Envoy, and for ztunnel where that matches more.
 * Linear in the size of the policy.
 *
 * ALLOW lets callers in who match a rule; a policy without rules lets no caller in. DENY and AUDIT let no caller in, so only their fields
 * are checked. CUSTOM asks a provider, which can only deny. A rule that is null is left out. Ports are those of the pod.
 */
import { field } from '../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, type JsonMap } from '../../kubernetes/json.ts';
import { entry, type Policy } from '../../kubernetes/objects.ts';
import type { PortRange } from '../../kubernetes/port-range.ts';
import { Found, type Limits } from '../../reach/dialects/found.ts';
import {
  type AllowRule,
  emptyReach,
  everyPod,
  type IdentityPeer,
  type Provider,
  type Reach,
  type Subject,
} from '../../reach/model.ts';
import { given, listAt, mapAt, type Place, scope, textsAt, within, wrong } from './place.ts';
import { both, type Callers, everyCaller, readCondition, readSource } from './source.ts';
import { readTargets } from './targets.ts';
import { waysOf } from './ways.ts';

/** How much of one policy is looked at; what is beyond is `unproven`. */
export const limits: Limits = { rules: 500, peers: 1500, ports: 2000, excepts: 1, labels: 1, items: 8000 };

const specFields: ReadonlySet<string> = new Set([
  ...['action', 'rules', 'selector', 'targetRef', 'targetRefs', 'provider'],
]);
const ruleFields: ReadonlySet<string> = new Set(['from', 'to', 'when']);
const fromFields: ReadonlySet<string> = new Set(['source']);
const toFields: ReadonlySet<string> = new Set(['operation']);
const actions: ReadonlySet<unknown> = new Set(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM']);
/** Texts first. */
const operationFields: ReadonlyMap<string, { readonly name: string; readonly order: number }> = new Map(
  [
    ...['ports', 'notPorts'].map((name, order) => ({ name, order: 6 + order })),
    ...['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'].map((name, order) => ({ name, order })),
  ].map((one) => [one.name, one]),
);
const operationNames: ReadonlySet<string> = new Set(operationFields.keys());
/** Istio is about TCP alone. */
const everyPort: readonly PortRange[] = [{ protocol: 'TCP', first: 1, last: 65535 }];

/** strconv.ParseBool of Go; whatever else is written there, the policy is in force. */
const isTrue: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

export function isDryRun({ metadata }: Policy): boolean {
  return isTrue.has(entry(metadata?.annotations, 'istio.io/dry-run') ?? '');
}

export function readAuthorizationPolicy(policy: Policy): Reach {
  const { spec: written }: { spec?: unknown } = policy;
  const found = Found.within(limits);
  const { rules, diagnostics } = found;
  const place: Place = { path: field(undefined, 'spec'), found, namespace: policy.metadata?.namespace ?? '' };
  const spec = mapAt(written, specFields, 'an AuthorizationPolicy', place);
  if (spec === undefined) return { ...emptyReach, diagnostics };
  const { provider } = spec;
  const action = isGiven(spec.action) ? spec.action : 'ALLOW';
  if (!actions.has(action))
    wrong(
      within(place, 'action'),
      `${excerpt(action)} is not an action of Istio`,
      'write ALLOW, DENY, AUDIT or CUSTOM',
    );
  readTargets(spec, place);
  readRules(spec, action === 'ALLOW' && !isDryRun(policy), place);
  const isCustom = action === 'CUSTOM' || isGiven(provider);
  return { rules, isolates: [], diagnostics, ...(isCustom && { providers: [providerOf(provider, place)] }) };
}

function providerOf(written: unknown, place: Place): Provider {
  const name = isMap(written) && typeof written.name === 'string' ? written.name : '';
  return { name, path: within(place, 'provider').path };
}

/** @param opens whether callers who match are let in */
function readRules(spec: JsonMap, opens: boolean, place: Place): void {
  const { found } = place;
  const subject: Subject = { namespaces: undefined, pods: everyPod, path: within(place, 'selector').path };
  const rules = listAt(spec.rules, 'rules', place) ?? [];
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index];
    if (rule === null) continue;
    const at = within(place, 'rules', index);
    if (!found.examines(1, found.left.rules, scope, at.path)) return;
    readRule(rule, opens ? subject : undefined, at);
    // Nothing more is proven, whatever comes.
    if (found.left.peers.left < 0) return;
  }
}

function readRule(written: unknown, subject: Subject | undefined, place: Place): void {
  const { found } = place;
  const rule = mapAt(written, ruleFields, 'a rule', place);
  if (rule === undefined) return;
  const ports = readPorts(rule, place);
  const condition = readConditions(rule, place);
  const from = listAt(rule.from, 'from', place);
  if (ports === undefined || condition === undefined || from === undefined) return;
  const sources: CallersAt[] = from.length === 0 ? [{ callers: everyCaller, at: place }] : [];
  for (let index = 0; index < from.length; index++) {
    const source = readFrom(from[index], within(place, 'from', index));
    if (source !== undefined) sources.push(source);
  }
  if (subject === undefined || ports.length === 0) return;
  const shared = found.onPorts(ports);
  for (const { callers, at } of sources) {
    const who = both(callers, condition);
    if (!found.examines(waysOf(who, found.rules.length), found.left.peers, scope, at.path)) return;
    addPeers(who, at, { action: 'allow', subject, direction: 'ingress', ports: shared });
  }
}

interface CallersAt {
  readonly callers: Callers;
  readonly at: Place;
}

/** An item without a source is every caller, as a null one is (model.New). Undefined: it is not understood, which was said. */
function readFrom(item: unknown, place: Place): CallersAt | undefined {
  const from = mapAt(item, fromFields, 'an item of from', place);
  if (from === undefined) return undefined;
  const at = isGiven(from.source) ? within(place, 'source') : place;
  const callers = readSource(from.source, at);
  return callers && { callers, at };
}

/** One peer for each value of the first field, so that a verdict says which value it is about. */
function addPeers(
  { all, none, addresses }: Callers,
  { found, path }: Place,
  { action, subject, direction, ports }: Omit<AllowRule, 'path' | 'peer'>,
): void {
  if (addresses?.length === 0) {
    const reason = 'matches nothing, as no address is left';
    found.add({ ...scope, verdict: 'nothing', path, reason, fix: { id: 'remove-peer' } });
    return;
  }
  const [first] = all;
  if (first === undefined) {
    const peer = addresses === undefined ? everyone(none) : { kind: 'ipBlock' as const, addresses };
    found.add({ action, subject, direction, path, peer, ports });
    return;
  }
  const rest = all.length === 1 ? alone : all.slice(1).map(({ patterns }) => patterns);
  let index = 0;
  for (const pattern of first.patterns) {
    const one = [pattern];
    const peer: IdentityPeer = { kind: 'identity', all: rest === alone ? [one] : [one, ...rest], none, addresses };
    found.add({ action, subject, direction, path: field(first.path, index++), peer, ports });
  }
}

const alone: IdentityPeer['all'] = [];

const everyone = (none: IdentityPeer['none']): IdentityPeer => ({
  kind: 'identity',
  all: [],
  none,
  addresses: undefined,
});

function readConditions(rule: JsonMap, place: Place): Callers | undefined {
  const conditions = listAt(rule.when, 'when', place);
  if (conditions?.length === 0) return everyCaller;
  return conditions?.reduce<Callers | undefined>((before, written, index) => {
    const condition = readCondition(written, within(place, 'when', index));
    return before && condition && both(before, condition);
  }, everyCaller);
}

/** Of all operations together. What is left out of ports narrows nothing here: no grant rests on it. */
function readPorts(rule: JsonMap, rulePlace: Place): readonly PortRange[] | undefined {
  const operations = listAt(rule.to, 'to', rulePlace);
  if (operations === undefined) return undefined;
  const ports: PortRange[] = [];
  for (let index = 0; index < operations.length; index++) {
    const place = within(rulePlace, 'to', index);
    const to = mapAt(operations[index], toFields, 'an item of to', place);
    const at = within(place, 'operation');
    const operation = to && mapAt(to.operation, operationNames, 'an operation', at);
    if (operation === undefined) return undefined;
    const open = portsOf(operation, at);
    if (open === undefined) return undefined;
    for (const one of open) ports.push(one);
  }
  const conditional = portsOfConditions(rule, rulePlace);
  if (conditional === undefined) return undefined;
  return operations.length === 0 ? (conditional === 'every' ? everyPort : conditional) : ports;
}

/** Of one operation, of which every field is looked at. */
function portsOf(operation: JsonMap, place: Place): readonly PortRange[] | undefined {
  let open = everyPort;
  for (const { name } of given(operation, operationFields)) {
    if (name === 'ports' || name === 'notPorts') {
      const listed = portsAt(operation[name], name, place);
      if (listed === undefined) return undefined;
      if (name === 'ports' && listed !== 'every') open = listed;
    } else if (textsAt(operation[name], name, place) === undefined) return undefined;
  }
  return open;
}

/** Of `destination.port`, where no operation says more. */
function portsOfConditions(rule: JsonMap, place: Place): readonly PortRange[] | 'every' | undefined {
  const conditions = Array.isArray(rule.when) ? rule.when : [];
  const index = conditions.findIndex((one) => isMap(one) && one.key === 'destination.port');
  return index < 0 ? 'every' : portsAt(conditions[index].values, 'values', within(place, 'when', index));
}

/** Istio writes ports as texts, and accepts a zero before the number. Port 0 does not exist. */
function portsAt(written: unknown, name: string, place: Place): readonly PortRange[] | 'every' | undefined {
  const list = textsAt(written, name, place);
  if (list === undefined || list.length === 0) return list && 'every';
  if (!place.found.examines(list.length, place.found.left.ports, scope, within(place, name).path)) return undefined;
  const ports: PortRange[] = [];
  for (let index = 0; index < list.length; index++) {
    const text = list[index] ?? '';
    const number = portIn(text);
    if (number === undefined)
      return wrong(
        within(place, name, index),
        `${excerpt(text)} is not a port`,
        'write a number from 1 to 65535 in quotes',
      );
    if (number > 0) ports.push({ protocol: 'TCP', first: number, last: number });
  }
  return ports;
}

/** Undefined: it is none. An expression takes 440 instructions, and every rule has ports. */
function portIn(text: string): number | undefined {
  if (text.length > 10) return undefined;
  let number = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return number > 65535 ? undefined : number;
}
