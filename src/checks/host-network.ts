import { type Check, nothing } from './check.ts';
import { ofSettings } from './grants.ts';

/**
 * A pod of a tenant stays on the pod network.
 * Reads    spec.hostNetwork, on CREATE, and when containers change (changed-containers.ts)
 * Allowed  false or missing
 * Why      NetworkPolicy does not apply to a pod on the node's network: it speaks with the address of the node (POD-01)
 */
export const hostNetwork: Check = {
  id: 'host-network',
  headline: 'uses the network of its node',
  protects: 'node',
  grants: ofSettings('platform.namespaces'),
  sharedByContainers: true,
  pod(request, facts) {
    if (facts.owner === 'platform' || request.operation !== 'CREATE' || request.object.spec?.hostNetwork !== true)
      return nothing;
    return [
      {
        path: 'spec.hostNetwork',
        reason: 'is true: the pod would use the address of its node, which no network policy holds back',
        fix: 'remove hostNetwork; what must run on the network of the nodes belongs in a namespace of the platform (settings: platform.namespaces)',
      },
    ];
  },
};
