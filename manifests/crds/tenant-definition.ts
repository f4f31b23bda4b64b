/** The CustomResourceDefinition of Tenant: the schema of the files, the rules that a schema cannot say, and the status. */
import { tenantSchema } from '../../src/tenancy/schema/tenant-schema.ts';
import { conditionColumn, definitionOf } from './definition.ts';
import { conditionsSchema, servedSchema } from './served-schema.ts';
import { tenantRules } from './tenant-rules.ts';

/** What src/reconcile/tenant-status.ts writes. Every list is written whole. */
const statusSchema = {
  type: 'object',
  description: 'What Bulkhead makes of the tenant.',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation that all of this is about.' },
    namespaces: { type: 'integer', format: 'int64', description: 'How many namespaces the tenant has.' },
    conditions: conditionsSchema(
      'Ready: whether the tenant is in force as it is written. GatesOpen: whether every gate that it declares, or has a GateRequest for, is open. BorderInNetwork: whether the network itself keeps the border (network.clusterPolicy). SettingsAccepted: False while the settings that were read last are not in force, else left out.',
      'Of Ready: InForce, Invalid, Conflict or FilesInForce. Of GatesOpen: Open, HalfOpen, Mismatched or Expired. Of BorderInNetwork: InPlace, Pending, Withheld, NotServed, NameTaken or Failed. Of SettingsAccepted: Rejected.',
      'Ready, GatesOpen, BorderInNetwork or SettingsAccepted',
    ),
    gates: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      description: 'The gates of the spec, in its order; then those of GateRequests, and what others ask.',
      items: {
        type: 'object',
        required: ['tenant', 'direction', 'state'],
        properties: {
          tenant: { type: 'string', description: 'The other tenant.' },
          direction: { type: 'string', description: 'As this tenant sees it.' },
          state: {
            type: 'string',
            enum: ['Open', 'HalfOpen', 'Mismatched', 'Expired', 'Asked'],
            description:
              'Open: both tenants declare it. HalfOpen: the other does not. Mismatched: it does for other ports. Expired: so is this half or the other. Asked: the other tenant has a GateRequest, and this one none.',
          },
          ports: {
            type: 'array',
            items: { type: 'string' },
            description: 'What is open: the ports that both sides name.',
          },
          request: {
            type: 'string',
            description: 'NAMESPACE/NAME of the GateRequest of this tenant. Left out for a gate of the spec.',
          },
        },
      },
    },
  },
} as const;

export const tenantDefinition = definitionOf({
  scope: 'Cluster',
  kind: 'Tenant',
  shortNames: ['tn'],
  columns: [
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
    { name: 'Isolation', type: 'string', jsonPath: '.spec.isolation' },
    { name: 'Prefix', type: 'string', jsonPath: '.spec.namespaces.prefix' },
    { name: 'Prefixes', type: 'string', jsonPath: '.spec.namespaces.prefixes', priority: 1 },
    { name: 'Names', type: 'string', jsonPath: '.spec.namespaces.names', priority: 1 },
    { name: 'Namespaces', type: 'integer', jsonPath: '.status.namespaces' },
    { ...conditionColumn('Gates', 'GatesOpen', 'reason'), description: 'The worst state of a gate.' },
    conditionColumn('Ready', 'Ready', 'status'),
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  schema: servedSchema(tenantSchema, tenantRules, statusSchema),
});
