/**
 * NetworkPolicy and GlobalNetworkPolicy of projectcalico.org/v3 and crd.projectcalico.org/v1 -> what they do in a cluster: order, tier, types
 * and every action.
 */
import { field } from '../../../kubernetes/field-path.ts';
import { isGiven, isMap, type JsonMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import type { Direction } from '../../../tenancy/tenant.ts';
import { mostSteps } from '../../expression/budget.ts';
import { type Expression, everything, negated } from '../../expression/expression.ts';
import type { InForce, InForcePeer, InForceRule, Unread } from '../../in-force.ts';
import { type Asked, askedOf, type Entity, entityAt, readPeer } from './entity.ts';
import { headOf, tiersOf, typesOf } from './head.ts';
import { ofEndpoints, ofNamespaces } from './parse-selector.ts';
import { diagnosticOf, type Place, Unread as Thrown, unprovenAt, within } from './place.ts';
import { isPortless, notPortsOf, readPorts } from './ports.ts';
import { selectorAt } from './selector.ts';

/** Calico takes them in any case of letters (ruleActionAPIV2ToBackend). A rule that logs decides nothing. */
const actions: ReadonlyMap<string, InForceRule['action'] | 'log'> = new Map([
  ['allow', 'allow'],
  ['deny', 'deny'],
  ['pass', 'pass'],
  ['log', 'log'],
]);
const path = field(undefined, 'spec');
const place: Place = { path, scope: { direction: 'ingress', kind: 'any' } };

export function calicoInForce(policy: Policy): InForce {
  return readPolicy(policy, askedOf(policy.metadata?.namespace ?? '', mostSteps));
}

/** Without a namespace nothing is added to its selectors. One that is about traffic before it is tracked is for host endpoints alone. */
export function calicoGlobalInForce(policy: Policy): InForce | undefined {
  const spec = specOf(policy);
  if (spec.doNotTrack === true || spec.preDNAT === true) return undefined;
  return readPolicy(policy, { ...askedOf('', mostSteps), ownPods: everything });
}

function specOf({ spec }: { readonly spec?: unknown }): JsonMap {
  return isMap(spec) ? spec : {};
}

function readPolicy(policy: Policy, asked: Asked): InForce {
  const spec = specOf(policy);
  const unread: Unread[] = [];
  for (const { path, direction, verdict, reason } of headOf(spec, policy.metadata, place))
    unread.push({ path, direction, verdict, reason });
  const [tier] = tiersOf(spec, policy.metadata, place);
  if (isGiven(spec.serviceAccountSelector) && spec.serviceAccountSelector !== '')
    unread.push(unprovenAt(within(place, 'serviceAccountSelector'), 'selects pods by labels of their accounts', ''));
  const subject = tried(() => subjectOf(spec, asked), unread);
  const rules: InForceRule[] = [];
  // Rules of a direction that `types` leaves out are not in force (felix, PolicyApplies).
  const types = typesOf(spec);
  for (const direction of types) {
    const list: unknown = spec[direction];
    if (!Array.isArray(list)) continue;
    for (const [index, rule] of list.entries()) {
      const at: Place = { path: field(field(path, direction), index), scope: { direction, kind: 'any' } };
      const read = tried(() => readRule(rule, at, direction, asked), unread);
      if (read !== undefined) rules.push(read);
    }
  }
  return {
    stage: {
      kind: 'calico',
      tier: tier?.name ?? 'default',
      order: typeof spec.order === 'number' ? spec.order : undefined,
    },
    parts: subject === undefined ? [] : [{ subject: { expression: subject }, isolates: types, rules }],
    unread,
  };
}

/** Undefined: a part is not understood, or can match nothing. */
function tried<Value>(read: () => Value, unread: Unread[]): Value | undefined {
  try {
    return read();
  } catch (error) {
    const { path, direction, verdict, reason } = diagnosticOf(error);
    if (verdict !== 'nothing') unread.push({ path, direction, verdict, reason });
    return undefined;
  }
}

function subjectOf({ selector, namespaceSelector }: JsonMap, { ownPods }: Asked): Expression {
  const namespaces = selectorAt(namespaceSelector, 'namespaceSelector', ofNamespaces, place);
  const pods = selectorAt(selector, 'selector', ofEndpoints, place);
  return { all: [ownPods, ...(namespaces === undefined ? [] : [namespaces]), ...(pods === undefined ? [] : [pods])] };
}

/** `GET /orders`, or only the method where the paths are free; `* /orders` where the method is. */
function requestsOf({ methods, paths }: JsonMap): readonly string[] {
  const [verbs, places] = [methods, paths].map((list) => (Array.isArray(list) && list.length > 0 ? list : ['*']));
  const textOf = (path: unknown): string => (isMap(path) ? ` ${path.exact ?? `${path.prefix}*`}` : '');
  return (verbs ?? []).flatMap((verb) => (places ?? []).map((path) => `${verb}${textOf(path)}`));
}

/** Undefined: it decides nothing, as a rule that logs. */
function readRule(rule: unknown, place: Place, direction: Direction, asked: Asked): InForceRule | undefined {
  if (!isMap(rule)) throw new Thrown(unprovenAt(place, 'is not a rule', ''));
  const action = typeof rule.action === 'string' ? actions.get(rule.action.toLowerCase()) : undefined;
  if (action === undefined) throw new Thrown(unprovenAt(within(place, 'action'), 'is not an action of Calico', ''));
  if (action === 'log' || isPortless(rule.protocol)) return undefined;
  const source = entityAt(rule.source, 'source', place);
  const destination = entityAt(rule.destination, 'destination', place);
  const ports = readPorts(rule, source, destination, place);
  // Who connects chooses the port that he comes from. So a rule that opens counts for every such port, and one that denies for none.
  if (action === 'deny' && isGiven(source.ports ?? source.notPorts))
    throw new Thrown(unprovenAt(source.place, 'denies by the port that a connection comes from', ''));
  const notPorts = notPortsOf(rule, destination, place);
  const [remote, local] = direction === 'ingress' ? [source, destination] : [destination, source];
  const peer = remoteOf(remote, asked);
  const own = readPeer(local, asked);
  // Who has which address is not known of every pod. So a rule that denies is left out, and one that opens counts for all of them.
  if ('addresses' in own && own.addresses !== undefined && action === 'deny')
    throw new Thrown(unprovenAt(local.place, 'narrows the rule by addresses of the own pods', ''));
  return {
    ...{ action, direction, peer, ports, notPorts, path: remote.place.path },
    ...(isMap(rule.http) && { layer7: requestsOf(rule.http) }),
    ...(own.kind === 'expression' && { own: own.expression }),
  };
}

/**
 * "If we have no positive selector ... the negative match criteria should match packets that come from outside the set of known endpoints too"
 * (felix/calc, combineMatchesIfPossible). A policy of a namespace has one, as its own namespace is added.
 */
function remoteOf(entity: Entity, asked: Asked): InForcePeer {
  const peer = readPeer(entity, asked);
  const isPositive = Boolean(entity.selector || entity.namespaceSelector) || selectsAccounts(entity.serviceAccounts);
  if (peer.kind !== 'expression' || asked.namespace !== '' || isPositive) return peer;
  return { ...peer, expression: negated(peer.expression), isAllBut: true };
}

function selectsAccounts(written: unknown): boolean {
  if (!isMap(written)) return false;
  return (
    (Array.isArray(written.names) && written.names.length > 0) || (isGiven(written.selector) && written.selector !== '')
  );
}
