/** Who a peer of a policy is, among the parties of a snapshot. What a policy selects is worked out once for all that select the same. */
import { containsPattern, parsePattern } from '../kubernetes/dns-pattern.ts';
import type { IpRange } from '../kubernetes/ip-range.ts';
import { contains, everyAddress, type IpSet, intersect } from '../kubernetes/ip-set.ts';
import { matches, type Selector } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { type Expression, isMatched } from '../reach/expression/expression.ts';
import type { InForcePeer, InForceSubject } from '../reach/in-force.ts';
import { ofNamespace } from '../reach/model.ts';
import type { Settings } from '../tenancy/settings.ts';
import { entityMatcher, everybody, everyPod, isPod, type Matcher, nobody, nodes } from './matcher.ts';
import {
  compareAddresses,
  expressionLabels,
  type NamespaceEntry,
  type Parties,
  type Party,
  type PodClass,
} from './parties.ts';
import type { Reading } from './readings.ts';

export type { Matcher } from './matcher.ts';

export interface Matchers {
  /** @param opens of a denial, an address counts only where all that the party may have are denied */
  peer(peer: InForcePeer, namespace: string, opens: boolean): Matcher;
  subject(subject: InForceSubject, namespace: string): Matcher;
  pods(expression: Expression): Matcher;
}

export function createMatchers(parties: Parties, settings: Settings, reading: Reading): Matchers {
  const bySelectors = new Map<string, Matcher>();
  const ofNamespace = new Map<string, Matcher>();
  const byExpression = new Map<Expression, Matcher>();
  const namespacesOf = (name: string): readonly NamespaceEntry[] => {
    const one = parties.byName.get(name);
    return one === undefined ? [] : [one];
  };

  const selecting = (namespaces: Selector | undefined, pods: Selector, own: string): Matcher => {
    if (namespaces?.size === 0 && pods.size === 0) return everyPod;
    if (namespaces === undefined && pods.size === 0) {
      const found = ofNamespace.get(own) ?? fromNamespaces(namespacesOf(own), pods, parties);
      ofNamespace.set(own, found);
      return found;
    }
    const key = `${namespaces === undefined ? own : keyOf(namespaces)} ${keyOf(pods)}`;
    const known = bySelectors.get(key);
    if (known !== undefined) return known;
    const among = namespaces === undefined ? namespacesOf(own) : parties.selected(namespaces);
    const matcher = fromNamespaces(among, pods, parties);
    bySelectors.set(key, matcher);
    return matcher;
  };

  const matching = (expression: Expression): Matcher => {
    const known = byExpression.get(expression);
    if (known !== undefined) return known;
    const among = namespacesIn(expression);
    const candidates =
      among === undefined ? parties.classes : [...among].flatMap((name) => parties.byName.get(name)?.classes ?? []);
    const matcher = fromClasses(
      candidates.filter((one) => isMatched(expression, expressionLabels(one))),
      parties,
    );
    byExpression.set(expression, matcher);
    return matcher;
  };

  const pods = networkOf(settings, 'pod network');
  const hosts = networkOf(settings, 'node network');
  const byAddresses = new Map<string, Matcher>();
  const having = (addresses: IpSet, opens: boolean): Matcher => {
    let key = opens ? '' : 'not ';
    for (const { family, first, last } of addresses) key += `${family} ${first} ${last} `;
    const found = byAddresses.get(key) ?? matcherOf(addresses, opens);
    byAddresses.set(key, found);
    return found;
  };
  const matcherOf = (addresses: IpSet, opens: boolean): Matcher => {
    const outside = (party: Party): boolean => party.kind === 'address' && contains(addresses, [party.range]);
    if (!reading.rangesHavePods) return { ...nobody, has: outside };
    const touches = (own: IpSet) => (opens ? intersect(addresses, own).length > 0 : contains(addresses, own));
    // Where its own address is not known, a pod may have any of its network.
    const ofUnknown = touches(pods);
    const ofNode = touches(hosts);
    const isEveryPod = contains(addresses, everyAddress) || (ofUnknown && !parties.hasAddresses);
    const has = (party: Party): boolean => {
      switch (party.kind) {
        case 'pod':
          return party.addresses.length === 0 ? ofUnknown : touches(party.addresses);
        case 'unnamed':
          return isEveryPod;
        case 'node':
          return ofNode;
        default:
          return outside(party);
      }
    };
    let known: readonly PodClass[] | undefined;
    const classes = (): readonly PodClass[] => {
      known ??= [
        ...(ofUnknown ? parties.unaddressed : []),
        ...[...new Set(addressedIn(addresses, parties))].filter(has),
      ];
      return known;
    };
    return { isEverybody: false, isEveryPod, has, classes };
  };

  return {
    peer(peer, namespace, opens) {
      switch (peer.kind) {
        case 'any':
          return everybody;
        case 'nodes':
          return nodes;
        case 'selector': {
          if (peer.clusters !== undefined && !peer.clusters.includes(settings.clusterName ?? '')) return nobody;
          const matcher = selecting(peer.namespaces, peer.pods, namespace);
          return reading.isolatesLast && peer.byNamespace === true && mayBeNowhere(peer.namespaces)
            ? { ...matcher, has: (party) => matcher.has(party) || !isPod(party) }
            : matcher;
        }
        case 'expression': {
          const matcher = matching(peer.expression);
          if (peer.addresses === undefined) return matcher;
          const ranges = having(peer.addresses, opens);
          const both = matcher.classes().filter((one) => ranges.has(one));
          return fromClasses(matcher.isEveryPod ? ranges.classes() : both, parties);
        }
        case 'ipBlock':
          return having(peer.addresses, opens);
        case 'entity':
          return entityMatcher(peer.entity);
        // Of a mesh: a proxy decides. No policy that names callers is in force here.
        case 'identity':
          return nobody;
        case 'name':
          return {
            ...nobody,
            has(party) {
              const pattern = party.kind === 'name' ? parsePattern(party.name) : undefined;
              return pattern !== undefined && containsPattern(peer.pattern, pattern);
            },
          };
      }
    },
    subject: (subject, namespace) =>
      'expression' in subject ? matching(subject.expression) : selecting(subject.namespaces, subject.pods, namespace),
    pods: matching,
  };
}

