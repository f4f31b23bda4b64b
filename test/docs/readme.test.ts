/** The README: short, and the same as the page that the tests execute. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { shellBlocks } from '../e2e/project-folder.ts';

t.test('the README has at most 900 words', async (t) => {
  const words = readFileSync('README.md', 'utf8').split(/\s+/).filter(Boolean);
  t.ok(words.length <= 900, `${words.length} words`);
});

t.test('the README installs as the how-to does, which test/e2e/install.test.ts executes', async (t) => {
  const [installation] = await shellBlocks('docs/how-to/install.md');
  t.strictSame(await shellBlocks('README.md'), [installation]);
});
