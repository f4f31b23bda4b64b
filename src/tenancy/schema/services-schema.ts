/** `network.services` of the settings and of a tenant: which Services tenants may write. */
import { type ServiceType, serviceTypes } from '../service-grants.ts';
import type { StructuralSchema } from './structural-schema.ts';
import { accountSchema, type SubjectDocument } from './subject-schema.ts';

export interface ServicesDocument {
  readonly judged?: boolean;
  readonly types?: readonly ServiceType[];
  readonly loadBalancerClasses?: readonly string[];
  readonly externalNames?: 'every' | 'granted';
  readonly loadBalancerSourceRanges?: readonly string[];
  readonly controllers?: readonly SubjectDocument[];
}

export interface TenantServicesDocument {
  readonly types?: readonly ServiceType[];
  readonly loadBalancerClasses?: readonly string[];
  readonly externalIPs?: readonly string[];
  readonly loadBalancerSourceRanges?: readonly string[];
}

const types = { type: 'array', items: { type: 'string', enum: [...serviceTypes] } } as const satisfies StructuralSchema;
const classes = {
  type: 'array',
  maxItems: 64,
  items: { type: 'string', title: 'the name of a load balancer class', minLength: 1, maxLength: 317 },
} as const satisfies StructuralSchema;

const ranges = {
  type: 'array',
  maxItems: 64,
  items: { type: 'string', title: 'a range of addresses', maxLength: 64 },
} as const satisfies StructuralSchema;

export const servicesSchema: StructuralSchema = {
  type: 'object',
  description: 'Which Services, Endpoints and EndpointSlices tenants may write.',
  properties: {
    judged: {
      type: 'boolean',
      description:
        'Whether Services, Endpoints and EndpointSlices are judged. With false the API server does not send them.',
    },
    types: {
      ...types,
      description:
        'The types of Services that every tenant may write. A tenant may have more. Every type when left out.',
    },
    loadBalancerClasses: {
      ...classes,
      description: 'Values of loadBalancerClass that every tenant may write. Every class when left out.',
    },
    externalNames: {
      type: 'string',
      enum: ['every', 'granted'],
      description:
        'every: an ExternalName may be any name outside the cluster. granted: only names that network.names of the tenant lists.',
    },
    loadBalancerSourceRanges: {
      ...ranges,
      description:
        'Sources from which every load balancer of a tenant may be open. Each must then set loadBalancerSourceRanges. Everywhere when left out.',
    },
    controllers: {
      type: 'array',
      items: accountSchema,
      description:
        'Accounts that write Endpoints, EndpointSlices or the status of Services, beside the controllers of Kubernetes. Compared exactly.',
    },
  },
};

export const tenantServicesSchema: StructuralSchema = {
  type: 'object',
  description: 'Services that the tenant may write beside those that the settings allow every tenant.',
  properties: {
    types: {
      ...types,
      description:
        'Types of Services. A LoadBalancer also needs NodePort, unless it sets allocateLoadBalancerNodePorts to false.',
    },
    loadBalancerClasses: { ...classes, description: 'Values of loadBalancerClass.' },
    loadBalancerSourceRanges: {
      ...ranges,
      description: 'Sources from which load balancers of the tenant may be open.',
    },
    externalIPs: {
      ...ranges,
      description: 'Addresses outside the cluster that its Services may take as externalIPs and loadBalancerIP.',
    },
  },
};
