/** Names of resources with their group and version. */
import type { Kind } from './kind.ts';

/** `v1`, `networking.k8s.io/v1` */
export function apiVersionsOf({ group, versions }: Kind): readonly string[] {
  return group === '' ? versions : versions.map((version) => `${group}/${version}`);
}

/** @returns for example `v1/pods/status`, `networking.k8s.io/v1/networkpolicies` */
export function resourceNames(kind: Kind, resources: readonly string[]): readonly string[] {
  return apiVersionsOf(kind).flatMap((apiVersion) => resources.map((resource) => `${apiVersion}/${resource}`));
}
