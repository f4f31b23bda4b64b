/**
 * Whether everything that a boolean expression could ever match is the tenant's own, or agreed.
 *
 * An expression is a union of terms, and a term is a selector like that of any other peer: so each of them is judged as one. What is
 * plainly own needs none of that (plainly-own.ts). Then a bound of all terms is judged, which is linear and settles most of the rest.
 * What is in no namespace (host endpoints, global network sets) is a world of its own: it has no label of a namespace, so only what
 * needs one leaves it out.
 */
import { commonDomain, type Domain, type Selector } from '../kubernetes/label-selector.ts';
import { Budget } from './expression/budget.ts';
import { both, type Expression, type Literal } from './expression/expression.ts';
import { bound, exampleValue, exampleOf as labelsOf, someTerm, type Term } from './expression/terms.ts';
import { has, type Values } from './expression/values.ts';
import type { Fix } from './fix.ts';
import { judgeAddresses } from './ip-block-peer.ts';
import { type AllowRule, type ExpressionPeer, nameKey, ofNamespace, type SelectorPeer } from './model.ts';
import { isPlainlyOwn, tenantKeyOf } from './plainly-own.ts';
import { judgeSelector } from './selector-peer.ts';
import type { Border, Violation } from './violation.ts';
import { describeLabels } from './witness.ts';

const inNamespace: Literal = { key: nameKey, test: { op: 'has' }, holds: true };
const lacking: Values = { absent: true, finite: true, values: new Set(), affixes: [] };
const addTenantLabel: Fix = { id: 'add-tenant-label' };

const nothingMatched: Violation = {
  verdict: 'nothing',
  reason: 'matches nothing, as its requirements contradict each other',
  fix: { id: 'remove-peer' },
};

const beyondBudget: Violation = {
  verdict: 'unproven',
  reason: 'has so many alternatives that its reach is not proven',
  fix: addTenantLabel,
};

const byPart: Violation = {
  verdict: 'unproven',
  reason: 'selects by a part of a label, which proves nothing',
  fix: addTenantLabel,
};

export function judgeExpression(peer: ExpressionPeer, rule: AllowRule, border: Border): Violation | undefined {
  if (isPlainlyOwn(peer.expression, border)) return undefined;
  const violation = judgeWorlds(peer, rule, border);
  if (violation === undefined || violation.verdict === 'nothing' || peer.addresses === undefined) return violation;
  if (judgeAddresses({ kind: 'ipBlock', addresses: peer.addresses }, rule, border) === undefined) return undefined;
  // Nobody can be named who has both such labels and such an address.
  const { witness: _, assumedOwn: __, ...others } = violation;
  return { ...others, verdict: 'unproven' };
}

/**
 * Whether this holds of each selector of which the expression is a union, in namespaces. `partial` are the keys of which a part of the
 * value is asked for, which the selector leaves out. False also where the budget ends.
 */
export function everyAlternative(
  { expression, steps }: ExpressionPeer,
  holds: (selector: SelectorPeer, partial: ReadonlySet<string>) => boolean,
): boolean {
  const fails = (term: Term) => {
    const partial = [...term].flatMap(([key, { affixes }]) => (affixes.length === 0 ? [] : key));
    return !holds(selectorOf(term), new Set(partial));
  };
  return someTerm(both(expression, inNamespace), fails, () => false, new Budget(steps)) === false;
}

function judgeWorlds({ expression, steps }: ExpressionPeer, rule: AllowRule, border: Border): Violation | undefined {
  const budget = new Budget(steps);
  const namespaced = judgeNamespaced(both(expression, inNamespace), rule, border, budget);
  if (namespaced !== undefined && namespaced.verdict !== 'nothing') return namespaced;
  if (needsNamespace(expression)) return namespaced;
  const keys = new Set<string>();
  addNamespaceKeys(expression, keys);
  const without = [...keys].map((key): Literal => ({ key, test: { op: 'has' }, holds: false }));
  const others: Expression = { all: [...without, expression] };
  if (bound(others, budget) === undefined) return namespaced;
  let labels: ReadonlyMap<string, string> = new Map();
  const take = (term: Term) => {
    labels = labelsOf(term, budget) ?? labels;
    return true;
  };
  const outside = someTerm(others, take, () => false, budget);
  if (outside === 'beyond') return beyondBudget;
  if (!outside) return namespaced;
  return {
    verdict: 'escapes',
    reason: 'matches what is in no namespace: host endpoints and global network sets',
    witness: `a host endpoint${describeLabels([...labels])}`,
    // Where it selects no namespace at all, a label more would leave nothing.
    fix: namespaced === undefined ? addTenantLabel : { id: 'set-tenant-label' },
  };
}

/** Whether it is plain that nothing without a label of a namespace is matched. */
function needsNamespace(expression: Expression): boolean {
  if ('all' in expression) return expression.all.some(needsNamespace);
  if ('any' in expression) return expression.any.every(needsNamespace);
  return expression.holds && expression.key.startsWith(ofNamespace);
}

function addNamespaceKeys(expression: Expression, keys: Set<string>): void {
  if ('all' in expression) for (const one of expression.all) addNamespaceKeys(one, keys);
  else if ('any' in expression) for (const one of expression.any) addNamespaceKeys(one, keys);
  else if (expression.key.startsWith(ofNamespace)) keys.add(expression.key);
}

