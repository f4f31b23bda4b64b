/** Changes to the text of an object, which make a template of it. */

export interface Edit {
  /** Whole lines, without the indentation that they share. */
  readonly find: string;
  /** Lines in their place, with that indentation. */
  readonly put: string;
}

/**
 * @param name of the source, for the error
 * @throws where the lines are not found exactly once: the source has changed, and so must the edit
 */
export function edit(name: string, text: string, edits: readonly Edit[]): string {
  return edits.reduce((lines, change) => changed(name, lines, change), text.split('\n')).join('\n');
}

function changed(name: string, lines: readonly string[], { find, put }: Edit): string[] {
  const [first = '', ...rest] = find.split('\n');
  const found = lines.flatMap((line, at) => {
    if (!line.endsWith(first)) return [];
    const indent = line.slice(0, line.length - first.length);
    if (indent.trim() !== '' || rest.some((one, index) => lines[at + 1 + index] !== indented(one, indent))) return [];
    return [{ at, indent }];
  });
  const [place] = found;
  if (place === undefined || found.length > 1)
    throw new Error(`${name} has these lines ${found.length} times, and must have them once:\n${find}`);
  const replacement = put.split('\n').map((line) => indented(line, place.indent));
  return lines.toSpliced(place.at, 1 + rest.length, ...replacement);
}

function indented(line: string, indent: string): string {
  return line === '' ? line : indent + line;
}
