import { unknownPolicyKind as check } from '../checks/unknown-policy-kind.ts';
import { platformKinds } from '../tenancy/platform-kinds.ts';
import { allGroups, clusterScoped, mayWrite, resource } from './agent-writes.ts';
import { anyOf, literal } from './expressions.ts';
import type { Rule } from './rule.ts';

/**
 * Cluster-scoped policy kinds that no list names. No entry of the table of kinds is cluster-scoped and of these groups.
 * Leaves to the webhook   what is inside namespaces
 */
export const unknownPolicyKind: Rule = {
  check,
  kind: 'object',
  on: [clusterScoped(allGroups, ['*/*'])],
  admits: (_, settings) =>
    anyOf(`(${resource} + "." + request.resource.group) in ${literal([...platformKinds.keys()])}`, mayWrite(settings)),
};
