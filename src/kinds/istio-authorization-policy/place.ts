/** Where something stands in a policy of Istio, and its lists. Everything is read as untrusted data. */
import { type FieldPath, field } from '../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, type JsonMap, unknownField } from '../../kubernetes/json.ts';
import type { Found } from '../../reach/dialects/found.ts';
import { type DiagnosticScope, invalid } from '../../reach/model.ts';

/** A policy of Istio is about requests that come in. */
export const scope: DiagnosticScope = { direction: 'ingress', kind: 'identity' };

export interface Place {
  readonly path: FieldPath;
  readonly found: Found;
  /** The policy's own. */
  readonly namespace: string;
}

/** A field, or an item of the list there. */
export function within({ path, found, namespace }: Place, name: string, index?: number): Place {
  const named = field(path, name);
  return { path: index === undefined ? named : field(named, index), found, namespace };
}

interface InOrder {
  readonly order: number;
}

/** What the table says of the fields that are written, in its order. Most objects have few of many fields. */
export function given<Field extends InOrder>(map: JsonMap, table: ReadonlyMap<string, Field>): readonly Field[] {
  const fields: Field[] = [];
  for (const name in map) {
    const one = table.get(name);
    if (one === undefined) continue;
    let at = fields.push(one) - 1;
    // Before the first there is nothing: to ask for index -1 costs 500 instructions.
    for (; at > 0; at--) {
      const before = fields[at - 1];
      if (before === undefined || before.order <= one.order) break;
      fields[at] = before;
    }
    fields[at] = one;
  }
  return fields;
}

const nothing: JsonMap = {};
const noItems: readonly unknown[] = [];
const noTexts: readonly string[] = [];

export function wrong({ path, found }: Place, reason: string, fix: string): undefined {
  found.add(invalid(scope, path, reason, fix));
}

/** Undefined: it is not such a map, which was said. What is missing is an empty one. */
export function mapAt(written: unknown, known: ReadonlySet<string>, what: string, place: Place): JsonMap | undefined {
  if (!isGiven(written)) return nothing;
  const unknown = isMap(written) ? unknownField(written, known) : undefined;
  if (isMap(written) && unknown === undefined) return written;
  const reason =
    unknown === undefined
      ? `${excerpt(written)} is not ${what}`
      : `${excerpt(unknown)} is not a field of ${what} that is understood`;
  return wrong(place, reason, `write ${[...known].slice(0, 6).join(', ')}`);
}

/** Missing and null are an empty list, as they are for Istio. Undefined: it is no list, or too long, which was said. */
export function listAt(list: unknown, name: string, place: Place): readonly unknown[] | undefined {
  if (!isGiven(list)) return noItems;
  if (!Array.isArray(list)) return wrong(within(place, name), `${excerpt(list)} is not a list`, 'write a list');
  return place.found.examines(list.length, place.found.left.items, scope, field(place.path, name)) ? list : undefined;
}

const longestText = 512;

function isText(one: unknown): one is string {
  return typeof one === 'string' && one !== '' && one.length <= longestText;
}

/** Undefined: one of them is no text, which was said. */
export function textsAt(written: unknown, name: string, place: Place): readonly string[] | undefined {
  if (!isGiven(written)) return noTexts;
  const list = listAt(written, name, place);
  if (list === undefined || list.every(isText)) return list;
  const at = list.findIndex((one) => !isText(one));
  return wrong(
    within(place, name, at),
    `${excerpt(list[at])} is not a text of 1 to ${longestText} characters`,
    'write a text, or remove it',
  );
}
