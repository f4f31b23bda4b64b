import { type Check, nothing } from './check.ts';
import { ofTenant } from './grants.ts';

/**
 * A tenant has at most as many namespaces as it was given.
 * Reads    how many namespaces carry the tenant's label, on CREATE
 * Allowed  up to namespaces.limit of the tenant, this one included
 * Why      namespaces cost the whole cluster. The count comes from the watch: creates in the same instant may pass it by as many
 */
export const namespaceLimit: Check = {
  id: 'namespace-limit',
  headline: 'exceeds the namespace limit of its tenant',
  protects: 'border',
  grants: ofTenant('namespaces.limit'),
  namespace(request, { ownership, namespacesOwned }) {
    if (request.operation !== 'CREATE' || ownership?.kind !== 'decided' || ownership.owner === 'platform')
      return nothing;
    const { name, limit } = ownership.owner;
    if (limit === undefined || namespacesOwned < limit) return nothing;
    return [
      {
        path: 'metadata.name',
        reason: `tenant ${name} has ${namespacesOwned} of at most ${limit} namespaces`,
        fix: `delete one that is not needed, or ask the platform team for a higher limit (namespaces.limit of tenant ${name})`,
      },
    ];
  },
};
