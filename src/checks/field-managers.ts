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

/** What the API server calls the manager of the oldest entries, which it merges. */
const merged = 'ancient-changes';

/**
 * The same for a requester that may write some fields: whether any other field gets or loses a manager. Fields of the status are the
 * business of its subresource.
 *
 * @param isGranted whether it may write a field, by its path: `f:metadata/f:labels/f:KEY`
 */
export function takesOtherFields(
  { object, oldObject }: NamespaceRequest,
  isGranted: (path: string) => boolean,
): boolean {
  const [after, before] = [managersOf(object), managersOf(oldObject)];
  return [...new Set([...after.keys(), ...before.keys()])].some((path) => {
    const [now, then] = [after.get(path) ?? new Set(), before.get(path) ?? new Set()];
    const same =
      now.has(merged) && then.size > 0 ? now.isSubsetOf(then.union(new Set([merged]))) : isDeepStrictEqual(now, then);
    return !same && !isGranted(path);
  });
}

/** By the path of a field: who manages it. */
function managersOf(one: Namespace | undefined): ReadonlyMap<string, ReadonlySet<unknown>> {
  const managers = new Map<string, Set<unknown>>();
  for (const managed of one?.metadata?.managedFields ?? []) {
    const manager = read(managed, 'manager');
    const name =
      manager === merged
        ? merged
        : JSON.stringify([manager, ...['operation', 'apiVersion', 'subresource'].map((field) => read(managed, field))]);
    for (const path of leaves(read(managed, 'fieldsV1'))) {
      if (path.startsWith('f:status')) continue;
      managers.set(path, (managers.get(path) ?? new Set()).add(name));
    }
  }
  return managers;
}

function leaves(fields: unknown, place = ''): string[] {
  const inside = isMap(fields) ? Object.entries(fields) : [];
  if (inside.length === 0) return place === '' ? [] : [place];
  return inside.flatMap(([step, rest]) => leaves(rest, place === '' ? step : `${place}/${step}`));
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
