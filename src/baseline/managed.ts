/** How the objects that Bulkhead puts in place are told from everybody else's. */
import { entry, type KubernetesObject } from '../kubernetes/objects.ts';

/** Every managed object's name begins so; the beginning is reserved, so that nobody can stand in the way of one. */
export const managedPrefix = 'bulkhead-';

/** The recommended label of Kubernetes for "the tool being used to manage the operation of an application". */
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedByValue = 'bulkhead';

/** Whether the name, or the beginning that a generated name will have, is reserved to managed objects. */
export function isManagedName(name: string): boolean {
  return name.startsWith(managedPrefix);
}

/**
 * Whether a stored object is one that Bulkhead put in place. A name alone may be older than Bulkhead, and the label alone may stand
 * for something else; nobody but the platform gives an object both, or takes either away.
 */
export function isManaged({ metadata }: KubernetesObject): boolean {
  return isManagedName(metadata?.name ?? '') && entry(metadata?.labels, managedByLabel) === managedByValue;
}
