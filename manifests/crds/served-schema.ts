/** What the definitions of all kinds share. Source: apiextensions.k8s.io/v1 CustomResourceDefinition. */
import type { StructuralSchema } from '../../src/tenancy/schema/structural-schema.ts';
import type { Rules, ValidationRule } from './tenant-rules.ts';

type Schema = Omit<StructuralSchema, 'properties' | 'items' | 'additionalProperties'> & {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
};

/** The list of conditions of a status: Ready, and others that the kind has. */
export function conditionsSchema(description: string, reasons: string, types = 'Ready') {
  return {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
    description,
    items: {
      type: 'object',
      required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
      properties: {
        type: { type: 'string', description: `${types}.` },
        status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'True, False or Unknown.' },
        observedGeneration: { type: 'integer', format: 'int64', description: 'The generation it is about.' },
        lastTransitionTime: { type: 'string', format: 'date-time', description: 'When the status last changed.' },
        reason: { type: 'string', description: reasons },
        message: { type: 'string', description: 'What is wrong, and what holds meanwhile.' },
      },
    },
  } as const;
}

/** The schema of files as the API server serves it: with rules in CEL, and the status. */
export function servedSchema(written: StructuralSchema, rules: Rules, status: object) {
  const unused = new Set(Object.keys(rules));
  const { properties, ...schema } = withRules(written, rules, '', unused);
  if (unused.size > 0) throw new Error(`there are rules for places that the schema does not have: ${[...unused]}`);
  // The metadata is the API server's, which lets a schema narrow the name and nothing else.
  const { required: _, ...metadata } = properties?.metadata ?? {};
  return { ...schema, properties: { ...properties, metadata, status } };
}

function withRules(
  { properties, items, additionalProperties, ...rest }: StructuralSchema,
  all: Rules,
  place: string,
  unused: Set<string>,
): Schema {
  unused.delete(place);
  const rules = all[place];
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, schema]) => [
          name,
          withRules(schema, all, place === '' ? name : `${place}.${name}`, unused),
        ]),
      ),
    }),
    ...(items && { items: withRules(items, all, `${place}[]`, unused) }),
    ...(additionalProperties && { additionalProperties: withRules(additionalProperties, all, `${place}.*`, unused) }),
    ...(rules && { 'x-kubernetes-validations': rules }),
  };
}
