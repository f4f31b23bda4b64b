/** The CustomResourceDefinition of GateRequest: its schema, the rules that a schema cannot say, and the status. */
import { gateRequestSchema } from '../../src/gates/gate-request-schema.ts';
import { conditionColumn, definitionOf } from './definition.ts';
import { conditionsSchema, servedSchema } from './served-schema.ts';
import { portRules, type Rules, timeRules } from './tenant-rules.ts';

const gateRequestRules: Rules = { 'spec.ports[]': portRules, 'spec.expires': timeRules };

/** What src/reconcile/gate-request-status.ts writes. */
const statusSchema = {
  type: 'object',
  description: 'What Bulkhead makes of the request.',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation that all of this is about.' },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: { type: 'string' },
      description: 'What is open: the ports that both requests name and the platform lists.',
    },
    conditions: conditionsSchema(
      'Ready: whether the gate is open.',
      'Open, EndsSoon, HalfOpen, Mismatched, Expired, NotAllowed, OtherTenant, NoTenant, TooMany, Invalid or Deleted.',
    ),
  },
} as const;

export const gateRequestDefinition = definitionOf({
  scope: 'Namespaced',
  kind: 'GateRequest',
  columns: [
    { name: 'Tenant', type: 'string', jsonPath: '.spec.tenant' },
    { name: 'Direction', type: 'string', jsonPath: '.spec.direction' },
    { name: 'Expires', type: 'string', jsonPath: '.spec.expires' },
    { name: 'Open', type: 'string', jsonPath: '.status.ports' },
    conditionColumn('Ready', 'Ready', 'status'),
    conditionColumn('Why', 'Ready', 'reason'),
  ],
  schema: servedSchema(gateRequestSchema, gateRequestRules, statusSchema),
});
