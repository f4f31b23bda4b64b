/**
 * The default-deny policy: how it is bound to one namespace, and how it is recognised.
 *
 * A namespace of another tenant can later have the same name. The isolation of the old namespace must not count for the new one,
 * in whatever order the watches report the deletions of namespace and policy.
 * So the policy carries the uid of its namespace. Only Bulkhead can write it: tenants cannot write managed policies (`managed-policy`).
 */

import { isGiven, isMap, valueAt } from '../kubernetes/json.ts';
import { defaultDenyName, type ManagedObject } from './baseline.ts';
import { managedByLabel, managedByValue } from './managed.ts';

/** On the default-deny policy: metadata.uid of its namespace. */
export const namespaceUidAnnotation = 'bulkhead.dev/namespace-uid';

/** The same object; the default-deny policy tied to the namespace with this uid. */
export function tiedTo(object: ManagedObject, uid: string): ManagedObject {
  if (object.kind !== 'NetworkPolicy' || object.metadata.name !== defaultDenyName) return object;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [namespaceUidAnnotation]: uid } },
  };
}

/**
 * The uid of the namespace that a NetworkPolicy isolates: it selects all pods, in both directions, and allows nothing.
 * Undefined: it does not isolate any, or may be deleted at any moment. That is so while it terminates, and without the label of
 * managed objects, because a tenant may then delete it.
 *
 * @param policy a NetworkPolicy as the API server sends it
 */
export function namespaceIsolatedBy(policy: Readonly<Record<string, unknown>>): string | undefined {
  const { metadata, spec } = policy;
  if (!isMap(metadata) || !isMap(spec)) return undefined;
  if (metadata.name !== defaultDenyName || isGiven(metadata.deletionTimestamp)) return undefined;
  if (valueAt(metadata, 'labels', managedByLabel) !== managedByValue) return undefined;
  const { podSelector, policyTypes, ingress, egress } = spec;
  if (!isMap(podSelector) || !isEmpty(podSelector.matchLabels) || !isEmpty(podSelector.matchExpressions))
    return undefined;
  if (!Array.isArray(policyTypes) || !policyTypes.includes('Ingress') || !policyTypes.includes('Egress'))
    return undefined;
  if (!isEmpty(ingress) || !isEmpty(egress)) return undefined;
  return namespaceUidOf(policy);
}

/** The uid of the namespace that an object is tied to, whatever it does. */
export function namespaceUidOf(object: Readonly<Record<string, unknown>>): string | undefined {
  const uid = valueAt(object, 'metadata', 'annotations', namespaceUidAnnotation);
  return typeof uid === 'string' ? uid : undefined;
}

/** Not given, or a list or map without anything in it. */
function isEmpty(value: unknown): boolean {
  return (
    !isGiven(value) || (Array.isArray(value) && value.length === 0) || (isMap(value) && Object.keys(value).length === 0)
  );
}
