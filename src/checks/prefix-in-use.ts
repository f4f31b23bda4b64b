import { isMap } from '../kubernetes/json.ts';
import type { TenantRequest } from '../kubernetes/review.ts';
import { listed } from '../reach/listed.ts';
import { type Check, nothing } from './check.ts';

/** Names beyond these are counted. */
const namesTold = 2;

/**
 * Whoever reserves names to a tenant that others have already is told.
 * Reads    spec.namespaces.prefix of a new Tenant, or of one whose prefix changes, and the names and owners of all namespaces
 * Warns    when the prefix covers namespaces of other tenants or the platform
 * Why      it may be meant, when these namespaces are to go. Until then they stay whose they are, and no policy of the tenant
 *          may select them by name: what was there before a name was reserved does not become the tenant's by it (NP-05)
 */
export const prefixInUse: Check = {
  id: 'prefix-in-use',
  headline: 'reserves names of existing namespaces',
  protects: 'intent',
  needs: { namesOfOthers: newPrefix },
  tenant(_, { namesOfOthers: names }) {
    if (names.length === 0) return nothing;
    const [whose, them] =
      names.length === 1 ? ['a namespace of others', 'it'] : [`${names.length} namespaces of others`, 'them'];
    return [
      {
        path: 'spec.namespaces.prefix',
        reason: `covers ${whose}: ${listed(names.toSorted(), namesTold)}`,
        fix: `choose another prefix, or delete ${them}: until then no policy of the tenant may select ${them} by name`,
      },
    ];
  },
};

/** The prefix that a Tenant asks for and did not have; undefined when there is none, or it cannot be read (check tenant-document). */
function newPrefix({ operation, subresource, object, oldObject }: TenantRequest): string | undefined {
  if (operation === 'DELETE' || subresource !== '') return undefined;
  const prefix = prefixIn(object.spec);
  return typeof prefix === 'string' && prefix !== '' && prefix !== prefixIn(oldObject?.spec) ? prefix : undefined;
}

function prefixIn(spec: unknown): unknown {
  const namespaces = isMap(spec) ? spec.namespaces : undefined;
  return isMap(namespaces) ? namespaces.prefix : undefined;
}
