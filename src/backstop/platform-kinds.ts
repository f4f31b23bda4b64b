import { platformKinds as check } from '../checks/platform-kinds.ts';
import { platformKinds as kinds } from '../tenancy/platform-kinds.ts';
import { clusterScoped, mayWrite } from './agent-writes.ts';
import type { Rule } from './rule.ts';

const resourcesOf = new Map<string, string[]>();
for (const name of kinds.keys()) {
  const dot = name.indexOf('.');
  const group = name.slice(dot + 1);
  resourcesOf.set(group, [...(resourcesOf.get(group) ?? []), name.slice(0, dot)]);
}

/**
 * The cluster-scoped kinds of the platform, also those that its agents need to start with: the match conditions of the webhook leave these
 * out for the agents.
 * Leaves to the webhook   what is inside namespaces
 */
export const platformKinds: Rule = {
  check,
  kind: 'object',
  on: [...resourcesOf].map(([group, resources]) =>
    clusterScoped(
      [group],
      resources.flatMap((one) => [one, `${one}/*`]),
    ),
  ),
  admits: (_, settings) => mayWrite(settings),
};
