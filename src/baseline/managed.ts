/** How the objects that Bulkhead puts in place are told from everybody else's. */

/** Every managed object's name begins so; the beginning is reserved, so that nobody can stand in the way of one. */
export const managedPrefix = 'bulkhead-';

/** The recommended label of Kubernetes for "the tool being used to manage the operation of an application". */
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedByValue = 'bulkhead';

/** Whether the name, or the beginning that a generated name will have, is reserved to managed objects. */
export function isManagedName(name: string): boolean {
  return name.startsWith(managedPrefix);
}
