/** What one label may be: a domain, narrowed by affixes. */
import type { Domain } from '../../kubernetes/label-selector.ts';
import type { Budget } from './budget.ts';
import { type Literal, meets } from './expression.ts';
import { type AffixLiteral, findWord, isLabelValue } from './word.ts';

export interface Values extends Domain {
  /** Of a value that is there. Empty where the domain is finite, as its values all have them. */
  readonly affixes: readonly AffixLiteral[];
}

export const anyValue: Values = { absent: true, finite: false, values: new Set(), affixes: [] };
const missing: Values = { absent: true, finite: true, values: new Set(), affixes: [] };

/** A name of a service account may be longer than a value of a label; Calico makes labels of such names. */
export function longestValue(key: string): number {
  return key.includes('projectcalico.org/') ? 253 : 63;
}

/** Undefined: nothing is left. Over-approximates where the budget ends. */
export function narrowed(values: Values, { key, test, holds }: Literal, budget: Budget): Values | undefined {
  if (test.op === 'has') return holds ? present(values) : values.absent ? missing : undefined;
  if (test.op !== 'in') {
    if (test.text === '') return holds ? present(values) : values.absent ? missing : undefined;
    const absent = values.absent && !holds;
    if (values.finite)
      return checked(
        absent,
        [...values.values].filter((one) => meets(one, test) === holds),
      );
    return regular({ ...values, absent, affixes: [...values.affixes, { ...test, holds }] }, key, budget);
  }
  const longest = longestValue(key);
  if (holds) {
    const possible = [...test.values].filter((one) => isLabelValue(one, longest) && has(values, one));
    return checked(false, possible);
  }
  if (values.finite)
    return checked(
      values.absent,
      [...values.values].filter((one) => !test.values.has(one)),
    );
  return regular({ ...values, values: values.values.union(test.values) }, key, budget);
}

export function has({ finite, values, affixes }: Values, value: string): boolean {
  return values.has(value) === finite && affixes.every((one) => meets(value, one) === one.holds);
}

/** Whether everything that `values` allows meets the literal, or nothing does; `open`: neither is plain. */
export function decided(values: Values, { test, holds }: Literal): boolean | 'open' {
  const { absent, finite } = values;
  if (finite) {
    const answers = new Set([...values.values].map((one) => meets(one, test) === holds));
    if (absent) answers.add(!holds);
    return answers.size === 1 ? answers.has(true) : 'open';
  }
  if (test.op === 'has') return absent ? 'open' : holds;
  if (test.op === 'in') {
    const isLeftOut = [...test.values].every((one) => !has(values, one));
    return isLeftOut ? !holds : 'open';
  }
  return 'open';
}

/** What one of both allows, or more. */
export function joined(one: Values, other: Values): Values {
  const absent = one.absent || other.absent;
  if (one.finite && other.finite) return { absent, finite: true, values: one.values.union(other.values), affixes: [] };
  if (!one.finite && !other.finite)
    return { absent, finite: false, values: one.values.intersection(other.values), affixes: [] };
  const [finite, infinite] = one.finite ? [one, other] : [other, one];
  return { absent, finite: false, values: infinite.values.difference(finite.values), affixes: [] };
}

function present(values: Values): Values | undefined {
  return values.finite && values.values.size === 0 ? undefined : { ...values, absent: false };
}

function checked(absent: boolean, values: readonly string[]): Values | undefined {
  return absent || values.length > 0 ? { absent, finite: true, values: new Set(values), affixes: [] } : undefined;
}

/** Every value but a few is always left; affixes may leave none. */
function regular(values: Values, key: string, budget: Budget): Values | undefined {
  if (values.affixes.length === 0) return values;
  if (findWord(values.affixes, values.values, longestValue(key), budget) !== undefined) return values;
  return values.absent ? missing : undefined;
}
