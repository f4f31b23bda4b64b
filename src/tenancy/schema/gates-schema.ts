import { labelName } from './names.ts';
import { type PortDocument, portSchema } from './port-schema.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** `spec.gates` of the settings that have passed their schema. */
export interface GatesDocument {
  readonly from?: 'platform' | 'tenants';
  readonly ports?: readonly PortDocument[];
  readonly between?: readonly { readonly tenants: readonly string[] }[];
}

export const gatesSchema: StructuralSchema = {
  type: 'object',
  description:
    'Who agrees on gates: the platform alone, in Tenants, or members of two tenants as well, with a GateRequest each.',
  properties: {
    from: {
      type: 'string',
      enum: ['platform', 'tenants'],
      description:
        'platform: a GateRequest opens nothing. tenants: one opens a gate with the GateRequest that mirrors it.',
    },
    ports: {
      type: 'array',
      items: portSchema,
      maxItems: 64,
      description: 'The ports that GateRequests may open. Required where gates come from tenants.',
    },
    between: {
      type: 'array',
      maxItems: 256,
      description: 'Which tenants may agree with each other. Any two when left out.',
      items: {
        type: 'object',
        required: ['tenants'],
        properties: {
          tenants: {
            type: 'array',
            items: labelName,
            minItems: 2,
            maxItems: 256,
            description: 'Any two of these may agree on a gate.',
          },
        },
      },
    },
  },
};
