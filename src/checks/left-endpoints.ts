import { isMap, valueAt } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import { type Check, nothing } from './check.ts';
import { isByController } from './service-controller.ts';

const fix = 'delete the Service and create it again: Kubernetes then removes the old addresses';

/**
 * A Service leaves no addresses of pods behind that no controller keeps right.
 * Reads    spec.selector and spec.type of the new and the stored Service; finalizers; propagationPolicy of a DELETE
 * Allowed  every change but from a selector, or from ExternalName, to a Service of another type without selector; every DELETE but one that
 *          orphans. Anything for the platform
 * Why      without a selector, the controllers leave the EndpointSlices as they are. The pods end, and their addresses are given to pods of
 *          others, to which the Service then leads (SVC-01)
 */
export const leftEndpoints: Check = {
  id: 'left-endpoints',
  headline: 'would keep addresses of pods that no controller updates any more',
  protects: 'border',
  needs: { accountOwnerOfNeighbour: ({ kind }) => kind === 'Service' },
  neighbour(request, facts) {
    const { owner, requester } = facts;
    const { kind, operation, subresource, object, oldObject, orphans } = request;
    if (kind !== 'Service' || owner === 'platform' || requester.platform) return nothing;
    if (isByController(request, facts, 'status')) return nothing;
    if (operation === 'DELETE') {
      if (!orphans) return nothing;
      const reason = 'orphans the EndpointSlices of the Service, whose addresses are given to other pods in time';
      return [{ path: 'metadata.finalizers', reason, fix: 'delete it without --cascade=orphan' }];
    }
    if (object.metadata?.finalizers?.includes('orphan') && !oldObject?.metadata?.finalizers?.includes('orphan')) {
      const reason = 'adds orphan, by which the EndpointSlices stay when the Service is deleted';
      return [{ path: 'metadata.finalizers', reason, fix: 'remove orphan', ofChange: true }];
    }
    if (operation !== 'UPDATE' || oldObject === undefined) return nothing;
    if (subresource !== '' || !isByHand(object) || isByHand(oldObject)) return nothing;
    const reason =
      'is removed, and the addresses of the pods stay: they are given to other pods in time, and the Service leads there';
    return [{ path: 'spec.selector', reason, fix }];
  },
};

/** Whether people write its endpoints. */
function isByHand(service: KubernetesObject): boolean {
  const selector = valueAt(service, 'spec', 'selector');
  const isEmpty = !isMap(selector) || Object.keys(selector).length === 0;
  return isEmpty && valueAt(service, 'spec', 'type') !== 'ExternalName';
}
