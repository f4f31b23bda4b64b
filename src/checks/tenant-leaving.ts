import { entry } from '../kubernetes/objects.ts';
import { type Check, nothing } from './check.ts';

/**
 * A tenant that is being deleted gets no namespace more.
 * Reads    whose a new namespace will be; metadata.labels[TENANT LABEL] on an UPDATE by which the platform changes it
 * Allowed  owners whose Tenant object has no deletionTimestamp
 * Why      an object that is being deleted may wait for a finalizer for as long as somebody likes, and is gone once the last one
 *          is taken off. What it owns by then belongs to nobody; that it owned nothing was asked when it was deleted
 */
export const tenantLeaving: Check = {
  id: 'tenant-leaving',
  headline: 'would belong to a terminating tenant',
  protects: 'identity',
  namespace(request, { ownership, requester, tenancy }) {
    const key = tenancy.settings.tenantLabel;
    const { operation, object, oldObject } = request;
    let future = ownership?.kind === 'decided' && ownership.owner !== 'platform' ? ownership.owner : undefined;
    // Nobody else may change the label: tenant-label-frozen.
    if (operation === 'UPDATE' && requester.platform) {
      const label = entry(object.metadata?.labels, key);
      if (label !== undefined && label !== entry(oldObject?.metadata?.labels, key)) future = tenancy.tenants.get(label);
    }
    if (future?.leaving !== true) return nothing;
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