/** Whether it selects who has none of the labels. An empty one is about namespaces all the same. */
function mayBeNowhere(namespaces: Selector | undefined): boolean {
  if (namespaces === undefined || namespaces.size === 0) return false;
  return [...namespaces.values()].every(({ absent }) => absent);
}

/** Undefined in the settings: it may be any address. */
function networkOf({ protectedRanges }: Settings, name: 'pod network' | 'node network'): IpSet {
  const ranges = protectedRanges.filter((one) => one.name === name).map(({ range }) => range);
  return ranges.length === 0 ? everyAddress : ranges;
}

/** Those with an address in the set: found by halving, as there may be as many ranges as pods. */
function addressedIn(addresses: IpSet, { addressed }: Parties): readonly PodClass[] {
  return addresses.flatMap((range) => {
    const found: PodClass[] = [];
    for (let at = firstNotBefore(range, addressed); ; at++) {
      const one = addressed[at];
      if (one === undefined || one.range.family !== range.family || one.range.first > range.last) return found;
      found.push(one.pods);
    }
  });
}

function firstNotBefore(range: IpRange, addressed: Parties['addressed']): number {
  let [low, high] = [0, addressed.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const one = addressed[middle]?.range;
    if (one !== undefined && compareAddresses(one, range) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function fromNamespaces(among: readonly NamespaceEntry[], pods: Selector, parties: Parties): Matcher {
  if (pods.size > 0)
    return fromClasses(
      among.flatMap(({ classes }) => classes.filter(({ labels }) => matches(pods, labels))),
      parties,
    );
  if (among.length === 1) {
    const [only] = among;
    return {
      isEverybody: false,
      isEveryPod: false,
      has: (party) => party.kind === 'pod' && party.namespace === only,
      classes: () => only?.classes ?? [],
    };
  }
  return fromClasses(
    among.flatMap(({ classes }) => classes),
    parties,
  );
}

function fromClasses(classes: readonly PodClass[], parties: Parties): Matcher {
  const numbers = new Set(classes.map(({ index }) => index));
  const isEveryPod = classes.length === parties.classes.length;
  return {
    isEverybody: false,
    isEveryPod,
    has: (party) => (party.kind === 'pod' ? numbers.has(party.index) : isEveryPod && party.kind === 'unnamed'),
    classes: () => classes,
  };
}

/** The names of which the namespace must have one, where the expression says so at its top. */
function namespacesIn(expression: Expression): ReadonlySet<string> | undefined {
  if ('all' in expression) {
    for (const one of expression.all) {
      const names = namespacesIn(one);
      if (names !== undefined) return names;
    }
    return undefined;
  }
  if ('any' in expression || !expression.holds || expression.key !== `${ofNamespace}${namespaceNameLabel}`)
    return undefined;
  return expression.test.op === 'in' ? expression.test.values : undefined;
}

function keyOf(selector: Selector): string {
  let key = '';
  for (const [label, { absent, finite, values }] of selector)
    key += `${label}${absent ? '?' : '!'}${finite ? '=' : '#'}${[...values].join(',')};`;
  return key;
}
