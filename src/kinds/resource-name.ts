/** Names of resources with their group and version. */
import type { Kind } from './kind.ts';

/** `v1`, `networking.k8s.io/v1` */
export function apiVersionsOf({ group, versions }: Kind): readonly [string, ...string[]] {
  const [first, ...others] = versions;
  const prefix = group === '' ? '' : `${group}/`;
  return [prefix + first, ...others.map((version) => prefix + version)];
}

/** @returns for example `v1/pods/status`, `networking.k8s.io/v1/networkpolicies` */
export function resourceNames(kind: Kind, resources: readonly string[]): readonly string[] {
  return apiVersionsOf(kind).flatMap((apiVersion) => resources.map((resource) => `${apiVersion}/${resource}`));
}

/** The API server lists all objects of the kind at the first of these paths that it serves. */
export function collectionPaths(kind: Kind & { readonly storedIn?: string }): readonly [string, ...string[]] {
  const [first, ...others] = [...apiVersionsOf(kind), ...(kind.storedIn === undefined ? [] : [kind.storedIn])];
  const pathOf = (apiVersion: string): string => `${kind.group === '' ? '/api' : '/apis'}/${apiVersion}/${kind.plural}`;
  return [pathOf(first), ...others.map(pathOf)];
}
