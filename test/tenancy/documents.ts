/** YAML in tests, and what was said about it as a person would read it. */
import { parseYaml } from '../../src/files/parse-yaml.ts';
import { formatProblem, type Loaded, type Located } from '../../src/tenancy/problem.ts';

export function documents(text: string, file = 't.yaml'): readonly Located<unknown>[] {
  const parsed = parseYaml(text, file);
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.value;
}

export function documentIn(text: string, file = 't.yaml'): Located<unknown> {
  const [first] = documents(text, file);
  if (first === undefined) throw new Error('there is no document');
  return first;
}

export function problemLines(loaded: Loaded<unknown>): readonly string[] {
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

export function warningLines(loaded: Loaded<unknown>): readonly string[] {
  return loaded.ok ? loaded.warnings.map(formatProblem) : [];
}
