import type { StructuralSchema } from './structural-schema.ts';

export interface PortDocument {
  readonly protocol?: string;
  readonly port?: number;
  readonly endPort?: number;
}

/** A port as in a NetworkPolicy, by number only: a name means a different number in every pod. */
export const portSchema: StructuralSchema = {
  type: 'object',
  properties: {
    protocol: { type: 'string', enum: ['TCP', 'UDP', 'SCTP'], description: 'TCP by default.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, description: 'Every port of the protocol when left out.' },
    endPort: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      description: 'The last port of a range that begins at port.',
    },
  },
};
