/**
 * An example for a term that asks for parts of values: one that most likely belongs to others. Where there is such an example, the
 * term lets others in; where there is none, it depends on why (expression-peer.ts).
 *
 * A name of a namespace that begins with a prefix of the tenant is no example: no other tenant can take it from now on.
 * It is no proof either: another tenant can have it from before the reservation, and names below a prefix cannot be looked up one by one.
 */
import type { Selector } from '../kubernetes/label-selector.ts';
import { isPrefix } from '../tenancy/reserved-names.ts';
import type { Budget } from './expression/budget.ts';
import { exampleValue, type Term } from './expression/terms.ts';
import { has, type Values } from './expression/values.ts';
import { nameKey, ofNamespace } from './model.ts';
import { tenantKeyOf } from './plainly-own.ts';
import { trustedIn } from './trusted-label.ts';
import { type Border, ownsThere } from './violation.ts';

/** `nothing`: no namespace can have such a name. `reserved`: every such name is reserved for the tenant. */
export type Example = Term | 'nothing' | 'reserved';

const lacking: Values = { absent: true, finite: true, values: new Set(), affixes: [] };

/** @param namespaces what the term says of them. Where the budget ended, the example is none. */
export function exampleOfOthers(term: Term, namespaces: Selector, border: Border, budget: Budget): Example {
  // Such a label and one of a tenant are never on one namespace.
  const isOfPlatform = trustedIn(namespaces, border).key !== undefined;
  const tenantKey = tenantKeyOf(border.tenancy.settings);
  const example = new Map(term);
  for (const [key, values] of term) {
    if (values.affixes.length === 0) continue;
    if (key === nameKey) {
      const name = nameOfOthers(values, border, budget);
      if (name === 'nothing' || name === 'reserved') return name;
      example.set(key, name);
    } else {
      const mayLack = values.absent && (key !== tenantKey || isOfPlatform);
      example.set(key, mayLack ? lacking : valueOfOthers(key, values, tenantKey, border, budget));
    }
  }
  return example;
}

/** Where a label that only the platform writes leaves a few names, those that the term allows. */
export function withListedNames(term: Term, namespaces: Selector, border: Border): Term | 'nothing' {
  const asked = term.get(nameKey);
  if (asked === undefined || asked.affixes.length === 0) return term;
  const { names } = trustedIn(namespaces, border);
  if (names === undefined) return term;
  const left = [...names].filter((one) => has(asked, one));
  return left.length === 0 ? 'nothing' : new Map([...term, [nameKey, only(left)]]);
}

function only(values: Iterable<string>): Values {
  return { absent: false, finite: true, values: new Set(values), affixes: [] };
}

/** For a tenant label, the value of an undeclared tenant, or at least of another one. */
function valueOfOthers(
  key: string,
  values: Values,
  tenantKey: string,
  { tenant, tenancy }: Border,
  budget: Budget,
): Values {
  const own = key === tenantKey ? [tenant.name] : [];
  const listed = tenancy.settings.trustedLabels.get(key.slice(ofNamespace.length));
  // A part by itself is what a shared service may be named, and a value that is listed leaves few names.
  const known = key === tenantKey ? [tenant.name, ...tenancy.tenants.keys()] : [...(listed?.keys() ?? [])];
  const value = firstValue(
    key,
    values,
    [new Set([...known, ...partsOf(values)]), new Set(known), new Set(own)],
    budget,
  );
  if (value !== undefined) return only([value]);
  // None but the own one is left.
  return { absent: values.absent, finite: true, values: new Set(own.filter((one) => has(values, one))), affixes: [] };
}

function nameOfOthers(values: Values, border: Border, budget: Budget): Values | 'nothing' | 'reserved' {
  const { tenant, tenancy, namespace } = border;
  const names = inNames(values);
  if (exampleValue(nameKey, names, budget) === undefined) return 'nothing';
  const reserved = ownsThere(border) ? [...tenant.reserved.keys()] : [];
  const prefixes = reserved.filter(isPrefix).map((text) => ({ op: 'starts', text, holds: false }) as const);
  const own = [...reserved, ...(ownsThere(border) ? [namespace] : [])];
  const { sharedServices, platform } = tenancy.settings;
  const served = sharedServices.flatMap((service) => ('namespace' in service ? (service.namespace ?? []) : []));
  const outside: Values = { ...names, affixes: [...names.affixes, ...prefixes] };
  const name =
    firstValue(
      nameKey,
      outside,
      [new Set([...own, ...served, ...partsOf(values)]), new Set([...own, ...served]), new Set(own)],
      budget,
    ) ?? [...platform.namespaces].find((one) => has(names, one));
  return name === undefined ? 'reserved' : only([name]);
}

/** A name is a DNS label (RFC 1123): letters in lower case, digits and `-`, and never empty. */
function inNames({ absent, finite, values, affixes }: Values): Values {
  const written = [...values, ...affixes.map(({ text }) => text)].join('');
  const others = new Set([...written].filter((one) => !/[a-z0-9-]/.test(one)));
  const without = [...others].map((text) => ({ op: 'contains', text, holds: false }) as const);
  return { absent, finite, values: new Set([...values, '']), affixes: [...affixes, ...without] };
}

function partsOf({ affixes }: Values): readonly string[] {
  return affixes.map(({ text }) => text);
}

function firstValue(
  key: string,
  values: Values,
  excluded: readonly ReadonlySet<string>[],
  budget: Budget,
): string | undefined {
  for (const others of excluded) {
    const value = exampleValue(key, values, budget, others);
    if (value !== undefined) return value;
  }
  return undefined;
}
