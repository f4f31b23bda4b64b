/**
 * Whether everything that a boolean expression could ever match is the tenant's own, or agreed.
 *
 * An expression is a union of terms, and a term is a selector like that of any other peer: so each of them is judged as one.
 * An expression that is plainly own needs none of that (plainly-own.ts).
 * Otherwise a bound of all terms is judged first, which is linear and decides most cases.
 * Host endpoints and global network sets are in no namespace, and are judged apart. They have no label of a namespace, so only
 * a term that needs one leaves them out.
 */
import { commonDomain, type Domain, type Selector } from '../kubernetes/label-selector.ts';
import { Budget } from './expression/budget.ts';
import { both, type Expression, type Literal } from './expression/expression.ts';
import { bound, exampleOf as labelsOf, someTerm, type Term } from './expression/terms.ts';
import type { Values } from './expression/values.ts';
import type { Fix } from './fix.ts';
import { judgeAddresses } from './ip-block-peer.ts';
import { type AllowRule, type ExpressionPeer, nameKey, ofNamespace, type SelectorPeer } from './model.ts';
import { isPlainlyOwn, tenantKeyOf } from './plainly-own.ts';
import { judgeSelector } from './selector-peer.ts';
import { exampleOfOthers, withListedNames } from './term-example.ts';
import type { Border, Violation } from './violation.ts';
import { describeLabels } from './witness.ts';

const inNamespace: Literal = { key: nameKey, test: { op: 'has' }, holds: true };
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

const byReservedPart: Violation = {
  verdict: 'unproven',
  reason:
    'selects names of namespaces by a part; all of them are reserved, but another tenant can have one from before that',
  fix: addTenantLabel,
};

const byFreePart = {
  verdict: 'escapes',
  reason: 'selects names of namespaces by a part, and not all of them are reserved',
  fix: addTenantLabel,
} as const;

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
  // No example can be named that has both such labels and such an address.
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
  let assumable: Violation | undefined;
  let matched = false;
  const assumed = new Set<string>();
  const isEscape = (term: Term): boolean => {
    const violation = judgeTerm(term, tenantKey, rule, border, budget);
    if (violation?.verdict === 'nothing') return false;
    matched = true;
    if (violation === undefined) return false;
    if (violation.verdict === 'conditional') assumable ??= violation;
    else found = violation;
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
  if (assumable !== undefined && found?.verdict !== 'escapes') {
    if (found === undefined) return { ...assumable, assumedOwn: [...assumed] };
    // With these names its own, the tenant would not be proven to keep to itself either.
    const { assumedOwn: _, ...others } = assumable;
    return { ...others, verdict: 'escapes' };
  }
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
  whole: Term,
  tenantKey: string,
  rule: AllowRule,
  border: Border,
  budget: Budget,
): Violation | undefined {
  const asked = selectorOf(whole);
  const term = withListedNames(whole, asked.namespaces, border);
  if (term === 'nothing') return nothingMatched;
  const selector = term === whole ? asked : selectorOf(term);
  const violation = judgeAs(selector, rule, border);
  const hasParts = [...term.values()].some(({ affixes }) => affixes.length > 0);
  if (violation === undefined || violation.verdict === 'nothing' || !hasParts) return violation;
  // The selector allows more than the term. What does get through must be of the term.
  const example = exampleOfOthers(term, selector.namespaces, border, budget);
  if (budget.isSpent) return beyondBudget;
  if (example === 'nothing') return nothingMatched;
  if (example === 'reserved') return byReservedPart;
  const sure = judgeAs(selectorOf(example), rule, border);
  if (sure === undefined || sure.verdict === 'nothing')
    return isOnly(example.get(tenantKey), border.tenant.name) ? undefined : byPart;
  if (sure.verdict !== 'conditional') return sure;
  if (violation.verdict === 'conditional') return { ...sure, assumedOwn: violation.assumedOwn ?? [] };
  if ((term.get(nameKey)?.affixes.length ?? 0) === 0) return byPart;
  // Names without end, which the tenant cannot all come to have.
  const { assumedOwn: _, ...others } = sure;
  return { ...others, ...byFreePart };
}

/** What the term says of labels one by one, without what it says of parts of values. */
function selectorOf(term: Term): SelectorPeer & { readonly namespaces: Selector } {
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
