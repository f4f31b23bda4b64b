/** Kinds of the policy groups that no entry of the table reads. An entry that is added takes its kind out of them. */
import { meshGroups } from '../tenancy/mesh-namespaces.ts';
import { policyGroupNames } from '../tenancy/policy-groups.ts';
import type { Kind } from './kind.ts';
import { kinds } from './kinds.ts';

const read: ReadonlySet<string> = new Set(kinds.map(({ group, plural }) => `${plural}.${group}`));

/** @param plural without a subresource */
export function isUnread(group: string, plural: string): boolean {
  return policyGroupNames.has(group) && !read.has(`${plural}.${group}`);
}

/** The webhook rule by which they are sent. Groups that a cluster lacks do no harm in it. */
export function unreadRule<Scope extends Kind['scope']>(scope: Scope) {
  return {
    apiGroups: [...policyGroupNames],
    apiVersions: ['*'],
    resources: ['*/*'],
    // A removal is left to RBAC (docs/decisions/0034).
    operations: ['CREATE', 'UPDATE'],
    scope,
  } as const;
}

/** The webhook rule for the namespaces of the mesh. What is read is sent by it as well, and removals too: these decide about every tenant. */
export const meshRule = {
  apiGroups: meshGroups,
  apiVersions: ['*'],
  // The status is istiod's, and its writes must not wait for Bulkhead.
  resources: ['*'],
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  scope: 'Namespaced',
} as const;

/** Of the policy groups, those that the table reads: by group, the plural resources. */
export function readResources(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { group, plural } of kinds)
    if (policyGroupNames.has(group)) found.set(group, [...(found.get(group) ?? []), plural]);
  return found;
}
