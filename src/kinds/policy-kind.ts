import type { PolicyRequest } from '../kubernetes/review.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { PolicyKind } from './kind.ts';
import { kinds } from './kinds.ts';
import { resourceNames } from './resource-name.ts';

export const policyKinds: readonly PolicyKind[] = kinds.filter((kind) => kind.family === 'policy');

/** Objects that two groups serve are listed, and counted, in one of them. */
export const listedPolicyKinds: readonly PolicyKind[] = policyKinds.filter(({ listedBy }) => listedBy === undefined);

const byResource: ReadonlyMap<string, PolicyKind> = new Map(
  policyKinds.flatMap((kind) => resourceNames(kind, [kind.plural]).map((resource) => [resource, kind] as const)),
);

/** Whether what a policy says is judged. Otherwise it is refused to tenants as a kind that Bulkhead does not read. */
export function isJudged(request: Pick<PolicyRequest, 'resource'>, settings: Settings): boolean {
  const { section } = policyKindOf(request);
  return section === undefined || settings[section] !== undefined;
}

/** @throws for a request that was not decoded by the table */
export function policyKindOf({ resource }: Pick<PolicyRequest, 'resource'>): PolicyKind {
  const kind = byResource.get(resource);
  if (kind === undefined) throw new Error(`${resource} is no policy of the table of kinds`);
  return kind;
}
