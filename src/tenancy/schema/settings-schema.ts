import { knownMeshes, knownPlugins, type Mesh, type NetworkPlugin } from '../../keys/key-group.ts';
import type { LabelSelector } from '../../kubernetes/label-selector.ts';
import type { PodSecurityLevel } from '../settings.ts';
import { type GrantDocuments, grantSchemas } from './grant-schemas.ts';
import { labelKey, labelName, labelOrAnnotationKey, namePrefix, objectName } from './names.ts';
import { type PortDocument, portSchema } from './port-schema.ts';
import type { StructuralSchema } from './structural-schema.ts';
import { type SubjectDocument, subjectSchema } from './subject-schema.ts';
import { apiVersion } from './tenant-schema.ts';

/** A Settings document that has passed its schema. */
export interface SettingsDocument {
  readonly spec: {
    readonly enforcement?: 'observe' | 'enforce';
    readonly docsURL?: string;
    readonly tenantLabel?: string;
    readonly platform?: {
      readonly identities?: readonly SubjectDocument[];
      readonly schedulers?: readonly SubjectDocument[];
      readonly namespaces?: readonly string[];
      readonly prefixes?: readonly string[];
    } & GrantDocuments;
    readonly reserved?: {
      readonly namespaceKeys?: readonly string[];
      readonly podKeys?: readonly string[];
      readonly policyKeys?: readonly string[];
      readonly released?: readonly string[];
      readonly allowedValues?: readonly { readonly key: string; readonly values: readonly string[] }[];
    };
    readonly podSecurity?: { readonly clusterDefault?: PodSecurityLevel };
    readonly mesh?: Mesh;
    readonly pods?: {
      readonly sysctls?: readonly string[];
      readonly runtimeClasses?: readonly string[];
    };
    readonly network?: {
      readonly plugin?: NetworkPlugin;
      readonly ipFamilies?: readonly ('IPv4' | 'IPv6')[];
      readonly podCIDRs?: readonly string[];
      readonly serviceCIDRs?: readonly string[];
      readonly nodeCIDRs?: readonly string[];
      readonly metadataAddresses?: readonly string[];
      readonly protectedCIDRs?: readonly { readonly name: string; readonly cidr: string }[];
    };
    readonly sharedServices?: readonly SharedServiceDocument[];
  };
}

export interface SharedServiceDocument {
  readonly name: string;
  readonly direction: 'ingress' | 'egress';
  readonly namespace: string;
  readonly podSelector: LabelSelector;
  readonly ports?: readonly PortDocument[];
  readonly addresses?: readonly string[];
}

const reservedKey = {
  type: 'string',
  title:
    'a label or annotation key, the beginning of one that ends in a slash, dot, hyphen or colon, or the ending of one after an asterisk and a dot',
  pattern: '^(?:[A-Za-z0-9][-A-Za-z0-9_./:]*|\\*\\.[-A-Za-z0-9_./:]*[A-Za-z0-9])$',
  maxLength: 318,
} as const satisfies StructuralSchema;

/** The API server takes slashes for dots as well. There is one way to write it here. */
const networkSysctl = {
  type: 'string',
  title: 'a kernel setting of the network such as net.core.somaxconn',
  pattern: '^net\\.[-a-z0-9_.]+$',
  maxLength: 253,
} as const satisfies StructuralSchema;

const addressRanges = { type: 'array', items: { type: 'string' } } as const satisfies StructuralSchema;

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

