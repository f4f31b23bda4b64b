import { formatProblem, type Loaded } from '../tenancy/problem.ts';

/** What the person who starts it must mend, one line for each problem; to be said without a stack trace. */
export class CannotStart extends Error {
  /** Of the process: 2 where 1 is an answer. */
  readonly code: 1 | 2;

  constructor(message: string, code: 1 | 2 = 1) {
    super(message);
    this.code = code;
  }
}

/** @throws CannotStart when it could not be loaded */
export function orCannotStart<Value>(
  loaded: Loaded<Value>,
  code: 1 | 2 = 1,
): Extract<Loaded<Value>, { readonly ok: true }> {
  if (!loaded.ok) throw new CannotStart(loaded.problems.map(formatProblem).join('\n'), code);
  return loaded;
}
