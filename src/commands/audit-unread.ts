/** Which collections of policy kinds that Bulkhead does not read a cluster serves, by discovery. */
import { describe } from '../client/failure.ts';
import type { RequestingReader } from '../facts/cluster-reader.ts';
import { isUnread } from '../kinds/unread-kinds.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { agentsWrite, policyGroupNames } from '../tenancy/policy-groups.ts';

export interface UnreadCollection {
  readonly path: string;
  readonly kind: string;
  readonly group: string;
  /** The plural. */
  readonly resource: string;
}

/**
 * Those inside namespaces, without what agents write for every pod. Whether the platform wrote a cluster-scoped object is not known.
 *
 * @param failed called for each group that discovery does not answer
 */
export async function unreadCollections(
  { get }: Pick<RequestingReader, 'get'>,
  failed: (what: string) => void,
): Promise<readonly UnreadCollection[]> {
  const listIn = async (path: string, field: string): Promise<readonly Record<string, unknown>[]> => {
    const answer = await get(path);
    // A group that is gone meanwhile has no objects.
    if (!answer.ok && !(answer.kind === 'refused' && answer.status === 404))
      failed(`${path} cannot be read: ${describe(answer)}`);
    const list = answer.ok ? valueAt(answer.body, field) : undefined;
    return Array.isArray(list) ? list.filter(isMap) : [];
  };
  const found = new Map<string, UnreadCollection>();
  for (const served of await listIn('/apis', 'groups')) {
    const group = String(served.name);
    if (!policyGroupNames.has(group)) continue;
    const versions = (Array.isArray(served.versions) ? served.versions : []).filter(isMap);
    for (const { groupVersion } of versions)
      for (const { name, kind, namespaced, verbs } of await listIn(`/apis/${groupVersion}`, 'resources')) {
        const resource = String(name);
        const key = `${resource}.${group}`;
        const isListed = namespaced === true && Array.isArray(verbs) && verbs.includes('list');
        if (!isListed || found.has(key) || !isUnread(group, resource) || agentsWrite(group, resource)) continue;
        found.set(key, { path: `/apis/${groupVersion}/${resource}`, kind: String(kind), group, resource });
      }
  }
  return [...found.values()];
}
