/** The smallest JSON Patch (RFC 6902) for an intent, written by hand: the object is neither cloned nor compared. */
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { LabelIntent } from '../mutations/tenant-label.ts';

/**
 * One `add`. On an object it creates the member or replaces it, so it applies whether or not the key is there; where there
 * is no map of labels yet (missing and `null` are the same to the API), the whole map is added.
 */
export function labelPatch(object: KubernetesObject, { key, value }: LabelIntent): string {
  const { labels } = object.metadata ?? {};
  const operation =
    labels === undefined || labels === null
      ? { op: 'add', path: '/metadata/labels', value: { [key]: value } }
      : { op: 'add', path: `/metadata/labels/${escapeToken(key)}`, value };
  return JSON.stringify([operation]);
}

/** RFC 6901 section 3: `~` first, so that what it becomes is not escaped again. */
function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
