import { valueAt } from '../kubernetes/json.ts';
import { type Check, nothing } from './check.ts';
import { listOf } from './written-endpoints.ts';

/**
 * A warning about a Role that holds every resource, subresources included.
 * Reads    apiGroups, resources and verbs of the rules of Roles
 * Warns    of rules for the core group whose resources are `*`, or `*` with a subresource
 * Why      such a rule also holds pods/portforward, pods/proxy and services/proxy, by which a connection passes by every policy, and
 *          services/status (SVC-15, ADM-01, ADM-02). RBAC decides who may write a Role, so nothing is refused
 */
export const wildcardRole: Check = {
  id: 'wildcard-role',
  headline: 'holds every resource, subresources included',
  protects: 'intent',
  neighbour({ kind, object }, { owner, requester }) {
    if (kind !== 'Role' || owner === 'platform' || requester.platform) return nothing;
    return listOf(valueAt(object, 'rules')).flatMap((rule, index) => {
      const groups = listOf(valueAt(rule, 'apiGroups'));
      const at = listOf(valueAt(rule, 'resources')).findIndex((one) => one === '*' || String(one).startsWith('*/'));
      if (at < 0 || !(groups.includes('') || groups.includes('*')) || readsAlone(rule)) return nothing;
      const reason = 'includes subresources such as pods/portforward, past every policy';
      return [{ path: `rules[${index}].resources[${at}]`, reason, fix: 'list the resources that are needed' }];
    });
  },
};

/** A connection needs get or create; to list and watch opens none. */
function readsAlone(rule: unknown): boolean {
  const verbs = listOf(valueAt(rule, 'verbs'));
  return verbs.every((verb) => verb === 'list' || verb === 'watch');
}
