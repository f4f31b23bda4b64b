/** The smallest JSON Patch (RFC 6902) for what an object is to get, written by hand: it is neither cloned nor compared. */
import type { FieldPath } from '../kubernetes/field-path.ts';
import { isGiven } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { LabelIntent } from '../mutations/label-intent.ts';

/** One `add` for each intent, undefined when there is none. No two intents may be for one map. */
export function patchText(object: KubernetesObject, intents: readonly LabelIntent[]): string | undefined {
  return intents.length === 0 ? undefined : JSON.stringify(intents.map((intent) => addition(object, intent)));
}

/**
 * On an object `add` creates the member or replaces it, so it applies whether or not the key is there; where there is no map
 * of labels yet (missing and `null` are the same to the API), the whole map is added.
 */
function addition(object: KubernetesObject, { labels, key, value }: LabelIntent) {
  const path = pointer(labels);
  return isGiven(valueAt(object, labels))
    ? { op: 'add', path: `${path}/${escapeToken(key)}`, value }
    : { op: 'add', path, value: { [key]: value } };
}

/** The same on an object that is decoded already and that only we hold: what validate would see after the patch. */
export function applyIntents(object: KubernetesObject, intents: readonly LabelIntent[]): void {
  for (const { labels, key, value } of intents) {
    const holder: unknown = labels.parent === undefined ? object : valueAt(object, labels.parent);
    const map = valueAt(object, labels);
    if (typeof holder !== 'object' || holder === null) continue;
    const kept = typeof map === 'object' && map !== null ? map : {};
    Reflect.set(holder, labels.step, { ...kept, [key]: value });
  }
}

/** The steps are fields of the API and places in lists, never keys that a user chose. */
function valueAt(object: object, { parent, step }: FieldPath): unknown {
  const holder: unknown = parent === undefined ? object : valueAt(object, parent);
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, step) : undefined;
}

/** RFC 6901: `/spec/ingress/0/from/1/namespaceSelector/matchLabels` */
function pointer({ parent, step }: FieldPath): string {
  return `${parent === undefined ? '' : pointer(parent)}/${escapeToken(String(step))}`;
}

/** RFC 6901 section 3: `~` first, so that what it becomes is not escaped again. */
function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
