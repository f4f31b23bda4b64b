import { Ajv } from 'ajv';
import t from 'tap';
import { exemptionSchema } from '../../src/exemptions/exemption-schema.ts';
import { gateRequestSchema } from '../../src/gates/gate-request-schema.ts';
import { settingsSchema } from '../../src/tenancy/schema/settings-schema.ts';
import { type ClosedSchema, closedObject, type StructuralSchema } from '../../src/tenancy/schema/structural-schema.ts';
import { tenantSchema } from '../../src/tenancy/schema/tenant-schema.ts';

/** Every place of a schema with its path, itself first. */
function places<Schema extends ClosedSchema>(
  schema: Schema,
  path: string,
): readonly { path: string; schema: ClosedSchema }[] {
  const { properties = {}, items, additionalProperties } = schema;
  return [
    { path, schema },
    ...Object.entries(properties).flatMap(([name, field]) => places(field, `${path}.${name}`)),
    ...(items ? places(items, `${path}[]`) : []),
    ...(additionalProperties ? places(additionalProperties, `${path}.*`) : []),
  ];
}

const schemas: readonly (readonly [kind: string, schema: StructuralSchema])[] = [
  ['Tenant', tenantSchema],
  ['Settings', settingsSchema],
  ['Exemption', exemptionSchema],
  ['GateRequest', gateRequestSchema],
];
for (const [kind, schema] of schemas) {
  t.test(`the schema of ${kind} is structural, as a CustomResourceDefinition needs it`, async (t) => {
    for (const place of places(schema, kind)) {
      const { type, properties, items, additionalProperties } = place.schema;
      t.ok(type !== undefined || place.schema['x-kubernetes-int-or-string'] === true, `${place.path} has one type`);
      t.notOk(
        properties !== undefined && additionalProperties !== undefined,
        `${place.path} has fields or keys, not both`,
      );
      t.equal(type === 'array', items !== undefined, `${place.path} says what it lists`);
    }
  });

  t.test(`the schema of ${kind} is one by the schema of schemas, which a replica does not load`, async (t) => {
    const ajv = new Ajv({ strict: true });
    ajv.addKeyword({ keyword: 'x-kubernetes-int-or-string', schemaType: 'boolean' });
    t.ok(ajv.validateSchema(closedObject(schema)), ajv.errorsText());
    t.notOk(ajv.validateSchema({ ...closedObject(schema), properties: 7 }), 'which finds mistakes');
  });

  t.test(`every field of ${kind} says what it means`, async (t) => {
    const { spec } = schema.properties ?? {};
    for (const { path, schema } of places(spec ?? {}, 'spec').slice(1)) {
      if (/(\[\]|\.\*|\.cidr)$/.test(path)) continue;
      t.match(schema.description, /^\S.*\.$/, `${path} has a description that ends in a full stop`);
    }
  });

  t.test(`a file of kind ${kind} may hold no other fields, except in metadata`, async (t) => {
    for (const { path, schema: closed } of places(closedObject(schema), kind)) {
      if (closed.properties === undefined) continue;
      t.equal(
        closed.additionalProperties,
        path.endsWith('.metadata') ? undefined : false,
        `${path} is ${path.endsWith('.metadata') ? 'open' : 'closed'}`,
      );
    }
  });
}
