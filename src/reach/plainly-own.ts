/**
 * Whether an expression is plainly of the tenant's own pods: a few tests of different labels, joined by AND, one of which pins the tenant
 * label, or the name of the namespace to the policy's own. Nothing has to be worked out then: tests of different labels leave each other
 * alone. That is what most people write; of everything else, this says nothing.
 */
import { once } from '../kubernetes/once.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Expression, Literal } from './expression/expression.ts';
import { longestValue } from './expression/values.ts';
import { isLabelValue } from './expression/word.ts';
import { nameKey, ofNamespace } from './model.ts';
import { type Border, ownsThere } from './violation.ts';

/** Each is compared with all others. */
const mostTests = 8;

export const tenantKeyOf = once(({ tenantLabel }: Settings) => `${ofNamespace}${tenantLabel}`);

export function isPlainlyOwn(expression: Expression, border: Border): boolean {
  const tests: Literal[] = [];
  if (!ownsThere(border) || !isConjunction(expression, tests)) return false;
  const { tenant, tenancy, namespace } = border;
  const { trustedLabels } = tenancy.settings;
  const tenantKey = tenantKeyOf(tenancy.settings);
  let isOwn = false;
  for (let index = 0; index < tests.length; index++) {
    const one = tests[index];
    if (one === undefined || !canBeMet(one)) return false;
    const { key } = one;
    for (let before = 0; before < index; before++) if (tests[before]?.key === key) return false;
    if (trustedLabels.size > 0 && key.startsWith(ofNamespace) && trustedLabels.has(key.slice(ofNamespace.length)))
      return false;
    if (key === nameKey) {
      if (!isPinned(one, namespace)) return false;
      isOwn = true;
    } else if (key === tenantKey && isPinned(one, tenant.name)) isOwn = true;
  }
  return isOwn;
}

/** Collects the tests. False: they are not just joined by AND, or too many. */
function isConjunction(expression: Expression, tests: Literal[]): boolean {
  if ('any' in expression) return false;
  if ('all' in expression) {
    for (const one of expression.all) if (!isConjunction(one, tests)) return false;
    return true;
  }
  tests.push(expression);
  return tests.length <= mostTests;
}

/** Whether it is plain that some value meets the test, or the lack of one. */
function canBeMet({ key, test, holds }: Literal): boolean {
  if (test.op === 'has') return true;
  if (test.op !== 'in') return false;
  if (!holds) return true;
  for (const value of test.values) if (isLabelValue(value, longestValue(key))) return true;
  return false;
}

function isPinned({ test, holds }: Literal, value: string): boolean {
  return holds && test.op === 'in' && test.values.size === 1 && test.values.has(value);
}
