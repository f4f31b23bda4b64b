import { createHash } from 'node:crypto';
import { namespaceUidAnnotation } from '../baseline/default-deny.ts';
import { descriptionAnnotation } from '../baseline/managed.ts';
import { fieldsAt, isRecord } from '../client/decode.ts';
import { canonicalJson, valueAt } from '../kubernetes/json.ts';
import { entry, type StringMap } from '../kubernetes/objects.ts';
import { parseQuantity } from '../kubernetes/quantity.ts';

/**
 * The part of a managed object that must be as it is, in 16 characters: the spec, the tenant label with its key, the namespace that it
 * is tied to, its description, and what would delete or keep it: owner references (ADM-17), finalizers, and a deletion under way.
 *
 * Spellings that the API server replaces do not count: the order of keys, an empty list of rules instead of none, and quantities.
 */
export function stateOf(object: Readonly<Record<string, unknown>>, tenantLabel: string): string {
  const parts = [
    canonicalSpec(fieldsAt(object, 'spec')),
    [tenantLabel, valueAt(object, 'metadata', 'labels', tenantLabel)],
    ...[namespaceUidAnnotation, descriptionAnnotation].map((key) => valueAt(object, 'metadata', 'annotations', key)),
    ...['ownerReferences', 'finalizers', 'deletionTimestamp'].map((name) =>
      unlessEmpty(valueAt(object, 'metadata', name)),
    ),
  ];
  // Cut as bytes: a part of a string keeps the whole string in memory.
  return createHash('sha256').update(canonicalJson(parts)).digest().toString('base64', 0, 12);
}

function canonicalSpec(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const kept = Object.entries(spec).filter(([, value]) => unlessEmpty(value) !== undefined);
  const hard = entry(spec, 'hard');
  if (isRecord(hard)) kept.push(['hard', canonicalQuantities(hard)]);
  const limits = entry(spec, 'limits');
  if (Array.isArray(limits)) kept.push(['limits', limits.map(canonicalLimit)]);
  return Object.fromEntries(kept);
}

/** An item of a LimitRange: its type, and maps of quantities. */
function canonicalLimit(limit: unknown): unknown {
  if (!isRecord(limit)) return limit;
  return Object.fromEntries(
    Object.entries(limit).map(([name, value]) => [name, isRecord(value) ? canonicalQuantities(value) : value]),
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

function unlessEmpty(value: unknown): unknown {
  return value === null || (Array.isArray(value) && value.length === 0) ? undefined : value;
}
