/**
 * The CustomResourceDefinition of Tenant: the schema of the files, the rules that a schema cannot say, and the status.
 * Source: apiextensions.k8s.io/v1 CustomResourceDefinition.
 */
import type { StructuralSchema } from '../../src/tenancy/schema/structural-schema.ts';
import { tenantSchema } from '../../src/tenancy/schema/tenant-schema.ts';
import { tenantRules, type ValidationRule } from './tenant-rules.ts';

type Schema = Omit<StructuralSchema, 'properties' | 'items' | 'additionalProperties'> & {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
};

/** What src/reconcile/tenant-status.ts writes. Every list is written whole. */
const statusSchema = {
  type: 'object',
  description: 'What Bulkhead makes of the tenant.',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation that all of this is about.' },
    namespaces: { type: 'integer', format: 'int64', description: 'How many namespaces the tenant has.' },
    conditions: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
      description: 'Ready: whether the tenant is in force as it is written.',
      items: {
        type: 'object',
        required: ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
        properties: {
          type: { type: 'string', description: 'Ready.' },
          status: { type: 'string', enum: ['True', 'False', 'Unknown'], description: 'True, False or Unknown.' },
          observedGeneration: { type: 'integer', format: 'int64', description: 'The generation it is about.' },
          lastTransitionTime: { type: 'string', format: 'date-time', description: 'When the status last changed.' },
          reason: { type: 'string', description: 'InForce, Invalid or Conflict.' },
          message: { type: 'string', description: 'What is wrong, and what holds meanwhile.' },
        },
      },
    },
    gates: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      description: 'The gates of the spec, in its order.',
      items: {
        type: 'object',
        required: ['tenant', 'direction', 'state'],
        properties: {
          tenant: { type: 'string', description: 'The other tenant.' },
          direction: { type: 'string', description: 'As this tenant sees it.' },
          state: {
            type: 'string',
            enum: ['Open', 'HalfOpen', 'Expired'],
            description:
              'Open: both tenants declare it. HalfOpen: the other does not, or not for these ports, and nothing is open. Expired: so is this half or the other.',
          },
          ports: {
            type: 'array',
            items: { type: 'string' },
            description: 'What is open: the ports that both sides name.',
          },
        },
      },
    },
  },
} as const;

export const tenantDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'tenants.bulkhead.dev' },
  spec: {
    group: 'bulkhead.dev',
    scope: 'Cluster',
    names: { kind: 'Tenant', listKind: 'TenantList', plural: 'tenants', singular: 'tenant', shortNames: ['tn'] },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
          { name: 'Isolation', type: 'string', jsonPath: '.spec.isolation' },
          { name: 'Prefix', type: 'string', jsonPath: '.spec.namespaces.prefix' },
          { name: 'Namespaces', type: 'integer', jsonPath: '.status.namespaces' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: { openAPIV3Schema: servedSchema() },
      },
    ],
  },
};

function servedSchema() {
  const unused = new Set(Object.keys(tenantRules));
  const { properties, ...schema } = withRules(tenantSchema, '', unused);
  if (unused.size > 0) throw new Error(`there are rules for places that the schema does not have: ${[...unused]}`);
  // The metadata is the API server's, which lets a schema narrow the name and nothing else.
  const { required: _, ...metadata } = properties?.metadata ?? {};
  return { ...schema, properties: { ...properties, metadata, status: statusSchema } };
}

function withRules(
  { properties, items, additionalProperties, ...rest }: StructuralSchema,
  place: string,
  unused: Set<string>,
): Schema {
  unused.delete(place);
  const rules = tenantRules[place];
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, schema]) => [
          name,
          withRules(schema, place === '' ? name : `${place}.${name}`, unused),
        ]),
      ),
    }),
    ...(items && { items: withRules(items, `${place}[]`, unused) }),
    ...(additionalProperties && { additionalProperties: withRules(additionalProperties, `${place}.*`, unused) }),
    ...(rules && { 'x-kubernetes-validations': rules }),
  };
}
