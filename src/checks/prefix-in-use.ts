import type { TenantRequest } from '../kubernetes/review.ts';
import { listed } from '../reach/listed.ts';
import { formatSteps } from '../tenancy/problem.ts';
import { covers, isPrefix, type ReservedNames, reservedIn } from '../tenancy/reserved-names.ts';
import { type Check, nothing } from './check.ts';

/** Names beyond these are counted. */
const mostShownNames = 2;

/**
 * Warns the author of a Tenant that reserves names which other owners already have.
 * Reads    the prefixes and names in spec.namespaces of a new Tenant, or those that an update adds, and the names and owners of all
 *          namespaces
 * Warns    when one of them is, or covers, a namespace of another tenant or the platform
 * Why      it may be intended, when these namespaces are about to be deleted. Until then they keep their owners, and no policy of the
 *          tenant may select them by name: a reservation does not make an older namespace the tenant's (NP-05)
 */
export const prefixInUse: Check = {
  id: 'prefix-in-use',
  headline: 'reserves names of existing namespaces',
  protects: 'intent',
  needs: { namesOfOthers: (request) => [...newlyReserved(request).keys()] },
  tenant(request, { namesOfOthers }) {
    if (namesOfOthers.length === 0) return nothing;
    return [...newlyReserved(request)].flatMap(([reserved, steps]) => {
      const names = namesOfOthers.filter((name) => covers(reserved, name)).toSorted();
      if (names.length === 0) return [];
      const [whose, them] =
        names.length === 1 ? ['a namespace of others', 'it'] : [`${names.length} namespaces of others`, 'them'];
      const until = `until then no policy of the tenant may select ${them} by name`;
      return [
        {
          path: formatSteps(steps),
          reason: isPrefix(reserved)
            ? `covers ${whose}: ${listed(names, mostShownNames)}`
            : `is the name of a namespace of others: ${reserved}`,
          fix: isPrefix(reserved)
            ? `choose another prefix, or delete ${them}: ${until}`
            : `label that namespace as the tenant's, or delete it: ${until}`,
        },
      ];
    });
  },
};

/** What a Tenant asks for and did not have, as far as it can be read (check tenant-document). */
function newlyReserved({ operation, subresource, object, oldObject }: TenantRequest): ReservedNames {
  if (operation === 'DELETE' || subresource !== '') return new Map();
  const before = reservedIn(oldObject?.spec);
  return new Map([...reservedIn(object.spec)].filter(([reserved]) => !before.has(reserved)));
}
