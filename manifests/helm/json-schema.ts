/** The schemas of settings, tenants and exemptions as JSON Schema, which Helm checks values by. */
import { type ClosedSchema, closedObject, type StructuralSchema } from '../../src/tenancy/schema/structural-schema.ts';

/** The part of JSON Schema that the chart uses. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
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
