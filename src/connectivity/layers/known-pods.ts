/** Pods of which only the labels of a selector are known, and whether a policy is about all of them, some, or none. */
import { commonDomain, labelsOutside, matches, type Selector } from '../../kubernetes/label-selector.ts';
import { type Expression, meets } from '../../reach/expression/expression.ts';
import type { InForceSubject } from '../../reach/in-force.ts';
import { ofNamespace } from '../../reach/model.ts';
import type { Labels } from '../parties.ts';

/** `some`: it is not known of which. */
export type Share = 'all' | 'some' | 'none';

/** @param pods neither of them contradicts itself */
export function shareOf(selector: Selector, pods: Selector): Share {
  for (const [key, domain] of selector) {
    const own = pods.get(key);
    if (own === undefined) continue;
    const { absent, finite, values } = commonDomain(own, domain);
    if (!absent && finite && values.size === 0) return 'none';
  }
  return labelsOutside(pods, selector) === undefined ? 'all' : 'some';
}

/** @param namespace the labels of the pods' namespace */
export function shareOfSubject(subject: InForceSubject, pods: Selector, namespace: Labels): Share {
  if ('expression' in subject) return shareOfExpression(subject.expression, pods, namespace);
  if (subject.namespaces !== undefined && !matches(subject.namespaces, namespace)) return 'none';
  return shareOf(subject.pods, pods);
}

/** In three values (Kleene): what is `some` may be all or none. */
function shareOfExpression(expression: Expression, pods: Selector, namespace: Labels): Share {
  if ('all' in expression) return least(expression.all.map((one) => shareOfExpression(one, pods, namespace)));
  if ('any' in expression)
    return opposite(least(expression.any.map((one) => opposite(shareOfExpression(one, pods, namespace)))));
  const { key, test, holds } = expression;
  const found = key.startsWith(ofNamespace)
    ? known(namespace.get(key.slice(ofNamespace.length)), (value) => meets(value, test))
    : shareOfTest(pods, key, (value) => meets(value, test));
  return holds ? found : opposite(found);
}

function shareOfTest(pods: Selector, key: string, isMet: (value: string) => boolean): Share {
  const domain = pods.get(key);
  if (domain === undefined || !domain.finite) return 'some';
  const met = [...domain.values].map(isMet);
  if (!domain.absent && met.every((one) => one)) return 'all';
  return met.some((one) => one) ? 'some' : 'none';
}

function known(value: string | undefined, isMet: (value: string) => boolean): Share {
  return value !== undefined && isMet(value) ? 'all' : 'none';
}

function least(shares: readonly Share[]): Share {
  if (shares.includes('none')) return 'none';
  return shares.includes('some') ? 'some' : 'all';
}

function opposite(share: Share): Share {
  return share === 'some' ? 'some' : share === 'all' ? 'none' : 'all';
}

/** The labels of which the selector leaves one value. */
export function exactOf(pods: Selector): Labels {
  return new Map(
    [...pods].flatMap(([key, { finite, values }]) =>
      finite && values.size === 1 ? [[key, [...values][0] ?? '']] : [],
    ),
  );
}

export function selectorOf(labels: Readonly<Record<string, string>>): Selector {
  return new Map(
    Object.entries(labels).map(([key, value]) => [key, { absent: false, finite: true, values: new Set([value]) }]),
  );
}
