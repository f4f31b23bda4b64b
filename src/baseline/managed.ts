/** How Bulkhead recognises its own objects. */
import { entry, type KubernetesObject } from '../kubernetes/objects.ts';

/** Every managed object's name begins so. The prefix is reserved, so that no other object can have such a name. */
export const managedPrefix = 'bulkhead-';

/** The recommended label of Kubernetes for "the tool being used to manage the operation of an application". */
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedByValue = 'bulkhead';

/** The annotation of Kubernetes for what an object is for, in words. On every managed object, for those who find it in their namespace. */
export const descriptionAnnotation = 'kubernetes.io/description';

/** Whether the name, or the beginning that a generated name will have, is reserved to managed objects. */
export function isManagedName(name: string): boolean {
  return name.startsWith(managedPrefix);
}

/**
 * Whether Bulkhead put a stored object in place. The name alone may be older than Bulkhead, and the label alone may mean something else;
 * only the platform gives an object both, or takes either away.
 */
export function isManaged({ metadata }: KubernetesObject): boolean {
  return isManagedName(metadata?.name ?? '') && entry(metadata?.labels, managedByLabel) === managedByValue;
}
