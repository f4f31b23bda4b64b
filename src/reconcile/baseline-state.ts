import { createHash } from 'node:crypto';
import { canonicalSpec, unlessEmpty } from '../baseline/canonical-spec.ts';
import { namespaceUidAnnotation } from '../baseline/default-deny.ts';
import { descriptionAnnotation } from '../baseline/managed.ts';
import { fieldsAt } from '../client/decode.ts';
import { canonicalJson, valueAt } from '../kubernetes/json.ts';

/**
 * The part of a managed object that must be as it is, in 16 characters: the spec, the tenant label with its key, the namespace that it
 * is tied to, its description, and what would delete or keep it: owner references (ADM-17), finalizers, and a deletion under way.
 * Spellings that the API server replaces do not count ({@link canonicalSpec}).
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
