import { type Check, nothing } from './check.ts';

/**
 * A Tenant outlives its namespaces.
 * Reads    how many namespaces carry the tenant's label, on DELETE
 * Allowed  to delete a tenant that has none; the platform is held to it as well
 * Why      namespaces whose tenant is gone belong to nobody: they stay closed, and nobody may change them any more. Their
 *          names are free for others to take, while policies that were written for those names are still there
 */
export const tenantInUse: Check = {
  id: 'tenant-in-use',
  headline: 'still has namespaces',
  protects: 'identity',
  tenant(request, { tenancy, requester, namespacesOwned }) {
    // Refused anyway (tenant-writers), and the number is nobody else's to know.
    if (!requester.platform) return nothing;
    if (request.operation !== 'DELETE' || namespacesOwned === 0) return nothing;
    const namespaces = namespacesOwned === 1 ? '1 namespace' : `${namespacesOwned} namespaces`;
    return [
      {
        check: 'tenant-in-use',
        path: 'metadata.name',
        reason: `${namespaces} of tenant ${request.name} would belong to nobody`,
        fix: `delete them or change their label first: kubectl get namespaces -l ${tenancy.settings.tenantLabel}=${request.name}`,
      },
    ];
  },
};
