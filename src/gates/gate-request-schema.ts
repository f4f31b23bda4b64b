import { labelName, objectName } from '../tenancy/schema/names.ts';
import { type PortDocument, portSchema } from '../tenancy/schema/port-schema.ts';
import type { StructuralSchema } from '../tenancy/schema/structural-schema.ts';
import { apiVersion } from '../tenancy/schema/tenant-schema.ts';

/** A GateRequest that has passed its schema. */
export interface GateRequestDocument {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly tenant: string;
    readonly direction: 'ingress' | 'egress';
    readonly ports: readonly PortDocument[];
    readonly expires: string;
  };
}

export const gateRequestSchema: StructuralSchema = {
  type: 'object',
  description:
    'One half of a gate that a tenant asks for. It opens nothing until the other tenant has a request that mirrors it.',
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: { type: 'string', enum: [apiVersion] },
    kind: { type: 'string', enum: ['GateRequest'] },
    metadata: { type: 'object', required: ['name'], properties: { name: objectName } },
    spec: {
      type: 'object',
      required: ['tenant', 'direction', 'ports', 'expires'],
      properties: {
        tenant: {
          ...labelName,
          description: 'The other tenant. The request is one of the tenant that owns its namespace.',
        },
        direction: {
          type: 'string',
          enum: ['ingress', 'egress'],
          description: 'As the tenant of the namespace sees it. The mirror has the opposite direction.',
        },
        ports: {
          type: 'array',
          items: portSchema,
          minItems: 1,
          maxItems: 8,
          description: 'What opens is what both requests name, within gates.ports of the settings.',
        },
        expires: {
          type: 'string',
          title: 'a time as in RFC 3339',
          maxLength: 64,
          description: 'From this moment on it opens nothing: a time as in RFC 3339.',
        },
      },
    },
  },
};
