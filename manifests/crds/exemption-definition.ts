/** The CustomResourceDefinition of Exemption: the schema of the files, the rules that a schema cannot say, and the status. */
import { exemptionSchema } from '../../src/exemptions/exemption-schema.ts';
import { conditionColumn, definitionOf } from './definition.ts';
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
      'InForce, EndsSoon, Expired, MatchesNothing, Invalid, Deleted or FilesInForce.',
    ),
  },
} as const;

export const exemptionDefinition = definitionOf({
  scope: 'Cluster',
  kind: 'Exemption',
  columns: [
    { name: 'Tenant', type: 'string', jsonPath: '.spec.tenant' },
    { name: 'Namespace', type: 'string', jsonPath: '.spec.namespace' },
    { name: 'Checks', type: 'string', jsonPath: '.spec.checks' },
    { name: 'Expires', type: 'string', jsonPath: '.spec.expires' },
    conditionColumn('Ready', 'Ready', 'status'),
    conditionColumn('Why', 'Ready', 'reason'),
  ],
  schema: servedSchema(exemptionSchema, exemptionRules, statusSchema),
});
