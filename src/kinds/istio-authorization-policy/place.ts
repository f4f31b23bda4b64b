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

export function within(place: Place, ...steps: readonly (string | number)[]): Place {
  return { ...place, path: steps.reduce<FieldPath>((path, step) => field(path, step), place.path) };
}

export function wrong({ path, found }: Place, reason: string, fix: string): undefined {
  found.add(invalid(scope, path, reason, fix));
}

/** Undefined: it is not such a map, which was said. What is missing is an empty one. */
export function mapAt(written: unknown, known: ReadonlySet<string>, what: string, place: Place): JsonMap | undefined {
  if (!isGiven(written)) return {};
  const fix = `write ${[...known].slice(0, 6).join(', ')}`;
  if (!isMap(written)) return wrong(place, `${excerpt(written)} is not ${what}`, fix);
  const unknown = unknownField(written, known);
  return unknown === undefined
    ? written
    : wrong(place, `${excerpt(unknown)} is not a field of ${what} that is understood`, fix);
}

/** Missing and null are an empty list, as they are for Istio. Undefined: it is no list, or too long, which was said. */
export function listAt(map: JsonMap, name: string, place: Place): readonly unknown[] | undefined {
  const list = map[name];
  if (!isGiven(list)) return [];
  const at = within(place, name);
  if (!Array.isArray(list)) return wrong(at, `${excerpt(list)} is not a list`, 'write a list');
  return place.found.examines(list.length, 'items', scope, at.path) ? list : undefined;
}

const longestText = 512;

/** Undefined: one of them is no text, which was said. */
export function textsAt(map: JsonMap, name: string, place: Place): readonly string[] | undefined {
  const list = listAt(map, name, place);
  if (list === undefined) return undefined;
  const at = list.findIndex((one) => typeof one !== 'string' || one === '' || one.length > longestText);
  if (at < 0) return list.map(String);
  return wrong(
    within(place, name, at),
    `${excerpt(list[at])} is not a text of 1 to ${longestText} characters`,
    'write a text, or remove it',
  );
}
