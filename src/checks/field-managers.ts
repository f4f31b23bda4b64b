/**
 * Changes of `metadata.managedFields`, in which the API server records the manager of each field of an object
 * (meta/v1 ManagedFieldsEntry). A foreign manager of a field can block the owner's server-side apply from changing or removing it.
 */
import { isDeepStrictEqual } from 'node:util';
import { isMap } from '../kubernetes/json.ts';
import { entry, type Namespace } from '../kubernetes/objects.ts';
import type { NamespaceRequest } from '../kubernetes/review.ts';
import { sameList } from './metadata-changes.ts';

/**
 * Whether the request changes the managers of a namespace's metadata. Three changes follow from an allowed request and do not count:
 * - A controller that writes the status gets its own entry, of the subresource and without metadata.
 * - The garbage collector that changes an owner reference also changes who manages it. The check namespace-owner-references refuses
 *   such a change to all others.
 * - A requester that removes a finalizer also removes it from the entries of its managers; this adds no entry.
 * The API server ignores the managedFields of a request to a subresource, so such a request cannot write entries of the object itself.
 * Every write may merge the oldest entries.
 */
export function takesFields({ subresource, object, oldObject }: NamespaceRequest): boolean {
  const [after, before] = [object.metadata?.managedFields ?? [], oldObject?.metadata?.managedFields ?? []];
  if (subresource !== '') return addsTo(before, after.filter(isMetadataOfSubresource), partOfMetadata);
  if (isDeepStrictEqual(after, before)) return false;
  if (!sameList(object.metadata?.ownerReferences, oldObject?.metadata?.ownerReferences)) return false;
  const finalizers = (one: Namespace | undefined): number => new Set(one?.metadata?.finalizers).size;
  return finalizers(object) === finalizers(oldObject) || addsTo(before, after, () => undefined);
}

/** Whether one of the entries is new: its manager had none, or one with another `part`. */
function addsTo(before: readonly unknown[], entries: readonly unknown[], part: (of: unknown) => unknown): boolean {
  const identity = (one: unknown): unknown =>
    ['manager', 'operation', 'apiVersion', 'subresource'].map((field) => read(one, field)).concat(part(one));
  return entries.some((one) => !before.some((other) => isDeepStrictEqual(identity(one), identity(other))));
}

function isMetadataOfSubresource(one: unknown): boolean {
  return read(one, 'subresource') !== undefined && partOfMetadata(one) !== undefined;
}

function partOfMetadata(one: unknown): unknown {
  return read(read(one, 'fieldsV1'), 'f:metadata');
}

function read(value: unknown, field: string): unknown {
  return isMap(value) ? entry(value, field) : undefined;
}
