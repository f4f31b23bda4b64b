/** `network.policyKinds` and `platform.networkAgents`: who writes kinds that Bulkhead does not read. */
import { policyGroups } from '../policy-groups.ts';
import { labelName } from './names.ts';
import type { StructuralSchema } from './structural-schema.ts';
import { accountSchema, type SubjectDocument } from './subject-schema.ts';

export interface PolicyKindDocument {
  readonly resource: string;
  readonly tenants?: readonly string[];
}

export interface NetworkAgentDocument {
  readonly subjects: readonly SubjectDocument[];
  readonly groups: readonly string[];
  readonly every?: boolean;
}

export const policyKindsSchema: StructuralSchema = {
  type: 'array',
  description:
    'Resources that Bulkhead does not read, and that tenants may write in their namespaces. Nothing proves then what such an object opens.',
  items: {
    type: 'object',
    required: ['resource'],
    properties: {
      resource: {
        type: 'string',
        title: 'a resource with its API group such as virtualservices.networking.istio.io',
        pattern: '^[a-z0-9][-a-z0-9]*(\\.[a-z0-9][-a-z0-9]*)+$',
        maxLength: 253,
        description: 'The plural name of the resource, a dot, and its API group. Compared exactly.',
      },
      tenants: { type: 'array', items: labelName, description: 'Who may write it; every tenant when left out.' },
    },
  },
};

export const networkAgentsSchema: StructuralSchema = {
  type: 'array',
  description:
    'Accounts of network plugins and meshes, which write endpoints, identities and addresses of pods. Adds to the accounts by which the projects install themselves.',
  items: {
    type: 'object',
    required: ['subjects', 'groups'],
    properties: {
      subjects: {
        type: 'array',
        items: accountSchema,
        description:
          "The accounts: users and service accounts, compared exactly. The names of their namespaces become the platform's.",
      },
      groups: {
        type: 'array',
        items: { type: 'string', enum: policyGroups.map(({ group }) => group) },
        description:
          'The API groups of which they write what agents write, every status, and everything inside namespaces.',
      },
      every: {
        type: 'boolean',
        description:
          'Whether they write every cluster-scoped resource of these groups, as an API server of the plugin does.',
      },
    },
  },
};
