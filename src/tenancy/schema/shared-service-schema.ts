import type { LabelSelector } from '../../kubernetes/label-selector.ts';
import { type ServiceEntity, serviceEntities } from '../settings.ts';
import { clusterNames, labelKey, labelName } from './names.ts';
import { addressRanges } from './network-schema.ts';
import { type PortDocument, portSchema } from './port-schema.ts';
import type { StructuralSchema } from './structural-schema.ts';

export interface SharedServiceDocument {
  readonly name: string;
  readonly direction: 'ingress' | 'egress';
  readonly entity?: ServiceEntity;
  readonly namespace?: string;
  readonly podSelector?: LabelSelector;
  readonly ports?: readonly PortDocument[];
  readonly addresses?: readonly string[];
  readonly endpoints?: readonly { readonly cidr: string; readonly ports: readonly PortDocument[] }[];
  readonly offer?: 'baseline' | 'policy';
  readonly tenants?: readonly string[];
  readonly tenantSelector?: LabelSelector;
  readonly clusters?: readonly string[];
  readonly serviceAccounts?: readonly string[];
}

/** meta/v1 LabelSelector. */
const labelSelectorSchema: StructuralSchema = {
  type: 'object',
  properties: {
    matchLabels: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Labels that must be there.',
    },
    matchExpressions: {
      type: 'array',
      description: 'Further requirements; all must hold.',
      items: {
        type: 'object',
        required: ['key', 'operator'],
        properties: {
          key: { ...labelKey, description: 'The label it is about.' },
          operator: {
            type: 'string',
            enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
            description: 'How it is compared.',
          },
          values: { type: 'array', items: { type: 'string' }, description: 'For In and NotIn.' },
        },
      },
    },
  },
};

export const sharedServicesSchema: StructuralSchema = {
  type: 'array',
  description:
    'What tenants may use (egress) or are reached from (ingress), in namespaces of the platform or at addresses. Replaces the built-in list, which is the DNS of the cluster.',
  items: {
    type: 'object',
    required: ['name', 'direction'],
    properties: {
      name: { ...labelName, description: 'Part of the name of the policy that each namespace gets for it.' },
      direction: { type: 'string', enum: ['ingress', 'egress'], description: 'As a tenant sees it.' },
      entity: {
        type: 'string',
        enum: [...serviceEntities],
        description:
          'Whom Cilium has a name for, in place of pods and addresses. Only CiliumNetworkPolicies can name it, so offer is policy.',
      },
      namespace: { ...labelName, description: 'Where its pods run. Goes with podSelector.' },
      podSelector: {
        ...labelSelectorSchema,
        description: 'Which pods they are; {} is every pod of the namespace.',
      },
      ports: { type: 'array', items: portSchema, description: 'Every port when left out or empty.' },
      addresses: {
        ...addressRanges,
        description:
          'Addresses it answers on besides its pods, such as a node-local DNS cache, or in place of pods. On its ports.',
      },
      endpoints: {
        type: 'array',
        description:
          'Addresses with ports of their own, such as the API server: 443 on its Service, 6443 on its nodes.',
        items: {
          type: 'object',
          required: ['cidr', 'ports'],
          properties: {
            cidr: { type: 'string', description: 'The range of addresses.' },
            ports: { type: 'array', items: portSchema, minItems: 1, description: 'The ports, by number.' },
          },
        },
      },
      offer: {
        type: 'string',
        enum: ['baseline', 'policy'],
        description:
          'baseline opens it in every namespace of its tenants. policy lets their own policies open it, for the pods that need it.',
      },
      tenants: {
        type: 'array',
        items: labelName,
        minItems: 1,
        description: 'The tenants that it is for, by name. Every tenant when this and tenantSelector are left out.',
      },
      tenantSelector: {
        ...labelSelectorSchema,
        description: 'The tenants that it is for, by the labels of their Tenant documents.',
      },
      clusters: {
        ...clusterNames,
        description:
          'Other clusters of a mesh of Cilium where these pods count too. Only CiliumNetworkPolicies can name a cluster.',
      },
      serviceAccounts: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'string',
          title: 'the name of a service account',
          pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
          maxLength: 253,
        },
        description:
          'Its service accounts, by which AuthorizationPolicies of Istio may name it. When left out, they may only where podSelector is {}.',
      },
    },
  },
};
