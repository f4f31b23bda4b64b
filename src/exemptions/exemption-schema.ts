import { labelName, objectName } from '../tenancy/schema/names.ts';
import type { StructuralSchema } from '../tenancy/schema/structural-schema.ts';
import { type SubjectDocument, subjectSchema } from '../tenancy/schema/subject-schema.ts';
import { apiVersion } from '../tenancy/schema/tenant-schema.ts';
import { exemptableKinds } from '../tenancy/table-of-kinds.ts';

/** An Exemption that has passed its schema. */
export interface ExemptionDocument {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly tenant: string;
    readonly namespace: string;
    readonly checks: readonly string[];
    readonly match: {
      readonly kinds?: readonly string[];
      readonly names?: readonly string[];
      readonly owner?: string;
      readonly serviceAccounts?: readonly string[];
      readonly images?: readonly string[];
      readonly requesters?: readonly SubjectDocument[];
    };
    readonly reason: string;
    readonly owner: string;
    readonly expires: string;
  };
}

/**
 * The checks that protect a border or nodes, and reserved-labels for the keys of a tenant's own protection. What protects an identity is never
 * exempted: the proofs of all tenants rest on it. Neither are kinds that Bulkhead does not read: network.policyKinds grants these.
 * A test holds the list against the catalogue.
 */
export const exemptableChecks: readonly string[] = [
  'cross-tenant-ingress',
  'cross-tenant-egress',
  'ip-block',
  'host-network',
  'host-namespaces',
  'host-path',
  'network-capabilities',
  'host-ports',
  'probe-host',
  'ephemeral-containers',
  'chosen-node',
  'pod-scheduler',
  'runtime-class',
  'sysctls',
  'name-servers',
  'network-volumes',
  'tolerations',
  'reserved-devices',
  'endpoint-addresses',
  'service-addresses',
  'external-name',
  'left-endpoints',
  'service-types',
  'route-hosts',
  'route-references',
  'route-classes',
  'route-text',
  'reserved-labels',
  'mutual-tls',
  'token-keys',
  'mesh-hosts',
];

const oneLine = {
  type: 'string',
  title: 'one line of 1 to 256 characters',
  pattern: '^\\S(.*\\S)?$',
  minLength: 1,
  maxLength: 256,
} as const;

export const exemptionSchema: StructuralSchema = {
  type: 'object',
  description: 'One workload of a tenant that may do what some checks refuse to the others, until a time.',
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: { type: 'string', enum: [apiVersion] },
    kind: { type: 'string', enum: ['Exemption'] },
    metadata: { type: 'object', required: ['name'], properties: { name: objectName } },
    spec: {
      type: 'object',
      required: ['tenant', 'namespace', 'checks', 'match', 'reason', 'owner', 'expires'],
      properties: {
        tenant: { ...labelName, description: 'The tenant that must own the namespace.' },
        namespace: { ...labelName, description: 'The namespace of the workload.' },
        checks: {
          type: 'array',
          minItems: 1,
          maxItems: 32,
          description: 'The ids of the checks whose findings do not reject.',
          items: { type: 'string', enum: exemptableChecks },
        },
        match: {
          type: 'object',
          description: 'Which objects. All given fields must match; at least one besides kinds is required.',
          properties: {
            kinds: {
              type: 'array',
              minItems: 1,
              maxItems: 8,
              description:
                'Kinds of objects. A pod template of a workload counts as a Pod, and a NetworkPolicy of Calico as a NetworkPolicy. Every kind when left out.',
              items: { type: 'string', enum: exemptableKinds },
            },
            names: {
              type: 'array',
              minItems: 1,
              maxItems: 64,
              description: 'The exact names of the objects. The author of an object chooses its name.',
              items: objectName,
            },
            owner: {
              type: 'string',
              title: 'a workload such as Deployment/vpn or Widget.example.com/vpn',
              pattern: '^[A-Z][A-Za-z0-9]*(\\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
              maxLength: 573,
              description:
                'The workload whose controller creates the pods: KIND/NAME of Kubernetes, or KIND.GROUP/NAME of others, with requesters.',
            },
            serviceAccounts: {
              type: 'array',
              minItems: 1,
              maxItems: 64,
              description: 'The service accounts with which the pods run. The author of a pod chooses it.',
              items: objectName,
            },
            images: {
              type: 'array',
              minItems: 1,
              maxItems: 64,
              description:
                'The images of every container that a finding is about. An image without tag and digest means any version of it.',
              items: {
                type: 'string',
                title: 'an image such as registry.example.com/vpn:1.4, without patterns',
                pattern: '^[A-Za-z0-9][-A-Za-z0-9._/:@]*$',
                maxLength: 512,
              },
            },
            requesters: {
              type: 'array',
              minItems: 1,
              maxItems: 64,
              description: 'The users, groups or service accounts that send the request.',
              items: subjectSchema,
            },
          },
        },
        reason: { ...oneLine, description: 'Why the workload needs it.' },
        owner: { ...oneLine, description: 'Who answers for it: a team or an address.' },
        expires: {
          type: 'string',
          title: 'a time as in RFC 3339',
          maxLength: 64,
          description: 'From this moment on it exempts nothing: a time as in RFC 3339.',
        },
      },
    },
  },
};
