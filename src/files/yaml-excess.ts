/** What keeps a text from being parsed in linear time, looked at before it is parsed: see parse-yaml.ts. */
import { Lexer } from 'yaml';

/** No configuration nests deeper. */
export const deepest = 64;
/** Columns of indentation: four for each level. */
const widest = 4 * deepest;
/** Anchors, aliases and tags in a file, each: enough for reuse by hand. */
const mostMarks = 100;
export const tooDeep = `nests more than ${deepest} levels deep`;

/**
 * Whether the text can be excessive at all, by its characters: reading tokens costs a fifth of parsing. A line needs two characters for
 * each level that it nests.
 */
function mayBeExcessive(text: string): boolean {
  let [brackets, marks, lineStart] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const one = text[at];
    if (one === '[' || one === '{') brackets++;
    else if (one === '&' || one === '*' || one === '!') marks++;
    else if (one === '\n') lineStart = at + 1;
    if (brackets > deepest || marks > mostMarks || at - lineStart > 2 * deepest) return true;
  }
  return false;
}

/** Where a text leaves what can be parsed in linear time, or undefined. */
export function excessOf(text: string): { readonly line: number; readonly reason: string } | undefined {
  if (!mayBeExcessive(text)) return undefined;
  const marks: Record<string, number> = { '&': 0, '*': 0, '!': 0 };
  let [line, brackets, indicators, indentation] = [1, 0, 0, 0];
  let lineBegins = true;
  for (const token of new Lexer().lex(text)) {
    const [first = ''] = token;
    indentation = lineBegins && token.trim() === '' && !token.includes('\n') ? token.length : 0;
    if (token === '[' || token === '{') brackets += 1;
    else if (token === ']' || token === '}') brackets -= 1;
    else if (brackets === 0 && (token === '-' || token === '?' || token === ':')) indicators += 1;
    else if (token === '---' || token === '...') brackets = 0;
    if (token.length > 1 && Object.hasOwn(marks, first)) marks[first] = (marks[first] ?? 0) + 1;
    // `- - -` and `? ? ?` nest within a line, anything else by indentation or in brackets.
    if (brackets + indicators > deepest || indentation > widest) return { line, reason: tooDeep };
    if (Math.max(...Object.values(marks)) > mostMarks)
      return { line, reason: `has more than ${mostMarks} anchors, aliases or tags` };
    for (let at = token.indexOf('\n'); at !== -1; at = token.indexOf('\n', at + 1)) line += 1;
    lineBegins = token.endsWith('\n');
    if (lineBegins) indicators = 0;
  }
  return undefined;
}
