/**
 * What a request does to `metadata.managedFields`, by which the API server knows who manages which field of an object
 * (meta/v1 ManagedFieldsEntry). Who manages a field can keep its owner from changing or removing it by server-side apply.
 */
import { isDeepStrictEqual } from 'node:util';
import { isMap } from '../kubernetes/json.ts';
import { entry, type Namespace } from '../kubernetes/objects.ts';
import type { NamespaceRequest } from '../kubernetes/review.ts';

/**
 * Whether the request changes who manages the metadata of a namespace, beyond what follows from a change that is allowed anyway:
 * - A controller that writes the status gets an entry of its own, of the subresource, in which there is no metadata.
 * - Who takes a finalizer off takes it from the entries of those who had put it on; no entry appears by that.
 * Through a subresource the API server ignores the managedFields of the request, so entries of the object itself cannot be written
 * there; those of the oldest updates may be merged, as by every write.
 */
export function takesFields({ subresource, object, oldObject }: NamespaceRequest): boolean {
  const [after, before] = [object.metadata?.managedFields ?? [], oldObject?.metadata?.managedFields ?? []];
  if (subresource !== '') return addsTo(before, after.filter(isMetadataOfSubresource), partOfMetadata);
  if (isDeepStrictEqual(after, before)) return false;
  const finalizers = (one: Namespace | undefined): number => new Set(one?.metadata?.finalizers).size;
  return finalizers(object) === finalizers(oldObject) || addsTo(before, after, () => undefined);
}

/** Whether one of the entries is of a manager who had none, or differs from that manager's in the part that counts. */
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
