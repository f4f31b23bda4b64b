/**
 * The CustomResourceDefinition of Tenant: the schema of the files, the rules that a schema cannot say, and the status.
 * Source: apiextensions.k8s.io/v1 CustomResourceDefinition.
 */
import { tenantSchema } from '../../src/tenancy/schema/tenant-schema.ts';
import { readyCondition, servedSchema } from './served-schema.ts';
import { tenantRules } from './tenant-rules.ts';

/** What src/reconcile/tenant-status.ts writes. Every list is written whole. */
const statusSchema = {
  type: 'object',
  description: 'What Bulkhead makes of the tenant.',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation that all of this is about.' },
    namespaces: { type: 'integer', format: 'int64', description: 'How many namespaces the tenant has.' },
    conditions: readyCondition(
      'Ready: whether the tenant is in force as it is written.',
      'InForce, Invalid or Conflict.',
    ),
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
          { name: 'Prefixes', type: 'string', jsonPath: '.spec.namespaces.prefixes', priority: 1 },
          { name: 'Names', type: 'string', jsonPath: '.spec.namespaces.names', priority: 1 },
          { name: 'Namespaces', type: 'integer', jsonPath: '.status.namespaces' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: { openAPIV3Schema: servedSchema(tenantSchema, tenantRules, statusSchema) },
      },
    ],
  },
};
