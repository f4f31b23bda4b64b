/**
 * Everything that evaluator.ts has to try on one peer: each value that the peer or the world mentions, one that nobody mentions,
 * and none; each port and address beside which an answer can change. Nothing is left out to save time.
 */

import {
  canBe,
  type Direction,
  isAgreed,
  isForeign,
  known,
  type Labels,
  letsParty,
  letsPort,
  nameLabel,
  notInternet,
  type Party,
  selects,
  type WirePort,
  type World,
  type WrittenPeer,
  type WrittenPort,
  type WrittenRule,
  type WrittenSelector,
} from './evaluator.ts';
import { type Address, readBlock, samples } from './evaluator-addresses.ts';

/** The value that nobody mentions. */
export const unmentioned = 'zz-unmentioned';

/** What was found when everything was tried on one peer. */
export interface Trial {
  /** Whether anybody gets through at all. */
  readonly matched: boolean;
  /** Whether a pod of somebody else gets through by agreement. */
  readonly agreed: boolean;
  /** A foreigner who gets through. */
  readonly crossing: (WirePort & { readonly party: Party }) | undefined;
}

/** @param peer undefined: everybody */
export function tryEverything(
  peer: WrittenPeer | undefined,
  rule: WrittenRule,
  direction: Direction,
  world: World,
): Trial {
  let [matched, agreed] = [false, false];
  const wires = portsAround(rule, world).filter((wire) => letsPort(rule.ports, wire));
  for (const party of partiesAround(peer, world)) {
    if (!letsParty(peer, party, world)) continue;
    matched ||= wires.length > 0;
    if (party.kind === 'pod' && party.namespace.get(world.tenantLabel) === world.tenant) continue;
    for (const wire of wires) {
      if (isForeign(party, wire, direction, world)) return { matched, agreed, crossing: { ...wire, party } };
      agreed ||= party.kind === 'pod' && isAgreed(party, wire, direction, world);
    }
  }
  return { matched, agreed, crossing: undefined };
}

export function portsAround(
  { ports }: WrittenRule,
  { tenants, services, requests = [], requestable }: World,
): readonly WirePort[] {
  const numbers = new Set([1, 65535]);
  const mention = (list: readonly WrittenPort[] | null | undefined) => {
    for (const { port, endPort } of list ?? []) {
      for (const end of [port, endPort]) {
        if (typeof end === 'number') for (const near of [end - 1, end, end + 1]) numbers.add(near);
      }
    }
  };
  mention(ports);
  for (const { gates } of tenants) for (const gate of gates) mention(gate.ports);
  for (const request of requests) mention(request.ports);
  mention(requestable?.ports);
  for (const service of services) mention(service.ports);
  return [...numbers]
    .filter((port) => port >= 1 && port <= 65535)
    .flatMap((port) => ['TCP', 'UDP', 'SCTP'].map((protocol) => ({ protocol, port })));
}

/** Whether any pod at all can have the labels that it asks for. */
export function canSelect(selector: WrittenSelector | null | undefined): boolean {
  return combinations(valuesIn([selector ?? {}])).some((labels) => selects(selector ?? {}, labels));
}

function* partiesAround(peer: WrittenPeer | undefined, world: World): Iterable<Party> {
  if (!peer?.ipBlock) {
    const pods = podsAround(peer?.podSelector ?? {}, world);
    for (const namespace of namespacesAround(peer?.namespaceSelector ?? {}, world)) {
      for (const pod of pods) yield { kind: 'pod', namespace, pod };
    }
  }
  if (peer === undefined || peer.ipBlock) {
    for (const address of addressesAround(peer, world)) yield { kind: 'address', address };
  }
}

function namespacesAround(selector: WrittenSelector, world: World): readonly Labels[] {
  const values = valuesIn([selector]);
  add(values, world.tenantLabel, [undefined, ...world.tenants.map(({ name }) => name)]);
  const trusted = Object.entries(world.trusted ?? {});
  for (const [key, listed] of trusted) if (values.has(key)) add(values, key, Object.keys(listed));
  add(values, nameLabel, [
    ...[world.namespace, unmentioned],
    ...world.services.flatMap(({ namespace }) => namespace ?? []),
    ...trusted.flatMap(([, listed]) => Object.values(listed).flat()),
  ]);
  values.get(nameLabel)?.delete(undefined);
  return combinations(values).filter((namespace) => canBe(namespace, world));
}

function podsAround(selector: WrittenSelector, world: World): readonly Labels[] {
  return combinations(valuesIn([selector, ...world.services.flatMap(({ podSelector }) => podSelector ?? [])]));
}

function addressesAround(peer: WrittenPeer | undefined, world: World): readonly Address[] {
  const { cidr, except } = peer?.ipBlock ?? {};
  const owner = world.tenants.find(({ name }) => name === world.tenant);
  return samples([
    ...[cidr, ...(except ?? [])].flatMap((text) => readBlock(text) ?? []),
    ...[
      ...notInternet(world),
      ...(owner?.egressCIDRs ?? []),
      ...(owner?.vouched ?? []).map(({ cidr }) => cidr),
      ...(owner?.egress ?? []).flatMap(({ cidr, except }) => [...(cidr === 'internet' ? [] : [cidr]), ...except]),
      ...world.services.flatMap(({ addresses, endpoints = [] }) => [
        ...addresses,
        ...endpoints.map(({ cidr }) => cidr),
      ]),
    ].map(known),
  ]);
}

/** For each key that is mentioned: the values, one more, and none. */
function valuesIn(selectors: readonly WrittenSelector[]): Map<string, Set<string | undefined>> {
  const values = new Map<string, Set<string | undefined>>();
  for (const { matchLabels, matchExpressions } of selectors) {
    for (const [key, value] of Object.entries(matchLabels ?? {})) add(values, key, [value]);
    for (const { key, values: listed } of matchExpressions ?? []) add(values, key, listed ?? []);
  }
  return values;
}

function add(values: Map<string, Set<string | undefined>>, key: string, added: readonly (string | undefined)[]): void {
  const all = values.get(key) ?? new Set([undefined, unmentioned]);
  for (const value of added) if (value === undefined || isLabelValue(value)) all.add(value);
  values.set(key, all);
}

/** "must be 63 characters or less (can be empty), unless empty, must begin and end with an alphanumeric character" */
function isLabelValue(text: string): boolean {
  return /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(text);
}

function combinations(values: ReadonlyMap<string, ReadonlySet<string | undefined>>): readonly Labels[] {
  let all: Map<string, string>[] = [new Map()];
  for (const [key, choices] of values) {
    all = all.flatMap((labels) =>
      [...choices].map((value) => (value === undefined ? labels : new Map([...labels, [key, value]]))),
    );
  }
  return all;
}
