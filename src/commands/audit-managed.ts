/** Objects with a name or a label of Bulkhead's own, which are compared with the baseline of their namespace. */
import { baselineOf } from '../baseline/baseline.ts';
import { canonicalSpec } from '../baseline/canonical-spec.ts';
import { isManaged, isManagedName, managedByLabel, managedByValue } from '../baseline/managed.ts';
import type { Kind } from '../kinds/kind.ts';
import { canonicalJson, mapIn } from '../kubernetes/json.ts';
import { entry, type KubernetesObject } from '../kubernetes/objects.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';

/**
 * What speaks against an object of a tenant's namespace being Bulkhead's; undefined where it is, or does not look like it.
 * metadata.managedFields prove nothing: each client chooses the name of its manager.
 */
export function doubtAboutMark(
  { kind, group, versions }: Kind,
  object: KubernetesObject,
  tenant: Tenant,
  settings: Settings,
): string | undefined {
  const { name = '', namespace = '', labels } = object.metadata ?? {};
  if (!isManagedName(name) && entry(labels, managedByLabel) !== managedByValue) return undefined;
  const apiVersions = versions.map((version) => (group === '' ? version : `${group}/${version}`));
  const wanted = baselineOf(namespace, tenant, settings).find(
    (one) => one.kind === kind && one.metadata.name === name && apiVersions.includes(one.apiVersion),
  );
  if (wanted === undefined || !isManaged(object))
    return 'has a name or a label of Bulkhead, and is not of its baseline: unless another version of Bulkhead keeps it, remove it or rename it';
  return specText(object) === specText(wanted)
    ? undefined
    : 'has the name of an object of the baseline, and another spec: have audit read the settings that are in force, with their version of Bulkhead; otherwise remove it';
}

function specText(object: object): string {
  return canonicalJson(canonicalSpec(mapIn(object, 'spec')));
}
