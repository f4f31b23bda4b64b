import { isGiven } from '../kubernetes/json.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { ofSettings } from './grants.ts';

/**
 * A pod of a tenant mounts nothing of its node.
 * Reads    spec.volumes[*].hostPath, on CREATE, and when containers change (changed-containers.ts)
 * Allowed  no such volume
 * Why      sockets of the container runtime, network namespaces and the plugin's own files are in the file system of the node: a pod
 *          that mounts them bypasses every other check on pods (POD-03)
 */
export const hostPath: Check = {
  id: 'host-path',
  headline: 'mounts files of its node',
  protects: 'node',
  grants: ofSettings('platform.namespaces'),
  sharedByContainers: true,
  pod(request, facts) {
    if (facts.owner === 'platform' || request.operation !== 'CREATE') return nothing;
    const findings: Finding[] = [];
    for (const [index, volume] of (request.object.spec?.volumes ?? []).entries()) {
      if (!isGiven(volume.hostPath)) continue;
      findings.push({
        path: `spec.volumes[${index}].hostPath`,
        reason: 'opens the file system of the node, and with it the way to its network',
        fix: 'use a persistent volume, an emptyDir or a ConfigMap; what must read the node belongs in a namespace of the platform (settings: platform.namespaces)',
      });
    }
    return findings;
  },
};
