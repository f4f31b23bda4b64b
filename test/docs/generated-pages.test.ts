/** The pages that `npm run pages` writes are up to date, and their examples can be used. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import t, { type Test } from 'tap';
import { pagesWithGrants } from '../../docs/checks/grants-section.ts';
import { generatedPages } from '../../docs/generated-pages.ts';
import { exemptionExampleFile, settingsExampleFile, tenantExampleFile } from '../../docs/schema-pages.ts';
import { parseExemption } from '../../src/exemptions/parse-exemption.ts';
import { parseYaml } from '../../src/files/parse-yaml.ts';
import { parseSettings } from '../../src/tenancy/parse-settings.ts';
import { parseTenant } from '../../src/tenancy/parse-tenant.ts';
import type { Loaded, Located } from '../../src/tenancy/problem.ts';

for (const { file, text } of generatedPages()) {
  t.test(`${relative('.', file)} is what npm run pages writes`, async (t) => {
    t.equal(readFileSync(file, 'utf8'), text);
  });
}

t.test('CONTRIBUTING.md names each', async (t) => {
  const row = /^\| (.*) \| `npm run pages` \|$/m.exec(readFileSync('CONTRIBUTING.md', 'utf8'))?.[1] ?? '';
  const grants = new Set(pagesWithGrants().map(({ file }) => file));
  t.match(row, '*Grants* of `docs/checks/ID.md`');
  for (const { file } of generatedPages())
    if (!grants.has(file)) t.match(row, `\`${relative('.', file)}\``, relative('.', file));
});

/** The one document of a file. */
function documentOf(file: string): Located<unknown> {
  const parsed = parseYaml(readFileSync(file, 'utf8'), file);
  const [document] = parsed.ok ? parsed.value : [];
  if (document === undefined) throw new Error(`${file} has no document`);
  return document;
}

function unproblematic(t: Test, loaded: Loaded<unknown>): void {
  t.strictSame(loaded.ok ? loaded.warnings : loaded.problems, []);
}

t.test('the example of the settings can be used', async (t) => {
  unproblematic(t, parseSettings(documentOf(settingsExampleFile)));
});

t.test('the example of a tenant can be used', async (t) => {
  unproblematic(t, parseTenant(documentOf(tenantExampleFile)));
});

t.test('the example of an exemption can be used', async (t) => {
  unproblematic(t, parseExemption(documentOf(exemptionExampleFile)));
});