export const settingsSchema: StructuralSchema = {
  type: 'object',
  description: 'What the platform decides for all tenants.',
  required: ['apiVersion', 'kind', 'spec'],
  properties: {
    apiVersion: { type: 'string', enum: [apiVersion] },
    kind: { type: 'string', enum: ['Settings'] },
    metadata: { type: 'object', properties: {} },
    spec: {
      type: 'object',
      properties: {
        enforcement: {
          type: 'string',
          enum: ['observe', 'enforce'],
          description:
            'What becomes of a request with a finding that refuses. enforce denies it. observe denies, changes and creates nothing, and says what enforce would deny.',
        },
        docsURL: {
          type: 'string',
          title: 'an http or https URL or a relative path, at most 128 characters',
          maxLength: 128,
          description:
            'The published docs folder. Denials and the backstop link to its pages, such as docsURL/checks/host-network.md.',
        },
        tenantLabel: {
          ...labelKey,
          description:
            'The namespace label that says to which tenant a namespace belongs; bulkhead.dev/tenant by default.',
        },
        platform: {
          type: 'object',
          description: "What is the platform's. Every list adds to the built-in one.",
          properties: {
            identities: { type: 'array', items: subjectSchema, description: 'Whose word is final. Compared exactly.' },
            schedulers: {
              type: 'array',
              items: subjectSchema,
              description:
                'Who may put pods of tenants on nodes, beside the scheduler of Kubernetes. Compared exactly.',
            },
            namespaces: { type: 'array', items: labelName, description: 'Names that only the platform may create.' },
            prefixes: {
              type: 'array',
              items: namePrefix,
              description: 'Beginnings of names that only the platform may create.',
            },
            ...grantSchemas,
          },
        },
        reserved: {
          type: 'object',
          description: 'Label and annotation keys that tenants may not set.',
          properties: {
            namespaceKeys: {
              type: 'array',
              items: reservedKey,
              description: 'On namespaces; adds to the built-in list.',
            },
            podKeys: { type: 'array', items: reservedKey, description: 'On pods; adds to the built-in list.' },
            policyKeys: {
              type: 'array',
              items: reservedKey,
              description: 'On network policies; adds to the built-in list.',
            },
            released: {
              type: 'array',
              items: reservedKey,
              description: 'Entries of the built-in lists that tenants may set after all.',
            },
            allowedValues: {
              type: 'array',
              description:
                'Values of reserved keys that tenants may set, such as what the injector of a mesh is configured to write.',
              items: {
                type: 'object',
                required: ['key', 'values'],
                properties: {
                  key: { ...labelOrAnnotationKey, description: 'The reserved key.' },
                  values: {
                    type: 'array',
                    items: { type: 'string' },
                    description:
                      'Compared exactly. Where the key holds a list of ports, ranges or networks: the items that it may hold.',
                  },
                },
              },
            },
          },
        },
        podSecurity: {
          type: 'object',
          description: 'What Pod Security does in namespaces without its labels.',
          properties: {
            clusterDefault: {
              type: 'string',
              enum: ['privileged', 'baseline', 'restricted'],
              description:
                'The level that it enforces. With privileged, tenants may label a namespace baseline that has no level yet.',
            },
          },
        },
        mesh: {
          type: 'string',
          enum: [...knownMeshes],
          description:
            'The service mesh. Only its keys are reserved then, none with none; the keys of every mesh when left out. With sidecars beside it, istio-ambient.',
        },
        pods: {
          type: 'object',
          description: 'What pods of tenants may ask of their node.',
          properties: {
            sysctls: {
              type: 'array',
              items: networkSysctl,
              description:
                'Kernel settings of the network that pods may have, beside those that Kubernetes calls safe.',
            },
            runtimeClasses: {
              type: 'array',
              items: objectName,
              description: 'Runtime classes that pods may ask for; every one when left out, none when empty.',
            },
          },
        },
        network: {
          type: 'object',
          description: 'The addresses of the cluster, which no policy of a tenant may open.',
          properties: {
            plugin: {
              type: 'string',
              enum: [...knownPlugins],
              description:
                'What connects pods and enforces policies. Only keys that it may read are reserved then; the keys of every plugin with other, and when left out.',
            },
            ipFamilies: {
              type: 'array',
              items: { type: 'string', enum: ['IPv4', 'IPv6'] },
              description:
                'The address families of the cluster. Ranges of other families need not be listed. Default: both.',
            },
            podCIDRs: { ...addressRanges, description: 'Where pods get their addresses.' },
            serviceCIDRs: { ...addressRanges, description: 'Where Services get their cluster IPs.' },
            nodeCIDRs: { ...addressRanges, description: 'Where the nodes are, control plane included.' },
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
          },
        },
        sharedServices: {
          type: 'array',
          description:
            'What every tenant may use (egress) or is reached from (ingress), in namespaces of the platform. Replaces the built-in list, which is the DNS of the cluster.',
          items: {
            type: 'object',
            required: ['name', 'direction', 'namespace', 'podSelector'],
            properties: {
              name: { ...labelName, description: 'Part of the name of the policy that each namespace gets for it.' },
              direction: { type: 'string', enum: ['ingress', 'egress'], description: 'As a tenant sees it.' },
              namespace: { ...labelName, description: 'Where its pods run.' },
              podSelector: {
                ...labelSelectorSchema,
                description: 'Which pods they are; {} is every pod of the namespace.',
              },
              ports: { type: 'array', items: portSchema, description: 'Every port when left out or empty.' },
              addresses: {
                ...addressRanges,
                description: 'Addresses it answers on besides its pods, such as a node-local DNS cache.',
              },
            },
          },
        },
      },
    },
  },
};
