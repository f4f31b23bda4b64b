import { entry } from '../kubernetes/objects.ts';
import { type Check, nothing } from './check.ts';

/**
 * A terminating tenant gets no further namespace.
 * Reads    the owner of a new namespace; metadata.labels[TENANT LABEL] on an UPDATE by which the platform changes it
 * Allowed  owners whose Tenant object has no deletionTimestamp
 * Why      a terminating object may wait for a finalizer without limit, and is gone once the last one is removed.
 *          Its namespaces then have no owner. That it had none was checked only at its deletion
 */
export const tenantLeaving: Check = {
  id: 'tenant-leaving',
  headline: 'would belong to a terminating tenant',
  protects: 'identity',
  namespace(request, { ownership, requester, tenancy }) {
    const key = tenancy.settings.tenantLabel;
    const { operation, object, oldObject } = request;
    let future = ownership?.kind === 'decided' && ownership.owner !== 'platform' ? ownership.owner : undefined;
    // Only the platform may change the label: `tenant-label-frozen`.
    if (operation === 'UPDATE' && requester.platform) {
      const label = entry(object.metadata?.labels, key);
      if (label !== undefined && label !== entry(oldObject?.metadata?.labels, key)) future = tenancy.tenants.get(label);
    }
    if (future?.terminating !== true) return nothing;
    return [
      {
        path: `metadata.labels[${key}]`,
        reason: `tenant ${future.name} is being deleted; afterwards the namespace would have no owner`,
        fix: requester.platform
          ? `name another tenant; ${future.name} can be declared anew when it is gone: kubectl get tenants.bulkhead.dev ${future.name}`
          : 'ask the platform team, who deleted the tenant; for another tenant of yours, name it in this label',
      },
    ];
  },
};
