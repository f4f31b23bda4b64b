import { formatProblem, type Loaded } from '../tenancy/problem.ts';

/** What the person who starts it must mend, one line for each problem; to be said without a stack trace. */
export class CannotStart extends Error {}

/** @throws CannotStart when it could not be loaded */
export function orCannotStart<Value>(loaded: Loaded<Value>): Extract<Loaded<Value>, { readonly ok: true }> {
  if (!loaded.ok) throw new CannotStart(loaded.problems.map(formatProblem).join('\n'));
  return loaded;
}
