/**
 * Boolean expressions over labels, in negation normal form: only tests are negated. A test that is true needs its label, but for `has`
 * with `holds: false`; so a negated test matches where the label is missing.
 */

/** A test of one label. */
export interface Literal {
  readonly key: string;
  readonly test: Test;
  /** False: the test is negated. */
  readonly holds: boolean;
}

export type Test = { readonly op: 'has' } | { readonly op: 'in'; readonly values: ReadonlySet<string> } | Affix;

/** What a value begins with, ends with or contains. An empty text is in every value. */
export interface Affix {
  readonly op: 'starts' | 'ends' | 'contains';
  readonly text: string;
}

export type Expression = Literal | { readonly all: readonly Expression[] } | { readonly any: readonly Expression[] };

export const everything: Expression = { all: [] };

export function both(one: Expression, other: Expression): Expression {
  return { all: [one, other] };
}

export function negated(expression: Expression): Expression {
  if ('all' in expression) return { any: expression.all.map(negated) };
  if ('any' in expression) return { all: expression.any.map(negated) };
  return { ...expression, holds: !expression.holds };
}

/** Whether an object with these labels is matched. */
export function isMatched(expression: Expression, labels: ReadonlyMap<string, string>): boolean {
  if ('all' in expression) return expression.all.every((one) => isMatched(one, labels));
  if ('any' in expression) return expression.any.some((one) => isMatched(one, labels));
  const value = labels.get(expression.key);
  return (value !== undefined && meets(value, expression.test)) === expression.holds;
}

export function meets(value: string, test: Test): boolean {
  switch (test.op) {
    case 'has':
      return true;
    case 'in':
      return test.values.has(value);
    case 'starts':
      return value.startsWith(test.text);
    case 'ends':
      return value.endsWith(test.text);
    case 'contains':
      return value.includes(test.text);
  }
}
