import { isGiven } from '../kubernetes/json.ts';
import type { TenantRequest } from '../kubernetes/review.ts';
import { type Check, nothing } from './check.ts';
import { letsGo } from './tenant-writers.ts';

/**
 * A Tenant outlives its namespaces.
 * Reads    how many namespaces carry the tenant's label, on DELETE, and on an UPDATE that takes the last finalizer off a terminating
 *          tenant: the tenant is then gone, without another request
 * Allowed  to delete a tenant that has none, and any while tenants are read from files; the platform is held to it as well
 * Why      namespaces whose tenant is gone have no owner: they stay isolated, and no tenant may change them any more. Their
 *          names are free for others to take, while policies that were written for those names still exist
 */
export const tenantInUse: Check = {
  id: 'tenant-in-use',
  headline: 'still has namespaces',
  protects: 'identity',
  tenant(request, { tenancy, requester, namespacesOwned }) {
    // An object that has no effect can go.
    if (namespacesOwned === 0 || tenancy.home === 'files' || !isItsEnd(request)) return nothing;
    // Others are refused anyway (tenant-writers), but for the garbage collector; and the number is not theirs to know.
    if (!requester.platform && !letsGo(request)) return nothing;
    const counted = namespacesOwned === 1 ? '1 namespace' : `${namespacesOwned} namespaces`;
    const namespaces = requester.platform ? counted : 'namespaces';
    return [
      {
        path: request.operation === 'DELETE' ? 'metadata.name' : 'metadata.finalizers',
        reason: `${namespaces} of tenant ${request.name} would have no owner`,
        fix: `delete them or change their label first: kubectl get namespaces -l ${tenancy.settings.tenantLabel}=${request.name}`,
      },
    ];
  },
};

function isItsEnd({ operation, object, oldObject }: TenantRequest): boolean {
  if (operation === 'DELETE') return true;
  const held = (oldObject?.metadata?.finalizers ?? []).length > 0;
  return held && isGiven(oldObject?.metadata?.deletionTimestamp) && (object.metadata?.finalizers ?? []).length === 0;
}
