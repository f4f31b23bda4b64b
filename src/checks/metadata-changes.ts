/** Which keys of a label or annotation map a request adds, changes or removes. */
import { entry, type KubernetesObject, type StringMap } from '../kubernetes/objects.ts';
import type { NeighbourRequest } from '../kubernetes/review.ts';

export type MapName = 'labels' | 'annotations';

export interface Change {
  readonly map: MapName;
  readonly key: string;
  /** Undefined: the key is added. */
  readonly before: string | undefined;
  /** Undefined: the key is removed. */
  readonly after: string | undefined;
}

/** Changes from the stored object (none on CREATE, where every key is new) to the new one, in the order the keys stand in. */
export function changesOf(map: MapName, object: KubernetesObject, oldObject: KubernetesObject | undefined): Change[] {
  const after = object.metadata?.[map];
  const before = oldObject?.metadata?.[map];
  const changes: Change[] = [];
  for (const key of keysOf(after)) {
    const value = entry(after, key);
    const old = entry(before, key);
    if (value !== old) changes.push({ map, key, before: old, after: value });
  }
  for (const key of keysOf(before)) {
    if (entry(after, key) === undefined) changes.push({ map, key, before: entry(before, key), after: undefined });
  }
  return changes;
}

/** An annotation that a request adds or changes. */
export interface WrittenAnnotation {
  readonly key: string;
  readonly value: string;
}

const notWritten: readonly WrittenAnnotation[] = [];

/**
 * Those under these keys, in the order of the keys. Most objects have few annotations and none of these: to look at each annotation costs
 * less than to look for each key.
 */
export function annotationsWritten(
  keys: ReadonlySet<string>,
  { object, oldObject }: Pick<NeighbourRequest, 'object' | 'oldObject'>,
): readonly WrittenAnnotation[] {
  const annotations = object.metadata?.annotations;
  let isThere = false;
  for (const key in annotations) isThere ||= keys.has(key);
  if (!isThere) return notWritten;
  return [...keys].flatMap((key) => {
    const value = entry(annotations, key);
    return value === undefined || value === entry(oldObject?.metadata?.annotations, key) ? [] : [{ key, value }];
  });
}

/** `metadata.labels[app.kubernetes.io/name]`, the form in which the API server itself names such a field. */
export function fieldOf(change: { readonly map: MapName; readonly key: string }): string {
  return `metadata.${change.map}[${change.key}]`;
}

export function sameList(a: readonly unknown[] | null | undefined, b: readonly unknown[] | null | undefined): boolean {
  return JSON.stringify(a ?? []) === JSON.stringify(b ?? []);
}

/** Whether the new list is the stored one, in any order, less entries that may go. */
export function onlyRemoves(
  after: readonly unknown[] | null | undefined,
  before: readonly unknown[] | null | undefined,
  mayGo: (entry: unknown) => boolean,
): boolean {
  const [left, stored] = [new Set(after), new Set(before)];
  return left.isSubsetOf(stored) && [...stored].every((entry) => left.has(entry) || mayGo(entry));
}

/** Whether an update leaves the metadata that users write as it is, but for finalizers that may go. */
export function onlyTakesFinalizers(
  { object, oldObject }: { readonly object: KubernetesObject; readonly oldObject: KubernetesObject | undefined },
  mayGo: (finalizer: unknown) => boolean,
): boolean {
  const [after, before] = [object.metadata, oldObject?.metadata];
  return (
    changesOf('labels', object, oldObject).length === 0 &&
    changesOf('annotations', object, oldObject).length === 0 &&
    sameList(after?.ownerReferences, before?.ownerReferences) &&
    onlyRemoves(after?.finalizers, before?.finalizers, mayGo)
  );
}

function keysOf(map: StringMap | null | undefined): readonly string[] {
  return map === null || map === undefined ? [] : Object.keys(map);
}
