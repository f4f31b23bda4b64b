/** The schemas of settings, tenants and exemptions as JSON Schema, which Helm checks values by. */
import { type ClosedSchema, closedObject, type StructuralSchema } from '../../src/tenancy/schema/structural-schema.ts';

/** What the chart uses of JSON Schema: the constraints of the schemas of documents, and a few more. */
export interface JsonSchema
  extends Omit<
    ClosedSchema,
    'type' | 'title' | 'default' | 'properties' | 'items' | 'additionalProperties' | 'x-kubernetes-int-or-string'
  > {
  readonly $schema?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
}

/** Of the `spec` of a document: an unknown field in it is an error. */
export function specOf(schema: StructuralSchema): JsonSchema {
  const spec = closedObject(schema).properties?.spec;
  if (spec === undefined) throw new Error('a schema of documents has no spec');
  return jsonSchema(spec);
}

function jsonSchema({
  properties,
  items,
  additionalProperties,
  title: _title,
  default: _default,
  'x-kubernetes-int-or-string': isEither,
  ...rest
}: ClosedSchema): JsonSchema {
  return {
    ...rest,
    ...(isEither && { type: ['integer', 'string'] }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, jsonSchema(schema)])),
    }),
    ...(items && { items: jsonSchema(items) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: additionalProperties === false ? false : jsonSchema(additionalProperties),
    }),
  };
}
