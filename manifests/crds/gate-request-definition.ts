/** The CustomResourceDefinition of GateRequest: its schema, the rules that a schema cannot say, and the status. */
import { gateRequestSchema } from '../../src/gates/gate-request-schema.ts';
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

export const gateRequestDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gaterequests.bulkhead.dev' },
  spec: {
    group: 'bulkhead.dev',
    scope: 'Namespaced',
    names: { kind: 'GateRequest', listKind: 'GateRequestList', plural: 'gaterequests', singular: 'gaterequest' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Tenant', type: 'string', jsonPath: '.spec.tenant' },
          { name: 'Direction', type: 'string', jsonPath: '.spec.direction' },
          { name: 'Expires', type: 'string', jsonPath: '.spec.expires' },
          { name: 'Open', type: 'string', jsonPath: '.status.ports' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
          { name: 'Why', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
        ],
        schema: { openAPIV3Schema: servedSchema(gateRequestSchema, gateRequestRules, statusSchema) },
      },
    ],
  },
};
