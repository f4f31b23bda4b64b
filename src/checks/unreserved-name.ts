import { describeReserved } from '../tenancy/reserved-names.ts';
import { type Check, nothing } from './check.ts';
import { ofTenant } from './grants.ts';

/**
 * A tenant with enforcePrefix keeps to the names that are reserved for it.
 * Reads    metadata.name on CREATE, once an owner is decided
 * Allowed  names with a prefix of the tenant, or among its names; every name that the platform creates; without
 *          namespaces.enforcePrefix every name that is not reserved
 * Why      a name that is not reserved goes to the first tenant that takes it. A tenant could take those that others are about to use,
 *          and no policy may select it by name
 */
export const unreservedName: Check = {
  id: 'unreserved-name',
  headline: 'has a name that is not reserved for its tenant',
  protects: 'border',
  grants: ofTenant('namespaces.names'),
  namespace({ operation, name }, { ownership, requester, tenancy }) {
    if (operation !== 'CREATE' || requester.platform) return nothing;
    if (ownership?.kind !== 'decided' || ownership.owner === 'platform') return nothing;
    const { owner } = ownership;
    // Of names that are reserved for others: reserved-prefix.
    if (owner.enforcePrefix !== true || tenancy.reservation(name) !== undefined) return nothing;
    return [
      {
        path: 'metadata.name',
        reason: `${name} is not reserved for tenant ${owner.name}, whose members create only reserved names (enforcePrefix)`,
        fix: `choose a name that ${describeReserved(owner.reserved.keys())}; or ask the platform team to reserve it (namespaces.names of tenant ${owner.name})`,
      },
    ];
  },
};
