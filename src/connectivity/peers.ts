/** Who a peer of a policy is, among the parties of a snapshot, and whom a policy selects. */

import type { DnsPattern } from '../kubernetes/dns-pattern.ts';
import { containsPattern, parsePattern } from '../kubernetes/dns-pattern.ts';
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { Selector } from '../kubernetes/label-selector.ts';
import { type Expression, isMatched } from '../reach/expression/expression.ts';
import type { InForcePeer, InForceSubject } from '../reach/in-force.ts';
import type { Settings } from '../tenancy/settings.ts';
import { Addressed, networksOf } from './address-matcher.ts';
import type { AddressSets } from './address-sets.ts';
import { Both, Matching, OwnSelected, Selected } from './label-matcher.ts';
import { entityMatcher, everybody, everyPod, isPod, type Matcher, nobody, nodes } from './matcher.ts';
import type { Parties, Party } from './parties.ts';
import type { Reading } from './readings.ts';
import { AllBut, WithSets } from './set-matcher.ts';

export type { Matcher } from './matcher.ts';

export interface Matchers {
  /** @param opens of a denial, an address counts only where all that the party may have are denied */
  peer(peer: InForcePeer, namespace: string, opens: boolean): Matcher;
  subject(subject: InForceSubject, namespace: string): Matcher;
  /** @param opens as of a peer */
  pods(expression: Expression, opens: boolean): Matcher;
}

/** So many are kept by their texts. A cluster that lives long has had many. */
const mostKept = 200_000;

export function createMatchers(parties: Parties, sets: AddressSets, settings: Settings, reading: Reading): Matchers {
  const bySelectors = new Map<string, Matcher>();
  const byAddresses = new Map<string, Matcher>();
  const byExpression = new WeakMap<Expression, Matcher>();
  /** Of peers that are the same for every namespace. Policies that are written alike share theirs. */
  const byPeer = { opens: new WeakMap<InForcePeer, Matcher>(), denies: new WeakMap<InForcePeer, Matcher>() };
  const networks = networksOf(settings);

  const selecting = (namespaces: Selector | undefined, pods: Selector, own: string): Matcher => {
    if (namespaces === undefined) return new OwnSelected(parties, own, pods);
    if (namespaces.size === 0 && pods.size === 0) return everyPod;
    return kept(bySelectors, `${keyOf(namespaces)} ${keyOf(pods)}`, () => new Selected(parties, namespaces, pods));
  };

  const matching = (expression: Expression): Matcher => {
    const found = byExpression.get(expression) ?? new Matching(parties, expression);
    byExpression.set(expression, found);
    return found;
  };

  const having = (addresses: IpSet, opens: boolean): Matcher => {
    let key = opens ? '' : 'not ';
    for (const { family, first, last } of addresses) key += `${family} ${first} ${last} `;
    return kept(byAddresses, key, () => new Addressed(parties, networks, addresses, opens, reading.rangesHavePods));
  };

  /** As the peer of a rule: addresses of sets have labels too. */
  const inSets = { opens: new WeakMap<Expression, Matcher>(), denies: new WeakMap<Expression, Matcher>() };
  const selected = (expression: Expression, addresses: IpSet | undefined, opens: boolean): Matcher => {
    const known = opens ? inSets.opens : inSets.denies;
    const before = addresses === undefined ? known.get(expression) : undefined;
    if (before !== undefined) return before;
    const pods = matching(expression);
    if (!reading.ordered) return addresses === undefined ? pods : new Both(parties, pods, having(addresses, opens));
    const find = (): IpSet => sets.matching((labels) => isMatched(expression, labels), parties, addresses, opens);
    const made = new WithSets(
      parties,
      addresses === undefined ? pods : new Both(parties, pods, having(addresses, opens)),
      { version: () => sets.version, find },
      (found) => having(found, opens),
    );
    if (addresses === undefined) known.set(expression, made);
    return made;
  };

  const made = (peer: InForcePeer, namespace: string, opens: boolean): Matcher => {
    switch (peer.kind) {
      case 'any':
        return everybody;
      case 'nodes':
        return nodes;
      case 'selector': {
        if (peer.clusters !== undefined && !peer.clusters.includes(settings.clusterName ?? '')) return nobody;
        const matcher = selecting(peer.namespaces, peer.pods, namespace);
        return reading.isolatesLast && peer.byNamespace === true && mayBeNowhere(peer.namespaces)
          ? new OrNowhere(matcher)
          : matcher;
      }
      case 'expression': {
        const { expression, addresses, isAllBut } = peer;
        if (isAllBut !== true) return selected(expression, addresses, opens);
        const within = addresses && having(addresses, opens);
        return new AllBut(parties, selected(expression, undefined, !opens), within);
      }
      case 'ipBlock':
        return having(peer.addresses, opens);
      case 'entity':
        return entityMatcher(peer.entity);
      // Of a mesh: a proxy decides. No policy that names callers is in force here.
      case 'identity':
        return nobody;
      case 'name':
        return new Named(peer.pattern);
    }
  };

  return {
    peer(peer, namespace, opens) {
      if (peer.kind === 'selector' && peer.namespaces === undefined) return made(peer, namespace, opens);
      const known = opens ? byPeer.opens : byPeer.denies;
      const matcher = known.get(peer) ?? made(peer, namespace, opens);
      known.set(peer, matcher);
      return matcher;
    },
    subject: (subject, namespace) =>
      'expression' in subject ? matching(subject.expression) : selecting(subject.namespaces, subject.pods, namespace),
    pods: (expression, opens) => selected(expression, undefined, opens),
  };
}

function kept(known: Map<string, Matcher>, key: string, make: () => Matcher): Matcher {
  let matcher = known.get(key);
  if (matcher === undefined) {
    matcher = make();
    if (known.size >= mostKept) known.clear();
    known.set(key, matcher);
  }
  return matcher;
}

/** And who is no pod. */
class OrNowhere implements Matcher {
  readonly isEverybody = false;
  readonly #pods: Matcher;

  constructor(pods: Matcher) {
    this.#pods = pods;
  }

  get isEveryPod(): boolean {
    return this.#pods.isEveryPod;
  }

  has(party: Party): boolean {
    return this.#pods.has(party) || !isPod(party);
  }

  classes() {
    return this.#pods.classes();
  }
}

class Named implements Matcher {
  readonly isEverybody = false;
  readonly isEveryPod = false;
  readonly #pattern: DnsPattern;

  constructor(pattern: DnsPattern) {
    this.#pattern = pattern;
  }

  has(party: Party): boolean {
    const pattern = party.kind === 'name' ? parsePattern(party.name) : undefined;
    return pattern !== undefined && containsPattern(this.#pattern, pattern);
  }

  classes() {
    return [];
  }
}

/** Whether it selects who has none of the labels. An empty one is about namespaces all the same. */
function mayBeNowhere(namespaces: Selector | undefined): boolean {
  if (namespaces === undefined || namespaces.size === 0) return false;
  return [...namespaces.values()].every(({ absent }) => absent);
}

function keyOf(selector: Selector): string {
  let key = '';
  for (const [label, { absent, finite, values }] of selector)
    key += `${label}${absent ? '?' : '!'}${finite ? '=' : '#'}${[...values].join(',')};`;
  return key;
}
