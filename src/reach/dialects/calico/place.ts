/** What the readers of a policy of projectcalico.org/v3 share. */
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, type JsonMap, unknownField } from '../../../kubernetes/json.ts';
import type { Expression } from '../../expression/expression.ts';
import { type Diagnostic, type DiagnosticScope, diagnostic, invalid } from '../../model.ts';
import { longestSelector, type Meaning, ofEndpoints, ofNamespaces, parseSelector } from './parse-selector.ts';

/** Where a part of a policy stands. */
export interface Place {
  readonly path: FieldPath;
  readonly scope: DiagnosticScope;
  /** Of the policy. */
  readonly namespace: string;
  /** For the proof of one selector. */
  readonly steps: number;
}

export const within = (place: Place, name: string | number): Place => ({ ...place, path: field(place.path, name) });

export function wrong({ scope, path }: Place, reason: string, fix: string): Diagnostic {
  return invalid(scope, path, reason, fix);
}

export function unprovenAt({ scope, path }: Place, reason: string, fix: string): Diagnostic {
  return diagnostic(scope, 'unproven', path, reason, fix);
}

/** The items of a list that may be missing. */
export function listAt(map: JsonMap, name: string, place: Place): readonly unknown[] | Diagnostic {
  const list = map[name];
  if (!isGiven(list)) return [];
  if (Array.isArray(list)) return list;
  return wrong(within(place, name), `${excerpt(list)} is not a list`, 'write a list');
}

export function isDiagnostic(value: object): value is Diagnostic {
  return 'verdict' in value;
}

/** A map all of whose fields are known. */
export function mapOf(value: unknown, known: ReadonlySet<string>, what: string, place: Place): JsonMap | Diagnostic {
  const unknown = isMap(value) ? unknownField(value, known) : undefined;
  if (isMap(value) && unknown === undefined) return value;
  const fields = [...known].slice(0, 5).join(', ');
  if (unknown === undefined) return wrong(place, `${excerpt(value)} is not ${what}`, `write a map with ${fields}`);
  return wrong(
    place,
    `${excerpt(unknown)} is not a field of ${what} that is understood`,
    `write only fields such as ${fields}`,
  );
}

/** Undefined: the field is missing or empty, which means the same. */
export function selectorAt(
  map: JsonMap,
  name: string,
  meaning: Meaning,
  place: Place,
): Expression | undefined | Diagnostic {
  const text = map[name];
  if (!isGiven(text) || text === '') return undefined;
  const at = within(place, name);
  if (typeof text !== 'string')
    return wrong(at, `${excerpt(text)} is not a selector`, 'write text such as app == "web"');
  if (text.length > longestSelector)
    return unprovenAt(
      at,
      `has more than ${longestSelector} characters, so it is not examined`,
      'write a shorter selector',
    );
  // Calico's validation looks for this text alone, wherever it is.
  if (text.includes('global(') && (meaning !== ofNamespaces || !/^[ \t]*global\([ \t]*\)[ \t]*$/.test(text)))
    return wrong(at, 'has global(), which is for a namespaceSelector and stands alone there', 'remove global()');
  // Joined with others, it leaves parentheses with nothing in them, which Calico cannot read.
  if (/^[ \t]+$/.test(text) && meaning === ofEndpoints) return wrong(at, 'is blank', 'write all(), or remove it');
  const read = parseSelector(text, meaning);
  if ('expression' in read) return read.expression;
  return wrong(at, `is not a selector of Calico: it ${read.reason}`, 'write text such as app == "web" && has(team)');
}
