/** `spec.istio` of the settings. */
import { type MutualTls, mutualTlsModes } from '../istio-settings.ts';
import type { Mode } from '../tenant.ts';
import { labelName } from './names.ts';
import type { StructuralSchema } from './structural-schema.ts';

export interface IstioDocument {
  readonly rootNamespace?: string;
  readonly trustDomains?: readonly string[];
  readonly providers?: readonly { readonly name: string; readonly tenants?: readonly string[] }[];
  readonly mtls?: MutualTls;
  readonly mtlsGrants?: readonly MtlsGrantDocument[];
  readonly domain?: string;
  readonly defaultExportTo?: readonly string[];
  readonly ambient?: boolean;
  readonly layerModes?: readonly Mode[];
}

export interface MtlsGrantDocument {
  readonly mtls: MutualTls;
  readonly tenants?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly ports?: readonly number[];
}

export const istioSchema: StructuralSchema = {
  type: 'object',
  description:
    'How the service mesh Istio is set up. With this section, even an empty one, Bulkhead reads AuthorizationPolicies, PeerAuthentications, RequestAuthentications, and the kinds that lead traffic; without it, tenants write none.',
  properties: {
    rootNamespace: {
      ...labelName,
      description:
        "rootNamespace of Istio's MeshConfig, whose policies hold for the whole mesh. The name becomes the platform's. Default: istio-system.",
    },
    trustDomains: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'string',
        title: 'a trust domain such as cluster.local',
        pattern: '^[a-z0-9]([-a-z0-9._]*[a-z0-9])?$',
        maxLength: 255,
      },
      description:
        'trustDomain and trustDomainAliases of the MeshConfig. Identities of all of them are of the namespaces that they name. Default: cluster.local.',
    },
    providers: {
      type: 'array',
      description: 'extensionProviders of the MeshConfig that AuthorizationPolicies with action CUSTOM may name.',
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: {
            type: 'string',
            title: 'a name of 1 to 253 characters',
            minLength: 1,
            maxLength: 253,
            description: 'The name of the provider. Compared exactly.',
          },
          tenants: { type: 'array', items: labelName, description: 'Who may name it; every tenant when left out.' },
        },
      },
    },
    mtls: {
      type: 'string',
      enum: [...mutualTlsModes],
      description:
        'The least that PeerAuthentications of tenants may ask of callers. strict: mutual TLS alone. permissive: plain text as well. disable: anything. Default: strict.',
    },
    domain: {
      type: 'string',
      title: 'a domain such as cluster.local',
      pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
      maxLength: 253,
      description:
        'The domain of the cluster in the DNS, below which SERVICE.NAMESPACE.svc is a Service. Default: cluster.local.',
    },
    defaultExportTo: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'string',
        title: '., * or the name of a namespace',
        pattern: '^([.*]|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$',
        maxLength: 63,
      },
      description:
        'What an object without exportTo is exported to: defaultServiceExportTo, defaultVirtualServiceExportTo and defaultDestinationRuleExportTo of the MeshConfig together. Default: *, every namespace.',
    },
    ambient: {
      type: 'boolean',
      description:
        'Whether pods can be in ambient mode. Its proxies ignore exportTo, so that nothing stays in the namespaces of a tenant by it. Policies that have no effect there are warned of. Default: false with mesh istio, true with istio-ambient; otherwise it is not known, and exportTo counts for nothing.',
    },
    layerModes: {
      type: 'array',
      items: { type: 'string', enum: ['enforce', 'warn', 'audit'] },
      description:
        'The modes of tenants in which a written policy is compared with the others of its namespace, and contradictions between layers 4 and 7 are answered with warnings. Each such write costs live lists of the namespace. Default: enforce and warn. An empty list switches it off.',
    },
    mtlsGrants: {
      type: 'array',
      description: 'Where less is enough, for a time of change or for ports that programs outside the mesh call.',
      items: {
        type: 'object',
        required: ['mtls'],
        properties: {
          mtls: { type: 'string', enum: [...mutualTlsModes], description: 'What is enough there.' },
          tenants: {
            type: 'array',
            items: labelName,
            description: 'In namespaces of these tenants. Every one when left out; namespaces are needed then.',
          },
          namespaces: {
            type: 'array',
            items: labelName,
            description: 'In namespaces with these names. Every one of the tenants when left out.',
          },
          ports: {
            type: 'array',
            minItems: 1,
            items: { type: 'integer', minimum: 1, maximum: 65535 },
            description: 'In portLevelMtls of these ports alone. Everywhere when left out.',
          },
        },
      },
    },
  },
};
