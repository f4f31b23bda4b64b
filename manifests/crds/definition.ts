/** What the CustomResourceDefinitions of bulkhead.dev/v1alpha1 share. Source: apiextensions.k8s.io/v1 CustomResourceDefinition. */

interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** 1: only with `-o wide`. */
  readonly priority?: number;
}

export interface DefinitionOptions<Schema> {
  readonly scope: 'Cluster' | 'Namespaced';
  readonly kind: string;
  readonly shortNames?: readonly string[];
  readonly columns: readonly Column[];
  readonly schema: Schema;
}

/** The column of a condition, by the field of it that is shown. */
export const conditionColumn = (name: string, type: 'Ready' | 'GatesOpen', field: 'status' | 'reason'): Column => ({
  name,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].${field}`,
});

export function definitionOf<Schema>({ scope, kind, shortNames, columns, schema }: DefinitionOptions<Schema>) {
  const singular = kind.toLowerCase();
  const plural = `${singular}s`;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.bulkhead.dev` },
    spec: {
      group: 'bulkhead.dev',
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular, ...(shortNames && { shortNames }) },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
}
