/**
 * The source or the destination of a rule of projectcalico.org/v3 -> a peer. All of its fields are joined by AND.
 *
 * The own namespace is added to the selectors only "as soon as any of the selector fields are used" (GetEntityRuleSelector): an entity
 * of addresses, ports or an empty `serviceAccounts` is everybody who has them.
 */
import type { IpRange } from '../../../kubernetes/ip-range.ts';
import { normalise, subtract } from '../../../kubernetes/ip-set.ts';
import { excerpt, isGiven, isMap, type JsonMap } from '../../../kubernetes/json.ts';
import { type Expression, negated } from '../../expression/expression.ts';
import { type Diagnostic, diagnostic, type Peer } from '../../model.ts';
import { readRangeOrAddress } from '../range.ts';
import { namespaceKey, ofEndpoints, ofNamespaces, ofServiceAccounts } from './parse-selector.ts';
import { isDiagnostic, listAt, mapOf, type Place, selectorAt, unprovenAt, within, wrong } from './place.ts';

const entityFields: ReadonlySet<string> = new Set([
  ...[
    'selector',
    'namespaceSelector',
    'notSelector',
    'serviceAccounts',
    'nets',
    'notNets',
    'ports',
    'notPorts',
    'services',
  ],
]);
const accountFields: ReadonlySet<string> = new Set(['names', 'selector']);
const serviceFields: ReadonlySet<string> = new Set(['name', 'namespace']);

const everyAddress: readonly IpRange[] = [
  { family: 4, first: 0n, last: (1n << 32n) - 1n },
  { family: 6, first: 0n, last: (1n << 128n) - 1n },
];
/** "projectcalico.org/serviceaccount": the name of the account that a pod runs as. */
const accountKey = 'projectcalico.org/serviceaccount';

/** A DNS subdomain (RFC 1123), as the API server names ServiceAccounts. Calico puts the name into the text of a selector as it is. */
const accountName = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** The entity as a map of known fields; one that is missing has none. */
export function entityAt(rule: JsonMap, name: 'source' | 'destination', place: Place): JsonMap | Diagnostic {
  const entity = rule[name];
  return isGiven(entity) ? mapOf(entity, entityFields, `the ${name} of a rule`, within(place, name)) : {};
}

/** How many parts of the entity are examined. */
export function sizeOf(entity: JsonMap): number {
  const { nets, notNets, selector, namespaceSelector, notSelector, serviceAccounts } = entity;
  const selects = isGiven(selector ?? namespaceSelector ?? notSelector ?? serviceAccounts);
  return (Array.isArray(nets) ? nets.length : 0) + (Array.isArray(notNets) ? notNets.length : 0) + (selects ? 1 : 0);
}

/** About how many labels the selectors of the entity speak of, by the length of their texts. */
export function labelCount({ selector, namespaceSelector, notSelector, serviceAccounts }: JsonMap): number {
  const ofAccounts = isMap(serviceAccounts) ? labelsIn(serviceAccounts.selector) : 0;
  return labelsIn(selector) + labelsIn(namespaceSelector) + labelsIn(notSelector) + ofAccounts;
}

function labelsIn(text: unknown): number {
  return typeof text === 'string' ? Math.ceil(text.length / 16) : 0;
}

const everybody: Peer = { kind: 'any' };

/** @param place of the entity */
export function readPeer(entity: JsonMap, place: Place): Peer | Diagnostic {
  if (!hasPeers(entity)) return everybody;
  if (isGiven(entity.services)) return readServices(entity.services, within(place, 'services'));
  const expression = readSelectors(entity, place);
  if (expression !== undefined && isDiagnostic(expression)) return expression;
  const addresses = readNets(entity, place);
  if (addresses !== undefined && isDiagnostic(addresses)) return addresses;
  if (expression !== undefined) return { kind: 'expression', expression, addresses, steps: place.steps };
  return addresses === undefined ? everybody : { kind: 'ipBlock', addresses };
}

/** Whether it says anything but ports. */
function hasPeers(entity: JsonMap): boolean {
  for (const name in entity) if (name !== 'ports' && name !== 'notPorts') return true;
  return false;
}

