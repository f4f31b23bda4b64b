/** The resource says what the files say: manifests/crds is made from the schema of the files, and the examples fit both. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { definitionFiles } from '../../manifests/crds/definition-files.ts';
import { exemptionDefinition } from '../../manifests/crds/exemption-definition.ts';
import { gateRequestDefinition } from '../../manifests/crds/gate-request-definition.ts';
import { tenantDefinition } from '../../manifests/crds/tenant-definition.ts';
import { exemptionSchema } from '../../src/exemptions/exemption-schema.ts';
import { gateRequestSchema } from '../../src/gates/gate-request-schema.ts';
import { isMap } from '../../src/kubernetes/json.ts';
import { tenantSchema } from '../../src/tenancy/schema/tenant-schema.ts';

const definitions = [
  { definition: tenantDefinition, schema: tenantSchema },
  { definition: exemptionDefinition, schema: exemptionSchema },
  { definition: gateRequestDefinition, schema: gateRequestSchema },
];

t.test('the committed files are what the schemas make', async (t) => {
  for (const { file, text } of definitionFiles())
    t.equal(readFileSync(file, 'utf8'), text, 'run manifests/crds/generate.ts');
});

for (const { definition, schema: written } of definitions) {
  const [version] = definition.spec.versions;
  const { kind } = definition.spec.names;

  t.test(`the schema of the resource ${kind} is that of the files`, async (t) => {
    const { properties: served, ...rest } = withoutRules(version?.schema.openAPIV3Schema);
    const { properties, ...root } = written;
    t.strictSame(rest, root);
    t.ok(isMap(served));
    const { status, ...fields } = isMap(served) ? served : {};
    const { required, ...metadata } = properties?.metadata ?? {};
    t.strictSame(
      fields,
      { ...properties, metadata },
      'but for the status, and what the API server says of metadata itself',
    );
    t.strictSame(required, ['name']);
    t.ok(isMap(status), 'the status is not written in files');
  });

  t.test(`every place of ${kind} that is shown in a column exists`, async (t) => {
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
}

/** A copy without the rules in CEL, which files have no place for. */
function withoutRules(value: unknown): Readonly<Record<string, unknown>> {
  const copy = JSON.stringify(value, (key, part) => (key === 'x-kubernetes-validations' ? undefined : part));
  return JSON.parse(copy);
}
