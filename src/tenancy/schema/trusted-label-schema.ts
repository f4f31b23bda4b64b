/** `trustedNamespaceLabels`: labels that only the platform writes, and the namespaces that have them. */
import { labelKey, labelName } from './names.ts';
import type { StructuralSchema } from './structural-schema.ts';

export interface TrustedLabelDocument {
  readonly key: string;
  readonly values: readonly { readonly value: string; readonly namespaces: readonly string[] }[];
}

export const trustedLabelsSchema: StructuralSchema = {
  type: 'array',
  description:
    'Labels of namespaces that only the platform writes, such as those of the OpenShift router. Policies of tenants may select shared services by them.',
  items: {
    type: 'object',
    required: ['key', 'values'],
    properties: {
      key: { ...labelKey, description: 'The label. Reserved on namespaces; no namespace of a tenant may have it.' },
      values: {
        type: 'array',
        minItems: 1,
        description: 'The values that policies may select. Any other value proves nothing.',
        items: {
          type: 'object',
          required: ['value', 'namespaces'],
          properties: {
            value: {
              type: 'string',
              title: 'a label value: at most 63 letters, digits and inner hyphens, underscores and dots, or empty',
              pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
              maxLength: 63,
              description: 'The value, which may be empty.',
            },
            namespaces: {
              type: 'array',
              items: labelName,
              minItems: 1,
              maxItems: 32,
              description: 'Every namespace that has it. Only the platform may create them.',
            },
          },
        },
      },
    },
  },
};
