import { canonicalJson } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';

type MetadataField = 'labels' | 'annotations' | 'ownerReferences';

/**
 * Whether an update keeps every field beside the metadata, adds no finalizer, and keeps these parts of the metadata. A finalizer that is
 * added can keep an object beyond its owner.
 */
export function keeps(object: KubernetesObject, stored: KubernetesObject, fields: readonly MetadataField[]): boolean {
  const [after, before] = [object.metadata, stored.metadata];
  const finalizers = new Set(before?.finalizers);
  return (
    same(contentOf(object), contentOf(stored)) &&
    (after?.finalizers ?? []).every((one) => finalizers.has(one)) &&
    fields.every((field) => same(after?.[field] ?? {}, before?.[field] ?? {}))
  );
}

function contentOf(object: object): unknown {
  return Object.fromEntries(Object.entries(object).filter(([field]) => field !== 'metadata'));
}

function same(one: unknown, other: unknown): boolean {
  return canonicalJson(one) === canonicalJson(other);
}
