/** Pages of docs/checks, and that for developers, say what Bulkhead does: their samples are run (samples.ts). */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import t from 'tap';
import { catalogue } from '../../src/checks/catalogue.ts';
import { exemptableChecks } from '../../src/exemptions/exemption-schema.ts';
import { runSamples } from './samples.ts';

const files = globSync('docs/checks/*.md', { exclude: ['docs/checks/README.md'] });
const pages = new Map(files.map((file) => [basename(file, '.md'), readFileSync(file, 'utf8')]));

t.test('every check has a page, and every page a check', async (t) => {
  t.strictSame([...pages.keys()].sort(), catalogue.map(({ id }) => id).sort());
});

for (const [id, page] of pages) {
  t.test(id, async (t) => {
    t.ok(page.startsWith(`# ${id}\n`), 'is headed by its id');
    const { verdicts, refusedBy } = await runSamples(t, page);
    for (const checks of refusedBy) t.strictSame(checks, [id], 'for this alone');
    const finds = catalogue.find((check) => check.id === id)?.protects === 'intent' ? 'warned' : 'refused';
    t.strictSame([...verdicts].sort(), ['admitted', finds], 'shows what is found and what is admitted');
  });
}

t.test('the page for developers', async (t) => {
  const page = readFileSync('docs/developers.md', 'utf8');
  const { verdicts } = await runSamples(t, page, ['sh', 'console']);
  t.strictSame([...verdicts].sort(), ['admitted', 'refused']);
  const [, policies = ''] = /^## Five policies to copy\n([\s\S]*?)^## /m.exec(page) ?? [];
  t.equal(policies.match(/^\*\*\d\. .*\n\n```yaml admitted by /gm)?.length, 5, 'each of five has its sample');
});

t.test('the page of a check says how the platform grants what it refuses', async (t) => {
  for (const { id, grants = [] } of catalogue) {
    const section = /^## Grants\n([\s\S]*?)^## /m.exec(pages.get(id) ?? '')?.[1] ?? '';
    for (const { field } of grants) t.match(section, `\`${field}\``, `${id} names ${field}`);
    const link = '[exemption](../exemptions.md)';
    t.equal(section.includes(link), exemptableChecks.includes(id), `${id} speaks of exemptions where there are any`);
  }
});
