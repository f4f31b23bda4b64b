import { existsSync, globSync } from 'node:fs';
import { basename } from 'node:path';
import t from 'tap';
import { catalogue } from '../../src/checks/catalogue.ts';
import { isExemptable } from '../../src/checks/check.ts';
import { exemptableChecks } from '../../src/exemptions/exemption-schema.ts';
import { settingsSchema } from '../../src/tenancy/schema/settings-schema.ts';
import type { StructuralSchema } from '../../src/tenancy/schema/structural-schema.ts';
import { tenantSchema } from '../../src/tenancy/schema/tenant-schema.ts';

t.test('an id is one check, its file has the name', async (t) => {
  const ids = catalogue.map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length, 'no id is given twice');
  for (const id of ids) {
    t.match(id, /^[a-z]+(-[a-z]+)*$/, `${id} is made of words`);
    t.ok(existsSync(`src/checks/${id}.ts`), `${id} has its file`);
  }
});

t.test('every file that holds a check is listed', async (t) => {
  const ids = new Set(catalogue.map(({ id }) => id));
  for (const file of globSync('src/checks/*.ts')) {
    const exported = Object.values(await import(`../../${file}`));
    for (const value of exported) {
      if (typeof value !== 'object' || value === null || !('headline' in value)) continue;
      t.ok(ids.has(basename(file, '.ts')), `${file} is in the catalogue`);
    }
  }
});

t.test('a headline ends the sentence that a name begins', async (t) => {
  for (const { id, headline } of catalogue) t.match(headline, /^[a-z].*[^.]$/, `${id}: NAME ${headline}`);
});

t.test('a check looks at something', async (t) => {
  for (const { id, namespace, pod, policy, quota, tenant, exemption, gate, neighbour, unread } of catalogue) {
    t.ok(
      namespace ?? pod ?? policy ?? quota ?? tenant ?? exemption ?? gate ?? neighbour ?? unread,
      `${id} looks at a kind`,
    );
  }
});

t.test('the platform can grant whatever a check refuses for a border or a node', async (t) => {
  for (const { id, protects, grants = [] } of catalogue) {
    if (isExemptable(protects))
      t.ok(grants.length > 0 || exemptableChecks.includes(id), `${id} has a grant or an exemption`);
    if (protects === 'intent') t.strictSame(grants, [], `${id} refuses nothing`);
    for (const { field, of } of grants) {
      const schema = of === 'tenant' ? tenantSchema : settingsSchema;
      const found = field
        .split('.')
        .reduce<StructuralSchema | undefined>((one, name) => one?.properties?.[name], schema.properties?.spec);
      t.ok(found, `${id}: ${field} is a field of the ${of}`);
    }
  }
});
