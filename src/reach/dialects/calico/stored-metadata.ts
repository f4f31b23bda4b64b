/**
 * The metadata that Calico keeps as JSON in an annotation. Calico reads it with a library of Go, which takes `LABELS` for `labels` and
 * joins the maps of two `labels`. A text that could be read so is not taken, so that one reading is left.
 */
import { isMap, type JsonMap } from '../../../kubernetes/json.ts';

/** Where crd.projectcalico.org keeps the metadata of the object that Calico shows; its labels take the place of the others. */
export const metadataAnnotation = 'projectcalico.org/metadata';

/** Undefined: it is not JSON, or not read alike everywhere. Linear in its length. */
export function storedMetadata(text: unknown): JsonMap | undefined {
  if (typeof text !== 'string') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isMap(value) || Object.keys(value).some((key) => key !== 'labels' && key.toUpperCase() === 'LABELS'))
    return undefined;
  return members(value) === colonsOutsideText(text) ? value : undefined;
}

/** Of all maps in the value. A key that is written twice counts once. */
function members(value: JsonMap): number {
  let count = 0;
  const left: unknown[] = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one !== 'object' || one === null) continue;
    const inside: readonly unknown[] = Object.values(one);
    if (!Array.isArray(one)) count += inside.length;
    for (const part of inside) left.push(part);
  }
  return count;
}

/** In JSON, each member has one. */
function colonsOutsideText(text: string): number {
  let count = 0;
  let isText = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') isText = !isText;
    else if (character === '\\') at++;
    else if (character === ':' && !isText) count++;
  }
  return count;
}
