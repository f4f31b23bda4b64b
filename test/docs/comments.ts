/** Reads the comments of a source of TypeScript or YAML, or of a template of Helm. */
import { readFileSync } from 'node:fs';
import typescript from 'typescript';

interface Comment {
  readonly line: number;
  readonly text: string;
}

/** The comments of a file. Comments on adjacent lines are one, so that a phrase may go on in the next line. */
export function commentsOf(file: string): readonly Comment[] {
  const code = readFileSync(file, 'utf8');
  const ranges = file.endsWith('.ts') ? rangesOfTypeScript(file, code) : rangesOfYaml(code);
  const comments: { line: number; end: number; text: string }[] = [];
  for (const [pos, end] of ranges) {
    const text = code
      .slice(pos, end)
      .replace(/^\s*(\/\*+|\/\/|\*(?!\/)|#)|\*\/$/gm, '')
      .replace(/\s+/g, ' ')
      .trim();
    const last = comments.at(-1);
    if (last !== undefined && /^\n *$/.test(code.slice(last.end, pos)))
      Object.assign(last, { end, text: `${last.text} ${text}` });
    else comments.push({ line: code.slice(0, pos).split('\n').length, end, text });
  }
  return comments;
}

/** Comments lie before, after and between the tokens. */
function rangesOfTypeScript(file: string, code: string): readonly (readonly [pos: number, end: number])[] {
  const source = typescript.createSourceFile(file, code, typescript.ScriptTarget.Latest, true);
  const ends = new Map<number, number>();
  const visit = (node: typescript.Node): void => {
    for (const { pos, end } of typescript.getLeadingCommentRanges(code, node.pos) ?? []) ends.set(pos, end);
    for (const { pos, end } of typescript.getTrailingCommentRanges(code, node.end) ?? []) ends.set(pos, end);
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return [...ends].sort(([a], [b]) => a - b);
}

/** A `#` starts a comment at the beginning of a line or after a space. */
function rangesOfYaml(code: string): readonly (readonly [pos: number, end: number])[] {
  return [...code.matchAll(/(?<=^|\s)#.*|\/\*[\s\S]*?\*\//gm)].map(({ index, 0: text }) => [
    index,
    index + text.length,
  ]);
}
