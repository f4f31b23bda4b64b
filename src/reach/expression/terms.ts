/**
 * An expression as a union of terms: in a term, each label is narrowed by itself, as in a selector of meta/v1. Whether an expression can
 * match at all is as hard as any such question (NP-complete), so the search has a budget.
 */
import { freshValue } from '../../kubernetes/label-selector.ts';
import type { Budget } from './budget.ts';
import type { Expression, Literal } from './expression.ts';
import { anyValue, decided, joined, longestValue, narrowed, type Values } from './values.ts';
import { findWord } from './word.ts';

/** One for each label that is written. Every one of them can be met. */
export type Term = ReadonlyMap<string, Values>;

/**
 * Calls back for each term, until one answer is true. Together they match what the expression matches, and each of them matches something.
 *
 * @param isSettled of a part of a term: nothing that it matches is asked for
 * @returns `beyond` when the budget ended before
 */
export function someTerm(
  expression: Expression,
  isFound: (term: Term) => boolean,
  isSettled: (part: Term) => boolean,
  budget: Budget,
): boolean | 'beyond' {
  const search = (pending: readonly Expression[], before: Term): boolean => {
    const open = simplified(pending, before, budget);
    if (open === undefined || budget.isSpent || isSettled(open.term)) return false;
    const [first, ...others] = open.choices.toSorted((one, other) => one.length - other.length);
    if (first === undefined) return isFound(open.term);
    const rest = others.map((any): Expression => ({ any }));
    return first.some((one) => !budget.isSpent && search([one, ...rest], open.term));
  };
  const found = search([expression], new Map());
  return budget.isSpent && !found ? 'beyond' : found;
}

interface Open {
  readonly term: Term;
  /** Each has two alternatives or more, of which one must hold. */
  readonly choices: readonly (readonly Expression[])[];
}

/** Takes in all that is certain. Undefined: nothing can be matched. */
function simplified(pending: readonly Expression[], before: Term, budget: Budget): Open | undefined {
  const term = new Map(before);
  const todo = [...pending];
  let choices: (readonly Expression[])[] = [];
  while (todo.length > 0) {
    for (let one = todo.pop(); one !== undefined; one = todo.pop()) {
      if (!budget.spend(1)) return undefined;
      if ('all' in one) todo.push(...one.all);
      else if ('any' in one) choices.push(one.any);
      else if (!take(one, term, budget)) return undefined;
    }
    const open: (readonly Expression[])[] = [];
    for (const choice of choices) {
      const left = alternatives(choice, term, budget);
      if (left === 'met') continue;
      const [only, second] = left;
      if (only === undefined) return undefined;
      if (second === undefined) todo.push(only);
      else open.push(left);
    }
    choices = open;
  }
  return { term, choices };
}

function take(literal: Literal, term: Map<string, Values>, budget: Budget): boolean {
  const values = narrowed(term.get(literal.key) ?? anyValue, literal, budget);
  if (values === undefined) return false;
  term.set(literal.key, values);
  return true;
}

function alternatives(choice: readonly Expression[], term: Term, budget: Budget): readonly Expression[] | 'met' {
  const left: Expression[] = [];
  for (const one of choice) {
    budget.spend(1);
    if ('any' in one) {
      const inner = alternatives(one.any, term, budget);
      if (inner === 'met') return 'met';
      left.push(...inner);
    } else if ('all' in one) {
      if (one.all.length === 0) return 'met';
      left.push(one);
    } else {
      const answer = decided(term.get(one.key) ?? anyValue, one);
      if (answer === true) return 'met';
      if (answer === 'open') left.push(one);
    }
  }
  return left;
}

/** What every match has in common, or less: linear. Undefined: plainly nothing can be matched. */
export function bound(expression: Expression, budget: Budget): Term | undefined {
  const term = new Map<string, Values>();
  return narrow(term, expression, budget) ? term : undefined;
}

/** Takes the bound of the expression into the term. False: nothing is left. */
function narrow(term: Map<string, Values>, expression: Expression, budget: Budget): boolean {
  if ('all' in expression) return expression.all.every((one) => narrow(term, one, budget));
  if ('any' in expression) return takeAll(term, expression.any, budget);
  budget.spend(1);
  return take(expression, term, budget);
}

/** What the alternatives have in common. */
function takeAll(term: Map<string, Values>, alternatives: readonly Expression[], budget: Budget): boolean {
  let common: Term | undefined;
  for (const one of alternatives) {
    const next = bound(one, budget);
    if (next !== undefined) common = common === undefined ? next : either(common, next);
  }
  if (common === undefined) return false;
  for (const [key, values] of common) {
    for (const literal of literalsOf(key, values)) if (!take(literal, term, budget)) return false;
  }
  return true;
}

function either(one: Term, other: Term): Term {
  const term = new Map<string, Values>();
  for (const [key, values] of one) {
    const others = other.get(key);
    if (others !== undefined) term.set(key, joined(values, others));
  }
  return term;
}

function literalsOf(key: string, { absent, finite, values, affixes }: Values): readonly Literal[] {
  const literals: Literal[] = affixes.map(({ holds, ...test }) => ({ key, test, holds }));
  if (!finite) {
    if (values.size > 0) literals.push({ key, test: { op: 'in', values }, holds: false });
    if (!absent) literals.push({ key, test: { op: 'has' }, holds: true });
  } else if (!absent) literals.push({ key, test: { op: 'in', values }, holds: true });
  else if (values.size === 0) literals.push({ key, test: { op: 'has' }, holds: false });
  // A value or none: no test says so. The bound is wider then.
  return literals;
}

/** Labels, as few as possible, that a term matches. Undefined: the budget ended. */
export function exampleOf(term: Term, budget: Budget): ReadonlyMap<string, string> | undefined {
  const labels = new Map<string, string>();
  for (const [key, values] of term) {
    if (values.absent) continue;
    const value = exampleValue(key, values, budget);
    if (value === undefined) return undefined;
    labels.set(key, value);
  }
  return labels;
}

/** One of the values that are allowed, and none of `excluded`. Undefined: there is none, or the budget ended. */
export function exampleValue(
  key: string,
  { finite, values, affixes }: Values,
  budget: Budget,
  excluded: ReadonlySet<string> = new Set(),
): string | undefined {
  if (finite) return [...values].find((one) => !excluded.has(one));
  const left = values.union(excluded);
  if (affixes.length === 0) return freshValue('any', (one) => left.has(one));
  const word = findWord(affixes, left, longestValue(key), budget);
  return word === 'beyond' ? undefined : word;
}
