import { createHash } from 'node:crypto';
import { namespaceUidAnnotation } from '../baseline/default-deny.ts';
import { isRecord } from '../client/decode.ts';
import { canonicalJson } from '../kubernetes/json.ts';
import { entry, type StringMap } from '../kubernetes/objects.ts';
import { parseQuantity } from '../kubernetes/quantity.ts';

/**
 * What of a managed object must be as it is, in 16 characters: two objects with the same state do the same. That is the
 * spec, the tenant label (its key too, which is a setting), the namespace that it is tied to, and what could make it go or
 * stay against our will: owner references (it would be deleted with its owner, ADM-17), finalizers, and a deletion under way.
 * A managed object has none of these. Other labels and annotations are free.
 *
 * Spellings that the API server replaces by others do not count: the order of keys, a list of rules that is empty instead
 * of missing, and how a quantity is written.
 */
export function stateOf(object: Readonly<Record<string, unknown>>, tenantLabel: string): string {
  const metadata = fields(entry(object, 'metadata'));
  const labels = fields(entry(metadata, 'labels'));
  const parts = [
    canonicalSpec(fields(entry(object, 'spec'))),
    [tenantLabel, entry(labels, tenantLabel)],
    entry(fields(entry(metadata, 'annotations')), namespaceUidAnnotation),
    ...(['ownerReferences', 'finalizers', 'deletionTimestamp'] as const).map((name) =>
      unlessEmpty(entry(metadata, name)),
    ),
  ];
  // Cut as bytes: a part of a string keeps the whole string in memory.
  return createHash('sha256').update(canonicalJson(parts)).digest().toString('base64', 0, 12);
}

function canonicalSpec(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const kept = Object.entries(spec).filter(([, value]) => unlessEmpty(value) !== undefined);
  const hard = entry(spec, 'hard');
  if (isRecord(hard)) kept.push(['hard', canonicalQuantities(hard)]);
  return Object.fromEntries(kept);
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

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
