import { entry } from '../kubernetes/objects.ts';
import type { Owner } from '../tenancy/tenancy.ts';
import { type Check, nothing } from './check.ts';

/**
 * A name that is reserved goes to whom it is reserved.
 * Reads    metadata.name on CREATE once an owner is decided, and on an UPDATE by which the platform changes the tenant label
 * Allowed  names that begin with a tenant's prefix: for namespaces of that tenant, also when the platform creates them;
 *          the platform's names and prefixes: for the platform
 * Why      a policy may select a namespace by its name, and counts as proven because nobody else can take that name;
 *          names such as kube-* are exempt from many controllers (ADM-04)
 */
export const reservedPrefix: Check = {
  id: 'reserved-prefix',
  headline: 'takes a reserved name',
  protects: 'identity',
  namespace(request, facts) {
    const { requester, tenancy } = facts;
    if (request.operation === 'DELETE') return nothing;
    const key = tenancy.settings.tenantLabel;
    const label = entry(request.object.metadata?.labels, key);
    if (request.operation === 'UPDATE') {
      // Nobody else may change the label: tenant-label-frozen.
      if (!requester.platform || label === entry(request.oldObject?.metadata?.labels, key)) return nothing;
    } else if (facts.ownership?.kind !== 'decided') return nothing;
    const reservation = tenancy.reservation(request.name);
    if (reservation === undefined) return nothing;
    const future: Owner = label === undefined ? 'platform' : (tenancy.tenants.get(label) ?? 'platform');
    if (reservation === 'platform' ? requester.platform : reservation === future) return nothing;
    // Only the platform and the tenant itself learn whose the name is.
    const known = reservation !== 'platform' && (requester.platform || requester.tenants.includes(reservation));
    const own = requester.tenants.map((tenant) => tenant.prefix).find((prefix) => prefix !== undefined);
    return [
      {
        check: 'reserved-prefix',
        path: 'metadata.name',
        reason: `${request.name} is reserved to ${reservation === 'platform' ? 'the platform' : known ? `tenant ${reservation.name}` : 'somebody else'}`,
        fix: known
          ? `label it ${key}: ${reservation.name}, or choose another name`
          : own
            ? `choose a name that begins with ${own}`
            : 'choose another name',
      },
    ];
  },
};
