import { labelName, namePrefix } from './names.ts';
import type { StructuralSchema } from './structural-schema.ts';
import { type SubjectDocument, subjectSchema } from './subject-schema.ts';
import { type TenantNetworkDocument, tenantNetworkSchema } from './tenant-network-schema.ts';

export const apiVersion = 'bulkhead.dev/v1alpha1';

/** A Tenant that has passed its schema. */
export interface TenantDocument {
  readonly metadata: { readonly name: string; readonly labels?: unknown };
  readonly spec: {
    readonly mode?: 'enforce' | 'warn' | 'audit';
    readonly isolation?: 'hard' | 'soft';
    readonly members?: readonly SubjectDocument[];
    readonly namespaces?: {
      readonly prefix?: string;
      readonly prefixes?: readonly string[];
      readonly names?: readonly string[];
      readonly enforcePrefix?: boolean;
      readonly limit?: number;
      readonly resourceQuota?: { readonly hard: Readonly<Record<string, string | number>> };
      readonly containerDefaults?: {
        readonly requests?: Readonly<Record<string, string | number>>;
        readonly limits?: Readonly<Record<string, string | number>>;
      };
    };
    readonly network?: TenantNetworkDocument;
  };
}

const amounts = {
  type: 'object',
  additionalProperties: { 'x-kubernetes-int-or-string': true },
  maxProperties: 3,
} as const;

export const tenantSchema: StructuralSchema = {
  type: 'object',
  description: 'A team or customer: who acts for it, which namespaces it may have, and what may cross its border.',
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: { type: 'string', enum: [apiVersion] },
    kind: { type: 'string', enum: ['Tenant'] },
    metadata: { type: 'object', required: ['name'], properties: { name: labelName } },
    spec: {
      type: 'object',
      properties: {
        mode: {
          type: 'string',
          enum: ['enforce', 'warn', 'audit'],
          default: 'enforce',
          description:
            'How far the rollout of the tenant is: enforce refuses (default), warn admits with a warning, audit admits and only records. What reaches others is refused in each.',
        },
        isolation: {
          type: 'string',
          enum: ['hard', 'soft'],
          default: 'hard',
          description:
            'hard (default) refuses what is not proven contained; soft narrows an over-broad peer where it can, with a warning.',
        },
        members: {
          type: 'array',
          items: subjectSchema,
          maxItems: 128,
          description:
            'Who acts for the tenant, beside the service accounts that live in its own namespaces. Compared exactly.',
        },
        namespaces: {
          type: 'object',
          description: 'Which namespaces the tenant may have, and what each of them gets.',
          properties: {
            prefix: {
              ...namePrefix,
              description: 'Namespace names that begin with this are reserved to the tenant. Ends in a hyphen.',
            },
            prefixes: {
              type: 'array',
              items: namePrefix,
              maxItems: 64,
              description: 'More such prefixes.',
            },
            names: {
              type: 'array',
              items: labelName,
              maxItems: 256,
              description:
                'Whole names of namespaces that are reserved to the tenant. Namespaces of others that have them already stay theirs.',
            },
            enforcePrefix: {
              type: 'boolean',
              description:
                'Members create only namespaces with one of the prefixes or names; off when left out. The platform may create others.',
            },
            limit: {
              type: 'integer',
              minimum: 0,
              description: 'How many namespaces the tenant may have; no limit when left out.',
            },
            resourceQuota: {
              type: 'object',
              description: 'The ResourceQuota that every namespace of the tenant gets.',
              required: ['hard'],
              properties: {
                hard: {
                  type: 'object',
                  additionalProperties: { 'x-kubernetes-int-or-string': true },
                  maxProperties: 64,
                  description: 'The limit for each named resource, as in the spec of a ResourceQuota.',
                },
              },
            },
            containerDefaults: {
              type: 'object',
              description:
                'The LimitRange that every namespace of the tenant gets: amounts for containers that state none. With them, no quota refuses a pod without requests.',
              properties: {
                requests: { ...amounts, description: 'Requests of cpu, memory and ephemeral-storage.' },
                limits: { ...amounts, description: 'Limits of cpu, memory and ephemeral-storage.' },
              },
            },
          },
        },
        network: tenantNetworkSchema,
      },
    },
  },
};
