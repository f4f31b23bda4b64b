/** The smallest JSON Patch (RFC 6902) for what an object is to get, written by hand: it is neither cloned nor compared. */
import { type FieldPath, valueAtPath } from '../kubernetes/field-path.ts';
import { isGiven } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { Intent } from '../mutations/label-intent.ts';

/** One operation for each intent, undefined when there is none. No two intents may be for one map or field. */
export function patchText(object: KubernetesObject, intents: readonly Intent[]): string | undefined {
  return intents.length === 0 ? undefined : JSON.stringify(intents.map((intent) => operation(object, intent)));
}

/**
 * A text that is there is replaced. On an object `add` creates the member or replaces it, so it applies whether or not the key is there.
 * Where there is no map of labels yet (missing and `null` are the same to the API), the whole map is added.
 */
function operation(object: KubernetesObject, intent: Intent) {
  if ('text' in intent) return { op: 'replace', path: pointer(intent.text), value: intent.becomes };
  const { labels, key, value } = intent;
  const path = pointer(labels);
  return isGiven(valueAtPath(object, labels))
    ? { op: 'add', path: `${path}/${escapeToken(key)}`, value }
    : { op: 'add', path, value: { [key]: value } };
}

/** The same on an object that is decoded already and that only we hold: what validate would see after the patch. */
export function applyIntents(object: KubernetesObject, intents: readonly Intent[]): void {
  for (const intent of intents) {
    const { parent, step } = 'text' in intent ? intent.text : intent.labels;
    const holder: unknown = parent === undefined ? object : valueAtPath(object, parent);
    if (typeof holder !== 'object' || holder === null) continue;
    if ('text' in intent) {
      Reflect.set(holder, step, intent.becomes);
      continue;
    }
    const { labels, key, value } = intent;
    const map = valueAtPath(object, labels);
    const kept = typeof map === 'object' && map !== null ? map : {};
    Reflect.set(holder, step, { ...kept, [key]: value });
  }
}

/** RFC 6901: `/spec/ingress/0/from/1/namespaceSelector/matchLabels` */
function pointer({ parent, step }: FieldPath): string {
  return `${parent === undefined ? '' : pointer(parent)}/${escapeToken(String(step))}`;
}

/** RFC 6901 section 3: `~` first, so that what it becomes is not escaped again. */
function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}
