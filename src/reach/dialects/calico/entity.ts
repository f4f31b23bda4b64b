/**
 * The source or the destination of a rule of projectcalico.org/v3 -> a peer. All of its fields are joined by AND.
 *
 * The own namespace is added to the selectors only "as soon as any of the selector fields are used" (GetEntityRuleSelector): an entity
 * of addresses, ports or an empty `serviceAccounts` is everybody who has them.
 */
import type { IpRange } from '../../../kubernetes/ip-range.ts';
import { everyAddress, normalise, subtract } from '../../../kubernetes/ip-set.ts';
import { excerpt, isGiven, isMap, type JsonMap } from '../../../kubernetes/json.ts';
import { type Expression, negated } from '../../expression/expression.ts';
import { type Diagnostic, diagnostic, nameKey, type Peer } from '../../model.ts';
import { readRangeOrAddress } from '../range.ts';
import { ofEndpoints, ofNamespaces, ofServiceAccounts } from './parse-selector.ts';
import { listAt, mapAt, type Place, Unread, unprovenAt, unread, within } from './place.ts';
import { selectorAt } from './selector.ts';

/** The policy, as the readers of its rules must know it. */
export interface Asked {
  readonly namespace: string;
  /** What Calico adds to a selector that says nothing of namespaces. */
  readonly ownPods: Expression;
  /** For the proof of one selector. */
  readonly steps: number;
}

export function askedOf(namespace: string, steps: number): Asked {
  const ownPods: Expression = { key: nameKey, test: { op: 'in', values: new Set([namespace]) }, holds: true };
  return { namespace, ownPods, steps };
}

/** What is written in the fields of an entity, not looked at. */
export interface Entity {
  readonly place: Place;
  readonly selector: unknown;
  readonly namespaceSelector: unknown;
  readonly notSelector: unknown;
  readonly serviceAccounts: unknown;
  readonly nets: unknown;
  readonly notNets: unknown;
  readonly ports: unknown;
  readonly notPorts: unknown;
  readonly services: unknown;
}

const entityFields: ReadonlySet<string> = new Set([
  ...['selector', 'namespaceSelector', 'notSelector', 'serviceAccounts'],
  ...['nets', 'notNets', 'ports', 'notPorts', 'services'],
]);
const accountFields: ReadonlySet<string> = new Set(['names', 'selector']);
const serviceFields: ReadonlySet<string> = new Set(['name', 'namespace']);

const nothingWritten: JsonMap = {};
/** "projectcalico.org/serviceaccount": the name of the account that a pod runs as. */
const accountKey = 'projectcalico.org/serviceaccount';

/** A DNS subdomain (RFC 1123), as the API server names ServiceAccounts. Calico puts the name into the text of a selector as it is. */
const accountName = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The source or the destination of the rule at the place; one that is missing has no fields. */
export function entityAt(written: unknown, name: 'source' | 'destination', rule: Place): Entity {
  const fields = isGiven(written) ? mapAt(written, entityFields, `the ${name} of a rule`, rule, name) : nothingWritten;
  const { selector, namespaceSelector, notSelector, serviceAccounts, nets, notNets, ports, notPorts, services } =
    fields;
  const place = within(rule, name);
  return { place, selector, namespaceSelector, notSelector, serviceAccounts, nets, notNets, ports, notPorts, services };
}

/** How many parts of the entity are examined. */
export function sizeOf(entity: Entity): number {
  return lengthOf(entity.nets) + lengthOf(entity.notNets) + (selects(entity) ? 1 : 0);
}

