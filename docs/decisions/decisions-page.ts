/** README.md of this folder: every decision with its date and status. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export function decisionsPage(): string {
  const files = globSync(join(import.meta.dirname, '[0-9]*.md')).sort();
  return `${head}${files.map(row).join('')}`;
}

const head = `# Decisions

<!-- Made by \`npm run pages\` from the pages of this folder. -->

Each page holds one choice that would be costly to reverse: the decision, the reasons, and the rejected alternatives.
A new page has the next free number, and begins with its date and status.

Status is *accepted*, or *superseded* by the decision that it names. A number is never used again.
Number 17 was skipped: the history of this repository has no page with that number.

| number | decision | date | status |
|---|---|---|---|
`;

/** @throws where a page does not begin as it should */
function row(file: string): string {
  const name = basename(file);
  const begins = /^# (\d+)\. (.+)\n\nDate: (\d{4}-\d\d-\d\d)\. Status: (.+)\.\n\n/.exec(readFileSync(file, 'utf8'));
  if (begins === null) throw new Error(`${name} does not begin with its number, title, date and status`);
  const [, number = '', title, date, status] = begins;
  if (number !== String(Number(name.slice(0, 4)))) throw new Error(`${name} has the number ${number}`);
  return `| ${number} | [${title}](${name}) | ${date} | ${status} |\n`;
}
