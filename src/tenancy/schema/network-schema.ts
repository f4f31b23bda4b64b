import { knownPlugins, type NetworkPlugin } from '../../keys/key-group.ts';
import { type Cloud, knownClouds } from '../metadata-ranges.ts';
import type { Mode } from '../tenant.ts';
import { labelName } from './names.ts';
import { type PolicyKindDocument, policyKindsSchema } from './policy-kinds-schema.ts';
import { type RoutesDocument, routesSchema } from './routes-schema.ts';
import { type ServicesDocument, servicesSchema } from './services-schema.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** `spec.network` of the settings, after its schema. */
export interface NetworkDocument {
  readonly plugin?: NetworkPlugin;
  readonly clusterName?: string;
  readonly ipFamilies?: readonly ('IPv4' | 'IPv6')[];
  readonly podCIDRs?: readonly string[];
  readonly serviceCIDRs?: readonly string[];
  readonly nodeCIDRs?: readonly string[];
  readonly loadBalancerCIDRs?: readonly string[];
  readonly cloud?: Cloud;
  readonly metadataAddresses?: readonly string[];
  readonly protectedCIDRs?: readonly { readonly name: string; readonly cidr: string }[];
  readonly policyKinds?: readonly PolicyKindDocument[];
  readonly attachmentTypes?: readonly string[];
  readonly services?: ServicesDocument;
  readonly routes?: RoutesDocument;
  readonly calico?: { readonly tiers?: readonly string[] };
  readonly previewModes?: readonly Mode[];
  readonly clusterPolicy?: boolean;
  readonly clusterPolicyDeniesNodes?: boolean;
}

export const addressRanges = { type: 'array', items: { type: 'string' } } as const satisfies StructuralSchema;

export const networkSchema: StructuralSchema = {
  type: 'object',
  description:
    'The addresses of the cluster, which no policy of a tenant may open, and the kinds of policies that Bulkhead does not read.',
  properties: {
    plugin: {
      type: 'string',
      enum: [...knownPlugins],
      description:
        'What connects pods and enforces policies. Only keys that it may read are reserved then; the keys of every plugin with other, and when left out.',
    },
    clusterName: {
      ...labelName,
      description:
        'The name of this cluster in a mesh of Cilium, which is cluster-name of its ConfigMap cilium-config. CiliumNetworkPolicies may then name it.',
    },
    ipFamilies: {
      type: 'array',
      items: { type: 'string', enum: ['IPv4', 'IPv6'] },
      description: 'The address families of the cluster. Ranges of other families need not be listed. Default: both.',
    },
    podCIDRs: { ...addressRanges, description: 'Where pods get their addresses.' },
    serviceCIDRs: { ...addressRanges, description: 'Where Services get their cluster IPs.' },
    nodeCIDRs: { ...addressRanges, description: 'Where the nodes are, control plane included.' },
    loadBalancerCIDRs: { ...addressRanges, description: 'Where Services of type LoadBalancer get their addresses.' },
    cloud: {
      type: 'string',
      enum: [...knownClouds],
      description:
        'Whose metadata services are protected beside the link-local addresses, which always are. Default: those of all. With none, list those of yours in metadataAddresses.',
    },
    metadataAddresses: {
      ...addressRanges,
      description: 'Where the cloud hands out credentials of the node; adds to the built-in list.',
    },
    protectedCIDRs: {
      type: 'array',
      description: 'Anything else that tenants must not reach, such as a management network.',
      items: {
        type: 'object',
        required: ['name', 'cidr'],
        properties: {
          name: {
            type: 'string',
            title: 'a name of 1 to 63 characters',
            minLength: 1,
            maxLength: 63,
            description: 'What it is, in words for a refusal.',
          },
          cidr: { type: 'string', description: 'The range of addresses.' },
        },
      },
    },
    policyKinds: policyKindsSchema,
    attachmentTypes: {
      type: 'array',
      minItems: 1,
      maxItems: 64,
      items: { type: 'string', title: 'the type of a CNI plugin', minLength: 1, maxLength: 64 },
      description:
        'Types of CNI plugins, such as ipvlan. Tenants may write NetworkAttachmentDefinitions that run these alone, beside host-local, static, dhcp and whereabouts in ipam. When left out, policyKinds decides.',
    },
    services: servicesSchema,
    routes: routesSchema,
    calico: {
      type: 'object',
      description: 'What is said of policies of Calico alone.',
      properties: {
        tiers: {
          type: 'array',
          items: {
            type: 'string',
            title: 'a name of 1 to 63 characters such as default',
            pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
            maxLength: 63,
          },
          description:
            'The tiers in which tenants may write policies. What a policy in a tier allows, no policy in a later tier takes away. Default: default.',
        },
      },
    },
    previewModes: {
      type: 'array',
      items: { type: 'string', enum: ['enforce', 'warn', 'audit'] },
      description:
        'The modes of tenants in which an update of a policy is answered with a warning that says what it opens and closes. Default: warn. An empty list switches it off.',
    },
    clusterPolicy: {
      type: 'boolean',
      description:
        'Whether Bulkhead keeps ClusterNetworkPolicies for each tenant in mode enforce, so that the network denies what crosses its border. Needs a network plugin that enforces them.',
    },
    clusterPolicyDeniesNodes: {
      type: 'boolean',
      description:
        'With clusterPolicy: whether they also deny egress to nodeCIDRs. Shared services and vouched addresses there stay open.',
    },
  },
};