function judgeNamespaced(
  expression: Expression,
  rule: AllowRule,
  border: Border,
  budget: Budget,
): Violation | undefined {
  const limits = bound(expression, budget);
  if (limits === undefined) return nothingMatched;
  if (judgeAs(selectorOf(limits), rule, border) === undefined) return undefined;
  const { tenant, tenancy } = border;
  const tenantKey = tenantKeyOf(tenancy.settings);
  const isOwn = (part: Term) => isOnly(part.get(tenantKey), tenant.name) || isOnly(part.get(nameKey), border.namespace);
  let found: Violation | undefined;
  let matched = false;
  const assumed = new Set<string>();
  const isEscape = (term: Term): boolean => {
    const violation = judgeTerm(term, tenantKey, rule, border, budget);
    if (violation?.verdict === 'nothing') return false;
    matched = true;
    if (violation === undefined) return false;
    if (violation.verdict === 'escapes') found = violation;
    else if (found === undefined || found.verdict === 'conditional') found = violation;
    for (const name of violation.assumedOwn ?? []) assumed.add(name);
    return violation.verdict === 'escapes';
  };
  const settled = (part: Term) => {
    const own = isOwn(part);
    if (own) matched = true;
    return own;
  };
  const answer = someTerm(expression, isEscape, settled, budget);
  if (answer === 'beyond') return beyondBudget;
  if (found?.verdict === 'conditional') return { ...found, assumedOwn: [...assumed] };
  return found ?? (matched ? undefined : nothingMatched);
}

function isOnly(values: Values | undefined, one: string): boolean {
  if (values === undefined || values.absent || !values.finite) return false;
  return values.values.size === 1 && values.values.has(one);
}

function judgeAs(peer: SelectorPeer, rule: AllowRule, border: Border): Violation | undefined {
  return judgeSelector(peer, { ...rule, peer }, border);
}

/** Of a term that matches something. */
function judgeTerm(
  term: Term,
  tenantKey: string,
  rule: AllowRule,
  border: Border,
  budget: Budget,
): Violation | undefined {
  const violation = judgeAs(selectorOf(term), rule, border);
  const hasParts = [...term.values()].some(({ affixes }) => affixes.length > 0);
  if (violation === undefined || violation.verdict === 'nothing' || !hasParts) return violation;
  // The selector allows more than the term. What does get through must be of the term.
  const example = new Map(term);
  for (const [key, values] of term) {
    if (values.affixes.length === 0) continue;
    const mayLack = values.absent && !isTrusted(key, tenantKey, border);
    example.set(key, mayLack ? lacking : exampleOf(key, values, tenantKey, border, budget));
  }
  const sure = judgeAs(selectorOf(example), rule, border);
  if (budget.isSpent) return beyondBudget;
  if (sure?.verdict === 'escapes') return sure;
  // Where the parts leave one value alone, the example is all of it.
  const isAll = [...term].every(([key, { affixes }]) => affixes.length === 0 || key === tenantKey);
  return sure === undefined && isAll && isOnly(example.get(tenantKey), border.tenant.name) ? undefined : byPart;
}

function isTrusted(key: string, tenantKey: string, { tenancy }: Border): boolean {
  const label = key.slice(ofNamespace.length);
  return (
    key === tenantKey || key === nameKey || (key.startsWith(ofNamespace) && tenancy.settings.trustedLabels.has(label))
  );
}

/** One value for all: of a tenant label, that of a tenant that nobody is, or at least of another one. */
function exampleOf(
  key: string,
  values: Values,
  tenantKey: string,
  { tenant, tenancy, namespace }: Border,
  budget: Budget,
): Values {
  const own = key === tenantKey ? [tenant.name] : key === nameKey ? [namespace] : [];
  const known = key === tenantKey ? [tenant.name, ...tenancy.tenants.keys()] : own;
  // A part by itself is what a shared service or a namespace may be named.
  const parts = values.affixes.map(({ text }) => text);
  const value = [new Set([...known, ...parts]), new Set(known), new Set(own)]
    .values()
    .map((excluded) => exampleValue(key, values, budget, excluded))
    .find((one) => one !== undefined);
  if (value !== undefined) return { absent: false, finite: true, values: new Set([value]), affixes: [] };
  // None but the own one is left.
  return { absent: values.absent, finite: true, values: new Set(own.filter((one) => has(values, one))), affixes: [] };
}

/** What the term says of labels one by one, without what it says of parts of values. */
function selectorOf(term: Term): SelectorPeer {
  const namespaces = new Map<string, Domain>();
  const pods = new Map<string, Domain>();
  for (const [key, domain] of term) {
    const isOfNamespace = key.startsWith(ofNamespace);
    // Every namespace has a name.
    if (key === nameKey && !domain.finite && domain.values.size === 0) continue;
    const label = isOfNamespace ? key.slice(ofNamespace.length) : key;
    const selector: Selector & Map<string, Domain> = isOfNamespace ? namespaces : pods;
    const known = selector.get(label);
    selector.set(label, known === undefined ? domain : commonDomain(known, domain));
  }
  return { kind: 'selector', namespaces, pods };
}
