/** In which namespace an object of a file is, and which namespaces files are about. */
import type { NamespaceRecord } from '../admission/facts.ts';
import type { WrittenObject } from '../files/written-objects.ts';
import type { ReviewedResource } from '../kinds/kind-of-object.ts';
import { isMap, type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';

const clusterScoped: ReadonlySet<string> = new Set([
  ...['Namespace', 'Tier', 'FelixConfiguration', 'CiliumClusterwideNetworkPolicy'],
  ...['GlobalNetworkPolicy', 'GlobalNetworkSet'],
  ...['ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'],
]);

export const defaultNamespace = 'default';

export function inNamespace(object: JsonMap, kind: string, namespace = defaultNamespace): JsonMap {
  const own = valueAt(object, 'metadata', 'namespace');
  return clusterScoped.has(kind) || (typeof own === 'string' && own !== '') ? object : placed(object, namespace);
}

export function placed(object: JsonMap, namespace: string): JsonMap {
  return { ...object, metadata: { ...(isMap(object.metadata) ? object.metadata : {}), namespace } };
}

/** A namespace that no file holds is one all the same: its owner is whom its name is reserved to. */
export function withNamespaces(objects: readonly JsonMap[], tenancy: Tenancy): readonly JsonMap[] {
  const listed = new Set<unknown>();
  const named = new Set<string>();
  for (const { kind, metadata } of objects) {
    const { name, namespace } = (metadata ?? {}) as { readonly name?: unknown; readonly namespace?: unknown };
    if (kind === 'Namespace') listed.add(name);
    else if (typeof namespace === 'string') named.add(namespace);
  }
  const missing = [...named].filter((name) => !listed.has(name));
  return [
    ...objects,
    ...missing.map((name) => {
      const { labels = {} } = assumedRecord(name, tenancy) ?? {};
      return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    }),
  ];
}

/** Of a namespace that is not there: its owner is whom its name is reserved to. Undefined: no tenant. */
export function assumedRecord(name: string, tenancy: Tenancy): NamespaceRecord | undefined {
  const owner = tenancy.reservation(name);
  if (owner === undefined) return undefined;
  const labels = owner === 'platform' ? {} : { [tenancy.settings.tenantLabel]: owner.name };
  return { name, uid: '', labels, terminating: false };
}

/** Kinds that no table has and that are cluster-scoped by their names: what their objects say of a namespace, the API server drops. */
const clusterScopedName = /^(Cluster|Global|StagedGlobal|AdminNetwork|BaselineAdmin)|Clusterwide/;

/** Empty for what is cluster-scoped, and for what names none. */
export function namespaceOf(
  resource: ReviewedResource,
  { object }: WrittenObject,
  otherwise: string | undefined,
): string {
  const { scope, kind } = resource;
  if (scope === 'Cluster' || (scope === 'unknown' && clusterScopedName.test(kind))) return '';
  const own = valueAt(object, 'metadata', 'namespace');
  return typeof own === 'string' && own !== '' ? own : (otherwise ?? '');
}
