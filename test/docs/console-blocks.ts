/** Console blocks of Markdown pages: commands with what they print. */
import { globSync, readFileSync } from 'node:fs';

export interface Command {
  readonly page: string;
  readonly line: number;
  readonly command: string;
  /** Lines that are printed; `...` stands for any number of lines. */
  readonly expected: readonly string[];
}

const pages = ['*.md', 'docs/**/*.md', 'manifests/**/*.md', 'certs/*.md', 'test/**/*.md'];

/** Every command of every ```console block, in order. A command ends at a line that does not end in a backslash. */
export function consoleCommands(): Command[] {
  return globSync(pages)
    .sort()
    .flatMap((page) => commandsOf(page, readFileSync(page, 'utf8')));
}

function commandsOf(page: string, text: string): Command[] {
  const commands: { page: string; line: number; command: string; expected: string[] }[] = [];
  let inside = false;
  let continued = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('```')) {
      inside = !inside && line === '```console';
      continued = false;
      continue;
    }
    if (!inside) continue;
    const current = commands.at(-1);
    if (continued && current !== undefined) current.command += `\n${line}`;
    else if (line.startsWith('$ ')) commands.push({ page, line: index + 1, command: line.slice(2), expected: [] });
    else current?.expected.push(line);
    continued = (continued || line.startsWith('$ ')) && line.endsWith('\\');
  }
  return commands;
}

/** Whether lines are as expected, `...` standing for any number of them. Blank lines at the ends do not count. */
export function matchesExpected(lines: readonly string[], expected: readonly string[]): boolean {
  const text = lines.join('\n').trim();
  const pattern = expected
    .join('\n')
    .trim()
    .split(/^\.\.\.$/m)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[\\s\\S]*');
  return new RegExp(`^${pattern}$`).test(text);
}
