import { entry } from '../kubernetes/objects.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { sameAmount } from './managed-quota.ts';

/**
 * Every name under which the API server counts what Bulkhead puts in place, and what it counts: `count/RESOURCE.GROUP`,
 * `count/RESOURCE` in the core group, and for quotas the name from before `count/`. They are compared letter by letter there.
 * Source: k8s.io/apiserver, pkg/quota/v1/generic/evaluator.go; k8s.io/kubernetes, pkg/quota/v1/evaluator/core/registry.go.
 */
export const countsOfBaseline: ReadonlyMap<string, string> = new Map([
  ['count/networkpolicies.networking.k8s.io', 'policies'],
  ['count/resourcequotas', 'quotas'],
  ['resourcequotas', 'quotas'],
  ['count/limitranges', 'LimitRanges'],
]);

/**
 * A ResourceQuota in a tenant namespace does not limit what Bulkhead puts in place.
 * Reads    spec.hard of the new and the stored ResourceQuota; status.hard when the status is written
 * Allowed  CREATE, UPDATE: limits on anything but NetworkPolicies, ResourceQuotas and LimitRanges, such limits that the stored quota has
 *          already, and anything by the platform
 *          UPDATE of the status, beside that: what spec.hard says, as the quota controller writes it
 *          DELETE: always
 * Why      the baseline is created like everything else, so such a quota keeps it out: the namespace stays without its
 *          default-deny. No limit is high enough, since the tenant's own policies and quotas use it up. What is enforced stands
 *          in the status, and the quota controller does not correct a status at once
 */
export const quotaOnBaseline: Check = {
  id: 'quota-on-baseline',
  headline: 'limits objects that Bulkhead manages',
  protects: 'identity',
  quota({ operation, subresource, object, oldObject }, { owner, requester }) {
    if (owner === 'platform' || requester.platform || operation === 'DELETE') return nothing;
    const field = subresource === 'status' ? 'status' : 'spec';
    const [after, before] = [object[field]?.hard, oldObject?.[field]?.hard];
    const findings: Finding[] = [];
    for (const [name, counted] of countsOfBaseline) {
      const limit = entry(after, name);
      if (limit === undefined || sameAmount(limit, entry(before, name))) continue;
      if (field === 'status' && sameAmount(limit, entry(object.spec?.hard, name))) continue;
      findings.push({
        path: `${field}.hard[${name}]`,
        reason: `limits how many ${counted} there may be, and could keep out those that Bulkhead puts in place`,
        fix: 'remove it; for such a limit, ask the platform team',
      });
    }
    return findings;
  },
};
