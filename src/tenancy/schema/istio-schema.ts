/** `spec.istio` of the settings. */
import { labelName } from './names.ts';
import type { StructuralSchema } from './structural-schema.ts';

export interface IstioDocument {
  readonly rootNamespace?: string;
  readonly trustDomains?: readonly string[];
  readonly providers?: readonly { readonly name: string; readonly tenants?: readonly string[] }[];
}

export const istioSchema: StructuralSchema = {
  type: 'object',
  description:
    'How the service mesh Istio is set up. With this section, even an empty one, Bulkhead reads AuthorizationPolicies; without it, tenants write none.',
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
  },
};
