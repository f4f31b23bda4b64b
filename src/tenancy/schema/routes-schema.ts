/** `network.routes` of the settings, and `network.hosts` and `routes` of a tenant: Ingresses and the Gateway API. */
import { labelName, objectName } from './names.ts';
import type { StructuralSchema } from './structural-schema.ts';

export interface GatewayDocument {
  readonly namespace: string;
  readonly name?: string;
}

export interface RoutesDocument {
  readonly judged?: boolean;
  readonly hosts?: 'unreserved' | 'reserved';
  readonly platformHosts?: readonly string[];
  readonly ingressClasses?: readonly string[];
  readonly gatewayClasses?: readonly string[];
  readonly gateways?: readonly GatewayDocument[];
}

export interface TenantRoutesDocument {
  readonly ingressClasses?: readonly string[];
  readonly gatewayClasses?: readonly string[];
  readonly gateways?: readonly GatewayDocument[];
}

const classes = { type: 'array', maxItems: 64, items: objectName } as const satisfies StructuralSchema;
const hosts = {
  type: 'array',
  maxItems: 256,
  items: {
    type: 'string',
    title: 'a host name such as shop.example.com or *.example.com',
    minLength: 1,
    maxLength: 255,
  },
} as const satisfies StructuralSchema;
const gateways = {
  type: 'array',
  maxItems: 64,
  items: {
    type: 'object',
    required: ['namespace'],
    properties: {
      namespace: { ...labelName, description: 'The namespace of the Gateway.' },
      name: { ...objectName, description: 'Its name; every Gateway of the namespace when left out.' },
    },
  },
} as const satisfies StructuralSchema;

export const routesSchema: StructuralSchema = {
  type: 'object',
  description: 'Which hosts, classes and gateways Ingresses and routes of tenants may use.',
  properties: {
    judged: {
      type: 'boolean',
      description:
        'Whether Ingresses and the kinds of the Gateway API are judged. With false the API server does not send them.',
    },
    hosts: {
      type: 'string',
      enum: ['unreserved', 'reserved'],
      description:
        'unreserved: tenants may also use hosts that are reserved for no tenant. reserved: only those in network.hosts of the tenant.',
    },
    platformHosts: { ...hosts, description: 'Hosts of the platform, which no tenant may use.' },
    ingressClasses: { ...classes, description: 'Classes of Ingresses for every tenant. Every class when left out.' },
    gatewayClasses: { ...classes, description: 'Classes of Gateways for every tenant. Every class when left out.' },
    gateways: {
      ...gateways,
      description:
        'Gateways to which routes of every tenant may attach, beside those of its own namespaces. When left out: every Gateway that is not in a namespace reserved for another tenant.',
    },
  },
};

export const tenantHostsSchema: StructuralSchema = {
  ...hosts,
  description:
    'Hosts of the tenant, for its Ingresses and routes. No other tenant may use them. *.example.com stands for every host below example.com.',
};

export const tenantRoutesSchema: StructuralSchema = {
  type: 'object',
  description: 'Classes and gateways that the tenant may use beside those that the settings allow every tenant.',
  properties: {
    ingressClasses: { ...classes, description: 'Classes of Ingresses.' },
    gatewayClasses: { ...classes, description: 'Classes of Gateways.' },
    gateways: { ...gateways, description: 'Gateways to which its routes may attach.' },
  },
};
