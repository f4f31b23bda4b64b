import { listOf, valueAt } from '../kubernetes/json.ts';
import { type Check, nothing } from './check.ts';

/** Autoscalers hold the `scale` of every resource, and garbage collection asks for `finalizers`: these open no connection. */
const connecting: ReadonlySet<unknown> = new Set(['*', '*/portforward', '*/proxy', '*/exec', '*/attach']);

/**
 * A warning about a Role that holds every resource, subresources included.
 * Reads    apiGroups, resources and verbs of the rules of Roles
 * Warns    of rules for the core group whose resources are `*`, or `*` with a subresource that opens connections, and whose verbs do so
 * Why      such a rule also holds pods/portforward, pods/proxy and services/proxy, by which a connection passes by every policy
 *          (SVC-15). A rule that names them is meant so. RBAC decides who may write a Role, so nothing is refused
 */
export const wildcardRole: Check = {
  id: 'wildcard-role',
  headline: 'holds every resource, subresources included',
  protects: 'intent',
  neighbour({ kind, object }, { owner, requester }) {
    if (kind !== 'Role' || owner === 'platform' || requester.platform) return nothing;
    return listOf(valueAt(object, 'rules')).flatMap((rule, index) => {
      const groups = listOf(valueAt(rule, 'apiGroups'));
      const at = listOf(valueAt(rule, 'resources')).findIndex((one) => connecting.has(one));
      if (at < 0 || !(groups.includes('') || groups.includes('*')) || !opensConnections(rule)) return nothing;
      const reason = 'includes subresources such as pods/portforward, past every policy';
      return [{ path: `rules[${index}].resources[${at}]`, reason, fix: 'list the resources that are needed' }];
    });
  },
};

/** Of `proxy`, other verbs send a request too: PUT, PATCH or DELETE. Roles that only change or delete every object have them. */
const opening: ReadonlySet<unknown> = new Set(['*', 'get', 'create']);

function opensConnections(rule: unknown): boolean {
  return listOf(valueAt(rule, 'verbs')).some((verb) => opening.has(verb));
}
