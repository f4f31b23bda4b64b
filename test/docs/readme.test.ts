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

t.test('the README says how to bring Bulkhead to a cluster in use before it says how to install it', async (t) => {
  const headings: readonly string[] = readFileSync('README.md', 'utf8').match(/^## .*$/gm) ?? [];
  const order = ['## Bring it to a cluster in use', '## Install it in a cluster'].map((heading) =>
    headings.indexOf(heading),
  );
  const [adopt = -1, install = -1] = order;
  t.ok(adopt >= 0, 'both are there');
  t.ok(adopt < install, headings.join(', '));
});

t.test('the page of exemptions says that authors of pods choose images and service accounts', async (t) => {
  const page = readFileSync('docs/exemptions.md', 'utf8');
  const [, section = ''] = page.split('\n## What each field proves\n');
  const [text = ''] = section.split('\n## ');
  t.match(text, '| `names`, `serviceAccounts`, `images` | Nothing: the author of a pod writes them. |');
  t.match(text, 'Users who write pods in the namespace choose their images and service accounts.');
  t.match(text, 'An image name proves nothing about its content.');
});
