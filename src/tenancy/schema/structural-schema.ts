/**
 * The part of JSON Schema that the schemas of this project use. It is what Kubernetes calls structural: every value has one type at
 * every place, there is no `$ref` and no `additionalProperties: false` beside `properties`, so a CustomResourceDefinition can
 * carry the schema as it stands. Source: kubernetes.io, "Extend the Kubernetes API with CustomResourceDefinitions", structural schemas.
 */
export interface StructuralSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  /** What a value is, so that `"Acme" is not TITLE` reads as a sentence. Goes with `pattern` and lengths. */
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** How many items a list, or keys a map, may have. The API server refuses CEL rules over lists without end. */
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly maxProperties?: number;
  /** Written into stored objects by the API server; in files a field that is left out stays so, and means the same. */
  readonly default?: string;
  /** In place of `type`: a whole number or a string. */
  readonly 'x-kubernetes-int-or-string'?: true;
}

/** A schema that also refuses unknown fields. The API server prunes them and warns; in files they would stay unnoticed. */
export interface ClosedSchema extends Omit<StructuralSchema, 'properties' | 'items' | 'additionalProperties'> {
  readonly properties?: Readonly<Record<string, ClosedSchema>>;
  readonly items?: ClosedSchema;
  readonly additionalProperties?: ClosedSchema | false;
}

/** Closes the schema of a whole Kubernetes object. `metadata` stays open: its fields are the API server's. */
export function closedObject(schema: StructuralSchema): ClosedSchema {
  const closed = close(schema);
  const metadata = schema.properties?.metadata;
  return metadata === undefined
    ? closed
    : { ...closed, properties: { ...closed.properties, metadata: openAt(metadata) } };
}

function close({ properties, items, additionalProperties, ...rest }: StructuralSchema): ClosedSchema {
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, close(schema)])),
      additionalProperties: false,
    }),
    ...(additionalProperties && { additionalProperties: close(additionalProperties) }),
    ...(items && { items: close(items) }),
  };
}

function openAt(schema: StructuralSchema): ClosedSchema {
  const { additionalProperties: _, ...open } = close(schema);
  return open;
}
