/**
 * Label selectors of meta/v1, and what can be said about every object they could ever match.
 *
 * All requirements of a selector are joined by AND, so per key they fold into one domain: may the key be absent, and which
 * values may it have. A selector matches when every key lies in its domain; keys without a requirement are free. Questions
 * about all possible objects (can anything match, can one selector select what another does not) are then answered key by key.
 * A label value is one of about 10^113, more than any domain can list, so "every value but these" always leaves one.
 */
import type { StringMap } from './objects.ts';

export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | null;
}

/** As in the API. `{}` matches everything; the caller interprets a selector that is `null` or missing. */
export interface LabelSelector {
  readonly matchLabels?: StringMap | null;
  readonly matchExpressions?: readonly LabelSelectorRequirement[] | null;
}

/** What one label may be. */
export interface Domain {
  /** Whether the key may be missing. */
  readonly absent: boolean;
  /** True: exactly `values`. False: every value but `values`. */
  readonly finite: boolean;
  readonly values: ReadonlySet<string>;
}

/** One domain for each key that is written; every other key is unconstrained. */
export type Selector = ReadonlyMap<string, Domain>;

const anything: Domain = { absent: true, finite: false, values: new Set() };

/** A label whose requirements contradict each other, so that nothing can be selected; undefined when something can. */
export function contradiction(selector: Selector): string | undefined {
  for (const [key, { absent, finite, values }] of selector) if (!absent && finite && values.size === 0) return key;
  return undefined;
}

/** Whether an object with these labels is selected. */
export function matches(selector: Selector, labels: ReadonlyMap<string, string>): boolean {
  for (const [key, domain] of selector) if (!admits(domain, labels.get(key))) return false;
  return true;
}

/** Labels that `inner` selects and `outer` does not; undefined when `outer` selects whatever `inner` could ever select. */
export function labelsOutside(inner: Selector, outer: Selector): ReadonlyMap<string, string> | undefined {
  if (contradiction(inner) !== undefined) return undefined;
  for (const [key, domain] of outer) {
    const outside = valueOutside(domainFor(inner, key), domain);
    if (outside === undefined) continue;
    const labels = witnessLabels(inner);
    if (outside.value === undefined) labels.delete(key);
    else labels.set(key, outside.value);
    return labels;
  }
  return undefined;
}

/** What a selector says about one label. */
export function domainFor(selector: Selector, key: string): Domain {
  return selector.get(key) ?? anything;
}

/** What both domains allow. */
export function commonDomain(one: Domain, other: Domain): Domain {
  const absent = one.absent && other.absent;
  if (!one.finite && !other.finite) return { absent, finite: false, values: one.values.union(other.values) };
  const [finite, by] = one.finite ? [one, other] : [other, one];
  return {
    absent,
    finite: true,
    values: by.finite ? finite.values.intersection(by.values) : finite.values.difference(by.values),
  };
}

/** Labels, as few as possible, that a selector without contradiction selects. */
export function witnessLabels(selector: Selector): Map<string, string> {
  const labels = new Map<string, string>();
  for (const [key, { absent, finite, values }] of selector) {
    if (absent) continue;
    const [value] = finite ? values : [freshValue('any', (candidate) => values.has(candidate))];
    if (value !== undefined) labels.set(key, value);
  }
  return labels;
}

/** `base`, or else the first of `base-2`, `base-3` and so on that is not taken. */
export function freshValue(base: string, taken: (value: string) => boolean): string {
  let value = base;
  for (let count = 2; taken(value); count++) value = `${base}-${count}`;
  return value;
}

function admits(domain: Domain, value: string | undefined): boolean {
  return value === undefined ? domain.absent : domain.values.has(value) === domain.finite;
}

/** A value of `inner` that `outer` has not, undefined in it when the label is missing; none when `outer` has them all. */
function valueOutside(inner: Domain, outer: Domain): { readonly value: string | undefined } | undefined {
  if (inner.absent && !outer.absent) return { value: undefined };
  if (!inner.finite && outer.finite) {
    return { value: freshValue('any', (value) => inner.values.has(value) || outer.values.has(value)) };
  }
  for (const value of inner.finite ? inner.values : outer.values) {
    if (admits(inner, value) && !admits(outer, value)) return { value };
  }
  return undefined;
}
