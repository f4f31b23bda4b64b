/** The pages that `npm run pages` writes are up to date. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import t from 'tap';
import { generatedPages } from '../../docs/generated-pages.ts';

for (const { file, text } of generatedPages()) {
  t.test(`${relative('.', file)} is what npm run pages writes`, async (t) => {
    t.equal(readFileSync(file, 'utf8'), text);
  });
}
