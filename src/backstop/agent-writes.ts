/** Who writes cluster-scoped policy kinds beside the platform, in CEL: the agents of the network, and updates that change no content. */
import { agentsWriteIn, policyGroups } from '../tenancy/policy-groups.ts';
import type { Settings } from '../tenancy/settings.ts';
import { nameOf } from '../tenancy/subjects.ts';
import { allOf, anyOf, literal, platform, unchanged } from './expressions.ts';
import type { ResourceRule } from './rule.ts';

/** Beside the metadata, all that objects of these groups consist of: CiliumIdentities and CiliumEndpointSlices have fields of their own. */
const contents = ['spec', 'status', 'security-labels', 'namespace', 'endpoints', 'identities'];

export const resource = 'request.resource.resource';

/** Everything cluster-scoped of a group, or these resources with their subresources. */
export function clusterScoped(groups: readonly string[], resources: readonly string[]): ResourceRule {
  const operations = ['CREATE', 'UPDATE'] as const;
  return { apiGroups: groups, apiVersions: ['*'], resources, operations, scope: 'Cluster' };
}

/** An account counts by its name alone: whose its namespace is, only the webhook knows. */
export function mayWrite({ platform: { networkAgents } }: Settings): string {
  const inGroup = (groups: readonly string[]): string => `request.resource.group in ${literal([...groups])}`;
  const byAgents = networkAgents.map(({ subjects, groups, every }) => {
    const written = groups.flatMap((group) => {
      const resources = agentsWriteIn(group);
      return resources.length === 0 ? [] : [allOf(inGroup([group]), `${resource} in ${literal([...resources])}`)];
    });
    const own = every
      ? inGroup(groups)
      : anyOf(allOf('request.?subResource.orValue("") == "status"', inGroup(groups)), ...written);
    return allOf(`request.userInfo.username in ${literal(subjects.map(nameOf))}`, own);
  });
  const keepsContent = allOf(
    'request.operation == "UPDATE"',
    unchanged('labels', 'annotations'),
    ...contents.map((field) => `object[?${literal(field)}] == oldObject[?${literal(field)}]`),
  );
  return anyOf(platform, ...byAgents, keepsContent);
}

/** The groups of the table, for what a rule says of all of them. */
export const allGroups: readonly string[] = policyGroups.map(({ group }) => group);
