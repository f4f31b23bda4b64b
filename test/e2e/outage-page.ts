/** docs/outage.md, as its test reads it. */
import { readFile } from 'node:fs/promises';

/** The rows of a table below a heading of docs/outage.md: the cells of each. */
export async function tableBelow(heading: string): Promise<readonly (readonly string[])[]> {
  const page = await readFile('docs/outage.md', 'utf8');
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const lines = section.split('\n## ')[0]?.match(/^\|.*\|$/gm) ?? [];
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** The commands of every code block below a heading, in their order. */
export async function commandsBelow(heading: string): Promise<readonly string[]> {
  const page = await readFile('docs/outage.md', 'utf8');
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const blocks = (section.split('\n## ')[0] ?? '').matchAll(/^```sh\n([\s\S]*?)\n```$/gm);
  return [...blocks].flatMap(([, block = '']) => block.split('\n'));
}

/** What the page shows that people read. */
export async function shownText(): Promise<string> {
  const [, said = ''] = /^```text\n([\s\S]*?)\n```$/m.exec(await readFile('docs/outage.md', 'utf8')) ?? [];
  return said;
}