/** How many ports of the entity are examined. */
export function portCount({ ports, notPorts }: Entity): number {
  return lengthOf(ports) + lengthOf(notPorts);
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

function selects({ selector, namespaceSelector, notSelector, serviceAccounts }: Entity): boolean {
  return isGiven(selector ?? namespaceSelector ?? notSelector ?? serviceAccounts);
}

/** About how many labels the selectors of the entity speak of, by the length of their texts. */
export function labelCount({ selector, namespaceSelector, notSelector, serviceAccounts }: Entity): number {
  const ofAccounts = isMap(serviceAccounts) ? labelsIn(serviceAccounts.selector) : 0;
  return labelsIn(selector) + labelsIn(namespaceSelector) + labelsIn(notSelector) + ofAccounts;
}

function labelsIn(text: unknown): number {
  return typeof text === 'string' ? Math.ceil(text.length / 16) : 0;
}

const everybody: Peer = { kind: 'any' };

export function readPeer(entity: Entity, policy: Asked): Peer {
  if (isGiven(entity.services)) throw new Unread(readServices(entity.services, entity.place, policy));
  const expression = selects(entity) ? readSelectors(entity, policy) : undefined;
  const addresses = readNets(entity);
  if (expression !== undefined) return { kind: 'expression', expression, addresses, steps: policy.steps };
  return addresses === undefined ? everybody : { kind: 'ipBlock', addresses };
}

/** Undefined: no selector narrows the peer. */
function readSelectors(entity: Entity, policy: Asked): Expression | undefined {
  const { place } = entity;
  const namespaces = selectorAt(entity.namespaceSelector, 'namespaceSelector', ofNamespaces, place);
  const endpoints = selectorAt(entity.selector, 'selector', ofEndpoints, place);
  const accounts = readAccounts(entity.serviceAccounts, place);
  const not = selectorAt(entity.notSelector, 'notSelector', ofEndpoints, place);
  const parts: Expression[] = [namespaces ?? policy.ownPods];
  if (endpoints !== undefined) parts.push(endpoints);
  if (accounts !== undefined) parts.push(accounts);
  if (not !== undefined) parts.push(negated(not));
  return namespaces === undefined && parts.length === 1 ? undefined : { all: parts };
}

/** Undefined: the field says nothing, which an empty map does too. */
function readAccounts(written: unknown, entity: Place): Expression | undefined {
  if (!isGiven(written)) return undefined;
  const accounts = mapAt(written, accountFields, 'a match of service accounts', entity, 'serviceAccounts');
  const place = within(entity, 'serviceAccounts');
  const selector = selectorAt(accounts.selector, 'selector', ofServiceAccounts, place);
  const texts: string[] = [];
  for (const [index, name] of listAt(accounts.names, 'names', place).entries()) {
    if (typeof name !== 'string' || !accountName.test(name))
      throw unread(
        within(within(place, 'names'), index),
        `${excerpt(name)} is not a name of a ServiceAccount`,
        'correct the name',
      );
    texts.push(name);
  }
  const named: Expression = { key: accountKey, test: { op: 'in', values: new Set(texts) }, holds: true };
  if (texts.length === 0) return selector;
  return selector === undefined ? named : { all: [selector, named] };
}

/** Undefined: any address. Calico leaves out what it cannot read, and a list of nothing is every address: so nothing is left out here. */
function readNets({ nets, notNets, place }: Entity): readonly IpRange[] | undefined {
  if (!isGiven(nets ?? notNets)) return undefined;
  const taken = rangesAt(nets, 'nets', place);
  const not = rangesAt(notNets, 'notNets', place);
  if (taken.length === 0 && not.length === 0) return undefined;
  const named = normalise(taken.length === 0 ? everyAddress : taken);
  const addresses = not.length === 0 ? named : subtract(named, normalise(not));
  if (addresses.length > 0) return addresses;
  const reason = 'matches nothing, as notNets leaves no address of nets';
  throw new Unread(diagnostic(place.scope, 'nothing', place.path, reason, { id: 'remove-peer' }));
}

/** @param list what is written in the field `name` */
export function rangesAt(list: unknown, name: 'nets' | 'notNets', place: Place): readonly IpRange[] {
  const ranges: IpRange[] = [];
  const items = listAt(list, name, place);
  for (const [index, written] of items.entries()) {
    const at = within(within(place, name), index);
    const range = readRangeOrAddress(written, at.path, at.scope);
    if ('verdict' in range) throw new Unread(range);
    ranges.push(range);
  }
  return ranges;
}

/** The addresses of a Service are what its EndpointSlices say, and one of another namespace is named as well. */
function readServices(written: unknown, entity: Place, policy: Asked): Diagnostic {
  const { name, namespace } = mapAt(written, serviceFields, 'a match of a Service', entity, 'services');
  const place = within(entity, 'services');
  const fix =
    'select the pods of the Service, for example with selector: app == "db", or write its addresses with nets';
  if (isGiven(namespace) && namespace !== '' && namespace !== policy.namespace) {
    const reason = `takes its peers from a Service of the namespace ${excerpt(namespace)}, which is not the policy's own`;
    const witness = `an endpoint of the Service ${excerpt(name)} in that namespace`;
    return { ...diagnostic(place.scope, 'escapes', place.path, reason, fix), witness };
  }
  const reason = 'takes its peers from a Service, whose addresses change without this policy';
  return unprovenAt(place, reason, fix);
}
