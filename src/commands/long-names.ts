/** Names and labels of files that no API server takes, and that would fill reports: each is printed many times. */
import { printable } from '../admission/message.ts';
import type { WrittenObject } from '../files/written-objects.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { formatProblem } from '../tenancy/problem.ts';

/** Names have at most 253 characters, and keys of labels that and 64 more. */
const longest = 320;

/** @returns the problem as a line; undefined: there is none */
export function tooLongIn({ object, file, kind, placeOf }: WrittenObject): string | undefined {
  const metadata = valueAt(object, 'metadata');
  const labels = valueAt(metadata, 'labels');
  const texts: readonly unknown[] = [
    ...[valueAt(metadata, 'name'), valueAt(metadata, 'namespace')],
    ...(isMap(labels) ? Object.entries(labels).flat() : []),
  ];
  const found = texts.find((text): text is string => typeof text === 'string' && text.length > longest);
  if (found === undefined) return undefined;
  const { line, column } = placeOf('metadata');
  const reason = `the ${kind} has a name or label of ${found.length} characters, which no API server takes`;
  return printable(formatProblem({ file, line, column, path: 'metadata', reason, fix: 'shorten it' }));
}
