/** What the readers of a policy of projectcalico.org/v3 share. */
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, type JsonMap, unknownField } from '../../../kubernetes/json.ts';
import { type Diagnostic, type DiagnosticScope, diagnostic, invalid } from '../../model.ts';

/** Where a part of a policy stands. */
export interface Place {
  readonly path: FieldPath;
  readonly scope: DiagnosticScope;
}

export function within({ path, scope }: Place, name: string | number): Place {
  return { path: field(path, name), scope };
}

/**
 * A part of a rule has its verdict already, so the rest of the rule is not read. Thrown by what reads the part, so that a reader returns
 * what is written and nothing else; caught where the rule begins. No Error, as nothing failed: the stack traces of 1,000 wrong rules would
 * take 5 ms.
 */
export class Unread {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    this.diagnostic = diagnostic;
  }
}

/** @throws what is not an Unread */
export function diagnosticOf(error: unknown): Diagnostic {
  if (error instanceof Unread) return error.diagnostic;
  throw error;
}

/** What ended the reading of a part; undefined where it was read. */
export function flawIn(read: () => unknown): Diagnostic | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return diagnosticOf(error);
  }
}

export function wrong({ scope, path }: Place, reason: string, fix: string): Diagnostic {
  return invalid(scope, path, reason, fix);
}

/** What is written there is not what the API says. */
export function unread(place: Place, reason: string, fix: string): Unread {
  return new Unread(wrong(place, reason, fix));
}

export function unprovenAt({ scope, path }: Place, reason: string, fix: string): Diagnostic {
  return diagnostic(scope, 'unproven', path, reason, fix);
}

/** The items of a list that may be missing. */
export function listAt(list: unknown, name: string, place: Place): readonly unknown[] {
  if (!isGiven(list)) return [];
  if (Array.isArray(list)) return list;
  throw unread(within(place, name), `${excerpt(list)} is not a list`, 'write a list');
}

/**
 * A map all of whose fields are known.
 *
 * @param name of the field that it is, in what is at the place. Undefined: it is itself at the place
 */
export function mapAt(
  value: unknown,
  known: ReadonlySet<string>,
  what: string,
  place: Place,
  name?: string | number,
): JsonMap {
  const unknown = isMap(value) ? unknownField(value, known) : undefined;
  if (isMap(value) && unknown === undefined) return value;
  const at = name === undefined ? place : within(place, name);
  const fields = [...known].slice(0, 5).join(', ');
  throw new Unread(
    unknown === undefined
      ? wrong(at, `${excerpt(value)} is not ${what}`, `write a map with ${fields}`)
      : wrong(
          at,
          `${excerpt(unknown)} is not a field of ${what} that is understood`,
          `write only fields such as ${fields}`,
        ),
  );
}
