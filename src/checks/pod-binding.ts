import { type Check, nothing } from './check.ts';
import { changesOf, fieldOf } from './metadata-changes.ts';

/** Labels a Binding brings when the scheduler makes it: the topology of the node (KEP-4742). */
const topology = ['topology.kubernetes.io/', 'kubernetes.io/hostname'] as const;

/**
 * A Binding places a pod and does not relabel it.
 * Reads    metadata.labels of a Binding (pods/binding and bindings)
 * Allowed  the topology labels of the node; anything for the platform
 * Why      since Kubernetes 1.35 the labels of a Binding are written to the pod, so it could move under other policies
 *          without an update of the pod (ADM-02)
 */
export const podBinding: Check = {
  id: 'pod-binding',
  headline: 'would change labels of the pod that it binds',
  protects: 'identity',
  pod(request, facts) {
    if (request.subresource !== 'binding' || facts.owner === 'platform' || facts.requester.platform) return nothing;
    return changesOf('labels', request.object, undefined)
      .filter(
        ({ key }) => !topology.some((allowed) => (allowed.endsWith('/') ? key.startsWith(allowed) : key === allowed)),
      )
      .map((change) => ({
        path: fieldOf(change),
        reason: 'would be written to the pod, and could change which policies select it',
        fix: 'leave it out of the Binding, and label the pod itself',
      }));
  },
};
