import { clusterNames, labelName } from './names.ts';
import { type PortDocument, portSchema } from './port-schema.ts';
import { type TenantRoutesDocument, tenantHostsSchema, tenantRoutesSchema } from './routes-schema.ts';
import { type TenantServicesDocument, tenantServicesSchema } from './services-schema.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** `spec.network` of a Tenant that has passed its schema. */
export interface TenantNetworkDocument {
  readonly within?: 'none' | 'namespace' | 'tenant';
  readonly egressCIDRs?: readonly string[];
  readonly egress?: readonly EgressDocument[];
  readonly vouched?: readonly VouchedDocument[];
  readonly names?: readonly string[];
  readonly services?: TenantServicesDocument;
  readonly hosts?: readonly string[];
  readonly routes?: TenantRoutesDocument;
  readonly gates?: readonly GateDocument[];
  readonly clusters?: readonly string[];
}

export interface EgressDocument {
  readonly cidr: string;
  readonly except?: readonly string[];
  readonly ports?: readonly PortDocument[];
  readonly reason?: string;
}

export interface VouchedDocument {
  readonly cidr: string;
  readonly ports: readonly PortDocument[];
  readonly direction: 'ingress' | 'egress';
  readonly reason: string;
  readonly expires?: string;
  readonly notAssignedToPods?: boolean;
}

export interface GateDocument {
  readonly tenant: string;
  readonly direction: 'ingress' | 'egress';
  readonly ports?: readonly PortDocument[];
  readonly expires?: string;
  readonly clusters?: readonly string[];
}

const addresses = { type: 'string', title: 'a range of addresses', maxLength: 64 } as const satisfies StructuralSchema;
const reason = {
  type: 'string',
  title: 'a text of 1 to 512 characters',
  minLength: 1,
  maxLength: 512,
} as const satisfies StructuralSchema;

export const tenantNetworkSchema: StructuralSchema = {
  type: 'object',
  description: 'What the baseline leaves open, and what may cross the border.',
  properties: {
    within: {
      type: 'string',
      enum: ['none', 'namespace', 'tenant'],
      description:
        'What the baseline leaves open: nothing, traffic inside each namespace, or between all namespaces of the tenant (default).',
    },
    egressCIDRs: {
      type: 'array',
      items: addresses,
      maxItems: 256,
      description:
        'Addresses outside the cluster that policies of the tenant may open egress to, on every port. No range may cover what the settings protect.',
    },
    egress: {
      type: 'array',
      maxItems: 256,
      description:
        'Addresses that policies of the tenant may open egress to, with exceptions and ports. What the settings protect is never granted.',
      items: {
        type: 'object',
        required: ['cidr'],
        properties: {
          cidr: {
            ...addresses,
            title: 'a range of addresses, or internet',
            description:
              'A range, or internet: every address outside private networks and outside what the settings protect.',
          },
          except: { type: 'array', items: addresses, maxItems: 64, description: 'Parts of it that are not granted.' },
          ports: { type: 'array', items: portSchema, maxItems: 32, description: 'Every port when left out or empty.' },
          reason: { ...reason, description: 'Why it is granted. Shown to readers of the Tenant.' },
        },
      },
    },
    vouched: {
      type: 'array',
      maxItems: 64,
      description:
        'Single addresses inside ranges that the settings protect, and for ingress ranges of nodes. The platform answers for who is there, such as a database beside the pods.',
      items: {
        type: 'object',
        required: ['cidr', 'ports', 'direction', 'reason'],
        properties: {
          cidr: {
            ...addresses,
            description:
              'One address, with /32 or /128. For ingress also a range inside nodeCIDRs and loadBalancerCIDRs: nodes forward traffic of others, too.',
          },
          ports: {
            type: 'array',
            items: portSchema,
            minItems: 1,
            maxItems: 32,
            description: 'Those of the address for egress, those of the tenant for ingress. Each needs a number.',
          },
          direction: { type: 'string', enum: ['ingress', 'egress'], description: 'As the tenant sees it.' },
          reason: { ...reason, description: 'Why, and what is there.' },
          expires: {
            type: 'string',
            title: 'a time as in RFC 3339',
            maxLength: 64,
            description: 'From this moment on it is not granted: a time as in RFC 3339. Never when left out.',
          },
          notAssignedToPods: {
            type: 'boolean',
            description: 'Required for an address in podCIDRs: the platform makes sure that no pod gets it.',
          },
        },
      },
    },
    names: {
      type: 'array',
      maxItems: 256,
      description:
        'DNS names outside the cluster that CiliumNetworkPolicies of the tenant may open egress to with toFQDNs. The owner of a name decides to which addresses it leads.',
      items: {
        type: 'string',
        title: 'a DNS name, or a pattern of names',
        maxLength: 255,
        description:
          '* stands for a part of one label: *.example.org is every name one label below example.org. **. at the beginning stands for one label or more.',
      },
    },
    services: tenantServicesSchema,
    hosts: tenantHostsSchema,
    routes: tenantRoutesSchema,
    gates: {
      type: 'array',
      maxItems: 64,
      description: 'Agreed crossings. A gate opens only where the other tenant declares its mirror image.',
      items: {
        type: 'object',
        required: ['tenant', 'direction'],
        properties: {
          tenant: { ...labelName, description: 'The other tenant.' },
          direction: { type: 'string', enum: ['ingress', 'egress'], description: 'As this tenant sees it.' },
          ports: {
            type: 'array',
            items: portSchema,
            maxItems: 32,
            description: 'Every port when left out or empty. What opens is what both sides name.',
          },
          expires: {
            type: 'string',
            title: 'a time as in RFC 3339',
            maxLength: 64,
            description: 'From this moment on the gate is shut: a time as in RFC 3339. Never when left out.',
          },
          clusters: {
            ...clusterNames,
            description: 'Other clusters of a mesh of Cilium where pods of the other tenant count too.',
          },
        },
      },
    },
    clusters: {
      ...clusterNames,
      description:
        'Other clusters of a mesh of Cilium where namespaces of this tenant have its label and its names. CiliumNetworkPolicies may name them.',
    },
  },
};