/** Undefined: no selector narrows the peer. */
function readSelectors(entity: JsonMap, place: Place): Expression | undefined | Diagnostic {
  const namespaces = selectorAt(entity, 'namespaceSelector', ofNamespaces, place);
  const endpoints = selectorAt(entity, 'selector', ofEndpoints, place);
  const not = selectorAt(entity, 'notSelector', ofEndpoints, place);
  const { serviceAccounts } = entity;
  const accounts = isGiven(serviceAccounts)
    ? readAccounts(serviceAccounts, within(place, 'serviceAccounts'))
    : undefined;
  const parts: Expression[] = [];
  for (const one of [namespaces, endpoints, accounts]) {
    if (one === undefined) continue;
    if (isDiagnostic(one)) return one;
    parts.push(one);
  }
  if (not !== undefined && isDiagnostic(not)) return not;
  if (not !== undefined) parts.push(negated(not));
  if (parts.length === 0) return undefined;
  const own: Expression = { key: namespaceKey, test: { op: 'in', values: new Set([place.namespace]) }, holds: true };
  return { all: namespaces === undefined ? [own, ...parts] : parts };
}

/** Undefined: the field says nothing, which an empty map does too. */
function readAccounts(written: unknown, place: Place): Expression | undefined | Diagnostic {
  const accounts = mapOf(written, accountFields, 'a match of service accounts', place);
  if (isDiagnostic(accounts)) return accounts;
  const selector = selectorAt(accounts, 'selector', ofServiceAccounts, place);
  if (selector !== undefined && isDiagnostic(selector)) return selector;
  const names = listAt(accounts, 'names', place);
  if (isDiagnostic(names)) return names;
  const texts: string[] = [];
  for (const [index, name] of names.entries()) {
    if (typeof name !== 'string' || !accountName.test(name))
      return wrong(
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
function readNets(entity: JsonMap, place: Place): readonly IpRange[] | undefined | Diagnostic {
  if (!isGiven(entity.nets ?? entity.notNets)) return undefined;
  const nets = rangesAt(entity, 'nets', place);
  if (isDiagnostic(nets)) return nets;
  const not = rangesAt(entity, 'notNets', place);
  if (isDiagnostic(not)) return not;
  if (nets.length === 0 && not.length === 0) return undefined;
  const named = normalise(nets.length === 0 ? everyAddress : nets);
  const addresses = not.length === 0 ? named : subtract(named, normalise(not));
  if (addresses.length > 0) return addresses;
  const reason = 'matches nothing, as notNets leaves no address of nets';
  return diagnostic(place.scope, 'nothing', place.path, reason, { id: 'remove-peer' });
}

export function rangesAt(entity: JsonMap, name: 'nets' | 'notNets', place: Place): readonly IpRange[] | Diagnostic {
  const list = listAt(entity, name, place);
  if (isDiagnostic(list)) return list;
  const ranges: IpRange[] = [];
  for (const [index, written] of list.entries()) {
    const at = within(within(place, name), index);
    const range = readRangeOrAddress(written, at.path, at.scope);
    if (isDiagnostic(range)) return range;
    ranges.push(range);
  }
  return ranges;
}

/** The addresses of a Service are what its EndpointSlices say, and one of another namespace is named as well. */
function readServices(written: unknown, place: Place): Diagnostic {
  const services = mapOf(written, serviceFields, 'a match of a Service', place);
  if (isDiagnostic(services)) return services;
  const fix =
    'select the pods of the Service, for example with selector: app == "db", or write its addresses with nets';
  if (
    isMap(services) &&
    isGiven(services.namespace) &&
    services.namespace !== '' &&
    services.namespace !== place.namespace
  ) {
    const reason = `takes its peers from a Service of the namespace ${excerpt(services.namespace)}, which is not the policy's own`;
    const witness = `an endpoint of the Service ${excerpt(services.name)} in that namespace`;
    return { ...diagnostic(place.scope, 'escapes', place.path, reason, fix), witness };
  }
  const reason = 'takes its peers from a Service, whose addresses change without this policy';
  return unprovenAt(place, reason, fix);
}
