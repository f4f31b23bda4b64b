/**
 * The default-deny policy: how it is tied to the very namespace that it isolates, and how it is recognised.
 *
 * A name can be given anew, to a namespace of another tenant. What is known of the old one must not count for the new one,
 * however the two reports of its end (of the namespace, of the policy) overtake each other. So the policy carries the uid of
 * its namespace; nobody else can write it, because tenants cannot write managed policies (check managed-policy).
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
 * The uid of the namespace that a NetworkPolicy isolates: all of its pods, in both directions, and nothing is allowed.
 * Undefined: it does not isolate any, or may go at any moment: it is on its way out (it may hang on a finalizer), or lacks the label of
 * what is managed, so that a tenant may delete it.
 *
 * @param policy a NetworkPolicy as it is on the wire
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
