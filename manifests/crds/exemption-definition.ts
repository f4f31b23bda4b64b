/** The CustomResourceDefinition of Exemption: the schema of the files, the rules that a schema cannot say, and the status. */
import { exemptionSchema } from '../../src/exemptions/exemption-schema.ts';
import { exemptionRules } from './exemption-rules.ts';
import { conditionsSchema, servedSchema } from './served-schema.ts';

/** What src/reconcile/exemption-status.ts writes. */
const statusSchema = {
  type: 'object',
  description: 'What Bulkhead makes of the exemption.',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation that all of this is about.' },
    conditions: conditionsSchema(
      'Ready: whether the exemption is in force.',
      'InForce, EndsSoon, Expired, MatchesNothing, Invalid or Deleted.',
    ),
  },
} as const;

export const exemptionDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'exemptions.bulkhead.dev' },
  spec: {
    group: 'bulkhead.dev',
    scope: 'Cluster',
    names: { kind: 'Exemption', listKind: 'ExemptionList', plural: 'exemptions', singular: 'exemption' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Tenant', type: 'string', jsonPath: '.spec.tenant' },
          { name: 'Namespace', type: 'string', jsonPath: '.spec.namespace' },
          { name: 'Checks', type: 'string', jsonPath: '.spec.checks' },
          { name: 'Expires', type: 'string', jsonPath: '.spec.expires' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Why', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
        ],
        schema: { openAPIV3Schema: servedSchema(exemptionSchema, exemptionRules, statusSchema) },
      },
    ],
  },
};
