import { type Check, nothing } from './check.ts';
import { ofSettings } from './grants.ts';

/**
 * Only a scheduler puts the pod of a tenant on a node.
 * Reads    who creates a Binding (pods/binding and bindings)
 * Allowed  system:kube-scheduler and the schedulers of the settings (platform.schedulers), compared exactly; the platform
 * Why      a Binding names the node, and no taint with the effect NoSchedule is asked, so a pod would come to the nodes that are set apart
 *          for another tenant (ADM-02, POD-09). No proof rests on which node a pod runs on, so this is about a border
 */
export const podScheduler: Check = {
  id: 'pod-scheduler',
  headline: 'is bound to a node by a requester that is not a scheduler',
  protects: 'border',
  grants: ofSettings('platform.schedulers'),
  pod({ subresource, user }, { owner, requester, tenancy }) {
    if (subresource !== 'binding' || owner === 'platform' || requester.platform || tenancy.schedules(user))
      return nothing;
    return [
      {
        path: 'target',
        reason:
          'names the node, and the requester is no scheduler: this bypasses the taints that reserve nodes for other tenants',
        fix: 'leave it to the scheduler, which nodeSelector or node affinity of the pod ask for a node; the platform lists its schedulers in platform.schedulers',
      },
    ];
  },
};
