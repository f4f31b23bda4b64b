import { isManagedName, managedPrefix } from '../baseline/managed.ts';
import { isNetworkPolicy } from '../kinds/network-policy/network-policy.ts';
import { domainFor } from '../kubernetes/label-selector.ts';
import type { AllowRule, DenyRule } from '../reach/model.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, nothing } from './check.ts';

/**
 * The author of a NetworkPolicy learns that it allows only what the baseline allows already.
 * Reads    the rules of a policy of a tenant in mode `enforce`; network.within of the tenant
 * Warns    when there are rules, and the peers of all of them are pods that `bulkhead-allow-within` lets in and out already
 * Why      policies add up, so such a policy changes nothing. Its author often means to restrict traffic, and believes that it does
 */
export const alreadyAllowed: Check = {
  id: 'already-allowed',
  headline: 'allows only what the baseline allows already',
  protects: 'intent',
  policy(request, { owner, tenancy, reach, border }) {
    if (owner === 'platform' || owner.mode !== 'enforce' || owner.network.within === 'none') return nothing;
    if (request.operation === 'DELETE' || !isNetworkPolicy(request) || isManagedName(request.name)) return nothing;
    const { rules, isolates } = reach;
    if (rules.length === 0 || isolates.length === 0 || border.length > 0) return nothing;
    if (!rules.every((rule) => isWithin(rule, owner, tenancy.settings.tenantLabel))) return nothing;
    return [
      {
        path: 'spec',
        reason: `allows only what ${managedPrefix}allow-within allows already, and restricts nothing`,
        fix: 'remove it; to restrict traffic in the tenant, ask for another network.within',
      },
    ];
  },
};

function isWithin({ action, peer }: AllowRule | DenyRule, { name, network }: Tenant, tenantLabel: string): boolean {
  if (action !== 'allow' || peer.kind !== 'selector') return false;
  if (peer.namespaces === undefined) return true;
  if (network.within !== 'tenant') return false;
  const tenants = domainFor(peer.namespaces, tenantLabel);
  return tenants.finite && !tenants.absent && [...tenants.values].every((value) => value === name);
}
