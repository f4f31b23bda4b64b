/** The resource says what the files say: manifests/crds is made from the schema of the files, and the examples fit both. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { tenantDefinition } from '../../manifests/crds/tenant-definition.ts';
import { tenantDefinitionFile, tenantDefinitionYaml } from '../../manifests/crds/tenant-definition-yaml.ts';
import { isMap } from '../../src/kubernetes/json.ts';
import { tenantSchema } from '../../src/tenancy/schema/tenant-schema.ts';

const [version] = tenantDefinition.spec.versions;

t.test('the committed file is what the schema makes', async (t) => {
  t.equal(readFileSync(tenantDefinitionFile, 'utf8'), tenantDefinitionYaml(), 'run manifests/crds/generate.ts');
});

t.test('the schema of the resource is that of the files', async (t) => {
  const { properties: served, ...rest } = withoutRules(version?.schema.openAPIV3Schema);
  const { properties: written, ...root } = tenantSchema;
  t.strictSame(rest, root);
  t.ok(isMap(served));
  const { status, ...fields } = isMap(served) ? served : {};
  const { required, ...metadata } = written?.metadata ?? {};
  t.strictSame(fields, { ...written, metadata }, 'but for the status, and what the API server says of metadata itself');
  t.strictSame(required, ['name']);
  t.ok(isMap(status), 'the status is not written in files');
});

t.test('every place that is shown in a column exists', async (t) => {
  for (const { name, jsonPath } of version?.additionalPrinterColumns ?? []) {
    const [, ...steps] = jsonPath.replace(/\[.*?\]/g, '.[]').split('.');
    let schema: unknown = version?.schema.openAPIV3Schema;
    for (const step of steps[0] === 'metadata' ? [] : steps) {
      const properties = isMap(schema) ? schema.properties : undefined;
      schema = step === '[]' && isMap(schema) ? schema.items : isMap(properties) ? properties[step] : undefined;
    }
    t.ok(isMap(schema), `${name} shows ${jsonPath}`);
  }
});

/** A copy without the rules in CEL, which files have no place for. */
function withoutRules(value: unknown): Readonly<Record<string, unknown>> {
  const copy = JSON.stringify(value, (key, part) => (key === 'x-kubernetes-validations' ? undefined : part));
  return JSON.parse(copy);
}
