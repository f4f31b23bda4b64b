import type { ClosedSchema } from './structural-schema.ts';

/**
 * Whether a text has the form and the length that a schema of this folder asks for. Only this function makes a regular expression
 * from text. Patterns are written in the source and cannot be configured, and test/expressions.test.ts proves each of them linear.
 */
export function fitsPattern(
  text: string,
  { pattern, maxLength = Number.POSITIVE_INFINITY }: Pick<ClosedSchema, 'pattern' | 'maxLength'>,
): boolean {
  return pattern !== undefined && text.length <= maxLength && new RegExp(pattern, 'u').test(text);
}
