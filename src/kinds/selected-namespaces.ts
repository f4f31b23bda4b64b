/** The namespaces inside of which the API server asks: the namespaceSelector of the webhooks and of the backstop. */
import { namespaceNameLabel } from '../kubernetes/objects.ts';

/** Never selected, so that a cluster can be repaired while Bulkhead is down, and Bulkhead can start again. */
export const unselectedNamespaces: readonly string[] = ['kube-system', 'bulkhead-system'];

/** By labels that tenants cannot change: the name, which the API server sets, and the tenant label, which Bulkhead guards. */
export interface NamespaceSelector {
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** @param tenantLabel undefined: namespaces without it are selected, too */
export function namespaceSelector(tenantLabel: string | undefined): NamespaceSelector {
  const named = { key: namespaceNameLabel, operator: 'NotIn', values: unselectedNamespaces };
  return { matchExpressions: tenantLabel === undefined ? [named] : [named, { key: tenantLabel, operator: 'Exists' }] };
}

/** By their names, but for those that are never selected. */
export function namedNamespaces(names: Iterable<string>): NamespaceSelector {
  const values = [...names].filter((name) => !unselectedNamespaces.includes(name));
  return values.length === 0
    ? noNamespace
    : { matchExpressions: [{ key: namespaceNameLabel, operator: 'In', values }] };
}

/** The API server sets the label on every namespace, so this selects none. */
export const noNamespace: NamespaceSelector = {
  matchExpressions: [{ key: namespaceNameLabel, operator: 'DoesNotExist' }],
};
