import { entry } from '../kubernetes/objects.ts';
import { type Check, nothing } from './check.ts';

/** Says of which static pod a pod is the mirror. With it the API server wants a nodeName as well. */
const mirrorAnnotation = 'kubernetes.io/config.mirror';

/**
 * Which node a pod of a tenant runs on is the scheduler's choice.
 * Reads    spec.nodeName, on CREATE (afterwards only a Binding sets it)
 * Allowed  missing or empty; what a kubelet creates on its own node (the mirror of a static pod); anything for the platform.
 *          nodeSelector, affinity and tolerations, which the scheduler weighs
 * Why      a pod that comes with its node is never scheduled: no taint with the effect NoSchedule, and nothing else the scheduler weighs,
 *          keeps it from the nodes that are set apart for another tenant (POD-09). The pods of DaemonSets carry affinity. No
 *          proof rests on which node a pod runs on, so this is about a border
 */
export const chosenNode: Check = {
  id: 'chosen-node',
  headline: 'bypasses the scheduler',
  protects: 'border',
  pod(request, { owner, requester }) {
    const node = request.object.spec?.nodeName;
    if (!node || owner === 'platform' || request.operation !== 'CREATE' || requester.platform) return nothing;
    if (requester.username === `system:node:${node}` && request.user.groups.includes('system:nodes')) return nothing;
    const mirrors = entry(request.object.metadata?.annotations, mirrorAnnotation) !== undefined;
    return [
      {
        path: 'spec.nodeName',
        reason: 'bypasses the scheduler, and with it the taints that reserve nodes for other tenants',
        fix: `remove nodeName${mirrors ? ` and the annotation ${mirrorAnnotation}` : ''}; nodeSelector or node affinity ask the scheduler for a node`,
      },
    ];
  },
};
