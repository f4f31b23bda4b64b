import { excerpt } from '../kubernetes/json.ts';

/** What is wrong in a document that a person wrote, and where. */
export interface Problem {
  /** The name of the file, or of the object when it came from the API server. */
  readonly file: string;
  /** From 1; 0 where there are no lines. */
  readonly line: number;
  /** From 1; 0 where there are no lines. */
  readonly column: number;
  /** The field: `spec.network.gates[0].tenant`; empty for the whole document. */
  readonly path: string;
  /** One sentence without a full stop. */
  readonly reason: string;
  /** What to write instead; empty when there is nothing to add. */
  readonly fix: string;
}

/** What a review of a document came to: problems refuse it, warnings do not. */
export interface Problems {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** What loading gave: the value with what deserves a second look, or everything that is wrong. Never a part of the value. */
export type Loaded<Value> =
  | { readonly ok: true; readonly value: Value; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** `file:line:column: path: what; fix` on one line; a severity stands after the place, as compilers write it. */
export function formatProblem(problem: Problem & { readonly severity?: string }): string {
  const { severity = '', path, reason, fix } = problem;
  const parts = [formatPlace(problem), severity, path, fix === '' ? reason : `${reason}; ${fix}`];
  return parts.filter((part) => part !== '').join(': ');
}

export function formatPlace({ file, line, column }: Place): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** A step into a document: a key of a map, or an index of a list. */
export type Step = string | number;

/** Where a value stands. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Finds where the value at `steps` was written; the nearest enclosing one when it was left out.
 * @param part `key` for the name of the field instead of its value
 */
export type Locate = (steps: readonly Step[], part: 'key' | 'value') => Place;

/** A parsed value that remembers where its parts were written. */
export interface Located<Value> {
  readonly value: Value;
  readonly locate: Locate;
}

/** For objects that come from the API server: they have a name and no lines. */
export function unlined(file: string): Locate {
  return () => ({ file, line: 0, column: 0 });
}

export function problemAt(
  locate: Locate,
  steps: readonly Step[],
  reason: string,
  fix: string,
  part: 'key' | 'value' = 'value',
): Problem {
  return { ...locate(steps, part), path: formatSteps(steps), reason, fix };
}

/** Notes that something is wrong in the document at hand. Gives undefined, for parsers to hand on in place of a value. */
export type Report = (steps: readonly Step[], reason: string, fix?: string, part?: 'key' | 'value') => undefined;

/** A report that makes problems of one document and puts them into `problems`. */
export function reportInto(problems: Problem[], locate: Locate): Report {
  return (steps, reason, fix = '', part = 'value') => {
    problems.push(problemAt(locate, steps, reason, fix, part));
    return undefined;
  };
}

/** In the order in which a person reads the files, whatever order they were found in. */
export function inReadingOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (one, other) =>
      (one.file < other.file ? -1 : one.file > other.file ? 1 : 0) ||
      one.line - other.line ||
      one.column - other.column,
  );
}

/** `spec.network.gates[0].tenant`; a key that is no plain word stands in brackets: `spec.hard["requests.cpu"]`. */
export function formatSteps(steps: readonly Step[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === 'number') return `${path}[${step}]`;
    if (!/^[A-Za-z][A-Za-z0-9]*$/.test(step)) return `${path}[${excerpt(step)}]`;
    return path === '' ? step : `${path}.${step}`;
  }, '');
}
