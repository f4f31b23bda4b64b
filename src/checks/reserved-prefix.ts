import { entry } from '../kubernetes/objects.ts';
import { describeReserved } from '../tenancy/reserved-names.ts';
import type { Owner, Requester } from '../tenancy/tenancy.ts';
import { type Check, type Finding, nothing } from './check.ts';

/**
 * Only the owner of a reserved name gets a namespace with it.
 * Reads    metadata.name on CREATE once an owner is decided, and on an UPDATE by which the platform changes the tenant label
 * Allowed  names and prefixes of a tenant: for namespaces of that tenant, also when the platform creates them;
 *          the platform's names and prefixes: for the platform, and for namespaces that a provisioner creates for it
 * Why      a policy may select a namespace by its name, and counts as proven because no other owner can take that name;
 *          many controllers exempt names such as kube-* (ADM-04). A denial does not show the names of other tenants, which
 *          are mostly names of customers (TEN-24)
 */
export const reservedPrefix: Check = {
  id: 'reserved-prefix',
  headline: 'uses a reserved name',
  protects: 'identity',
  namespace(request, facts) {
    const { requester, tenancy, ownership } = facts;
    if (request.operation === 'DELETE') return nothing;
    const key = tenancy.settings.tenantLabel;
    const label = entry(request.object.metadata?.labels, key);
    if (request.operation === 'UPDATE') {
      // Only the platform may change the label: `tenant-label-frozen`.
      if (!requester.platform || label === entry(request.oldObject?.metadata?.labels, key)) return nothing;
    } else if (ownership?.kind !== 'decided') return nothing;
    const reservation = tenancy.reservation(request.name);
    if (reservation === undefined) return nothing;
    const future: Owner = label === undefined ? 'platform' : (tenancy.tenants.get(label) ?? 'platform');
    const ofPlatform = requester.platform || (ownership?.kind === 'decided' && ownership.owner === 'platform');
    if (reservation === 'platform' ? ofPlatform : reservation === future) return nothing;
    return [{ path: 'metadata.name', ...refusal(request.name, reservation, requester, key) }];
  },
};

/**
 * Only the platform and the tenant itself read for whom the name is reserved. Every other requester gets one text for all reserved
 * names: it depends on the requester and on the name as written, and on no other tenant (TEN-24).
 *
 * @param key the key of the tenant label
 */
function refusal(name: string, reservation: Owner, requester: Requester, key: string): Pick<Finding, 'reason' | 'fix'> {
  if (reservation !== 'platform' && (requester.platform || requester.tenants.includes(reservation)))
    return {
      reason: `${name} is reserved for tenant ${reservation.name}`,
      fix: `label it ${key}: ${reservation.name}, or choose another name`,
    };
  const own = describeReserved(requester.tenants.flatMap(({ reserved }) => [...reserved.keys()]));
  const mustBeOwn = !requester.platform && requester.tenants.some(({ enforcePrefix }) => enforcePrefix);
  const choices = [...(mustBeOwn && own !== '' ? [] : ['is not reserved']), ...(own === '' ? [] : [own])];
  return {
    reason: `${name} is reserved for another tenant or for the platform`,
    fix: `choose a name that ${choices.join(', or one that ')}`,
  };
}
