/** Lines of README and docs fit a screen. */
import { globSync, readFileSync } from 'node:fs';
import t from 'tap';

const longest = 160;

/** architecture.md is the one page that is not held to it yet. */
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/**/*.md')].filter(
  (page) => page !== 'docs/architecture.md',
);

t.ok(pages.length > 50, 'the pages were found');

for (const page of pages.sort()) {
  t.test(`${page} has no line over ${longest} characters, tables, code and link targets excepted`, async (t) => {
    const prose = readFileSync(page, 'utf8')
      .replace(/^```[\s\S]*?^```$/gm, (block) => block.replace(/.+/g, ''))
      .replace(/\]\([^()\s]*\)/g, ']');
    for (const [index, line] of prose.split('\n').entries())
      if (!line.startsWith('|')) t.ok(line.length <= longest, `line ${index + 1} has ${line.length} characters`);
  });
}
