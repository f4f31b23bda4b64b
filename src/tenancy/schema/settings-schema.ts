import { knownMeshes, type Mesh } from '../../keys/key-group.ts';
import type { PodSecurityLevel } from '../settings.ts';
import { type GatesDocument, gatesSchema } from './gates-schema.ts';
import { type GrantDocuments, grantSchemas } from './grant-schemas.ts';
import { type IstioDocument, istioSchema } from './istio-schema.ts';
import { labelKey, labelName, labelOrAnnotationKey, namePrefix } from './names.ts';
import { type NetworkDocument, networkSchema } from './network-schema.ts';
import { type PodsDocument, podsSchema } from './pods-schema.ts';
import { type NetworkAgentDocument, networkAgentsSchema } from './policy-kinds-schema.ts';
import { type SharedServiceDocument, sharedServicesSchema } from './shared-service-schema.ts';
import type { StructuralSchema } from './structural-schema.ts';
import { type SubjectDocument, subjectSchema } from './subject-schema.ts';
import { apiVersion } from './tenant-schema.ts';
import { type TrustedLabelDocument, trustedLabelsSchema } from './trusted-label-schema.ts';

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
      readonly networkAgents?: readonly NetworkAgentDocument[];
    } & GrantDocuments;
    readonly reserved?: {
      readonly namespaceKeys?: readonly string[];
      readonly podKeys?: readonly string[];
      readonly policyKeys?: readonly string[];
      readonly serviceKeys?: readonly string[];
      readonly routeKeys?: readonly string[];
      readonly released?: readonly string[];
      readonly allowedValues?: readonly { readonly key: string; readonly values: readonly string[] }[];
    };
    readonly podSecurity?: { readonly clusterDefault?: PodSecurityLevel };
    readonly mesh?: Mesh;
    readonly istio?: IstioDocument;
    readonly pods?: PodsDocument;
    readonly rights?: { readonly judged?: boolean };
    readonly network?: NetworkDocument;
    readonly sharedServices?: readonly SharedServiceDocument[];
    readonly trustedNamespaceLabels?: readonly TrustedLabelDocument[];
    readonly gates?: GatesDocument;
  };
}

const reservedKey = {
  type: 'string',
  title:
    'a label or annotation key, the beginning of one that ends in a slash, dot, hyphen or colon, or the ending of one after an asterisk and a dot',
  pattern: '^(?:[A-Za-z0-9][-A-Za-z0-9_./:]*|\\*\\.[-A-Za-z0-9_./:]*[A-Za-z0-9])$',
  maxLength: 318,
} as const satisfies StructuralSchema;

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
            networkAgents: networkAgentsSchema,
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
            serviceKeys: {
              type: 'array',
              items: reservedKey,
              description: 'On Services, such as those of the load balancers of a cloud; adds to the built-in list.',
            },
            routeKeys: {
              type: 'array',
              items: reservedKey,
              description: 'On Ingresses and routes; adds to the built-in list.',
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
        istio: istioSchema,
        pods: podsSchema,
        rights: {
          type: 'object',
          description: 'Roles and RoleBindings of tenants. Bulkhead warns of them and never refuses one.',
          properties: {
            judged: {
              type: 'boolean',
              description:
                'Whether the authors of Roles and RoleBindings are warned. With false the API server does not send them.',
            },
          },
        },
        network: networkSchema,
        sharedServices: sharedServicesSchema,
        trustedNamespaceLabels: trustedLabelsSchema,
        gates: gatesSchema,
      },
    },
  },
};
