/** The spec of an object of a baseline, in a form that compares: as it is written and as the API server stores it. */
import { isMap } from '../kubernetes/json.ts';
import { entry, type StringMap } from '../kubernetes/objects.ts';
import { parseQuantity } from '../kubernetes/quantity.ts';

/** Without spellings that the API server replaces: the order of keys, an empty list of rules instead of none, and quantities. */
export function canonicalSpec(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const kept = Object.entries(spec).filter(([, value]) => unlessEmpty(value) !== undefined);
  const hard = entry(spec, 'hard');
  if (isMap(hard)) kept.push(['hard', canonicalQuantities(hard)]);
  const limits = entry(spec, 'limits');
  if (Array.isArray(limits)) kept.push(['limits', limits.map(canonicalLimit)]);
  return Object.fromEntries(kept);
}

/** An item of a LimitRange: its type, and maps of quantities. */
function canonicalLimit(limit: unknown): unknown {
  if (!isMap(limit)) return limit;
  return Object.fromEntries(
    Object.entries(limit).map(([name, value]) => [name, isMap(value) ? canonicalQuantities(value) : value]),
  );
}

function canonicalQuantities(hard: Readonly<Record<string, unknown>>): StringMap {
  return Object.fromEntries(
    Object.entries(hard).map(([resource, amount]) => {
      const text = String(amount);
      return [resource, String(parseQuantity(text) ?? text)];
    }),
  );
}

/** Undefined for null and for an empty list. */
export function unlessEmpty(value: unknown): unknown {
  return value === null || (Array.isArray(value) && value.length === 0) ? undefined : value;
}
