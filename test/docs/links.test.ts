/** Every relative link of a Markdown page leads to a file, and to a heading where it names one. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import t from 'tap';

const pages = ['*.md', 'docs/**/*.md', 'manifests/**/*.md', 'certs/*.md', 'test/**/*.md', '.github/**/*.md'].flatMap(
  (pattern) => globSync(pattern, { exclude: ['**/node_modules/**'] }),
);

/** Code may look like a link and is none. */
function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
}

/** The anchors of the headings of a page, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [
    ...readFileSync(page, 'utf8')
      .replace(/^```[\s\S]*?^```$/gm, '')
      .matchAll(/^#+ (.+)$/gm),
  ].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

t.ok(pages.length > 50, 'the pages were found');

for (const page of pages.sort()) {
  t.test(page, async (t) => {
    for (const [, target = ''] of withoutCode(readFileSync(page, 'utf8')).matchAll(/\]\(([^()\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      t.notOk(relative('.', file).startsWith('..'), `${target} stays in the project`);
      t.ok(existsSync(file), `${target} exists`);
      if (anchor !== undefined) t.ok(anchorsOf(file).includes(anchor), `${target} has its heading`);
    }
  });
}
