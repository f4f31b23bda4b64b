import { type Check, nothing } from './check.ts';

/**
 * A namespace is not let go while it may still hold pods.
 * Reads    spec.finalizers of the new and the stored namespace (written through namespaces/finalize)
 * Allowed  finalizers that stay; removing one when the namespace is being deleted and no pod is left; anything for the platform
 * Why      without its finalizer a namespace disappears before its contents do. Pods left behind stay in that name, and the
 *          next namespace of that name, of whatever tenant, has them inside its border. Judged by the state of the
 *          cluster, so that the namespace controller passes without being trusted by name
 */
export const namespaceFinalize: Check = {
  id: 'namespace-finalize',
  headline: 'would leave pods behind',
  protects: 'identity',
  namespace(request, facts) {
    if (request.operation !== 'UPDATE' || facts.requester.platform || facts.namespaceEmptied) return nothing;
    const kept = request.object.spec?.finalizers ?? [];
    const removed = (request.oldObject?.spec?.finalizers ?? []).filter((finalizer) => !kept.includes(finalizer));
    if (removed.length === 0) return nothing;
    return [
      {
        check: 'namespace-finalize',
        path: 'spec.finalizers',
        reason: `${removed.join(', ')} would be removed although the namespace is not an empty one on its way out: pods could stay behind and turn up in the next namespace of this name`,
        fix: `delete the namespace and let the namespace controller finish; if it is stuck, ask the platform team`,
      },
    ];
  },
};
