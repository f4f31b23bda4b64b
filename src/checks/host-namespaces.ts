import { type Check, type Finding, nothing } from './check.ts';

const fields = {
  hostPID: 'the pod would see every process of its node, and could enter their networks',
  hostIPC: 'the pod would share memory with every process of its node',
} as const;

/**
 * A pod of a tenant does not share its node's process and memory namespaces.
 * Reads    spec.hostPID, spec.hostIPC, on CREATE, and when containers change (changed-containers.ts)
 * Allowed  false or missing
 * Why      from the processes of the node it is one step into their network namespaces (POD-03)
 */
export const hostNamespaces: Check = {
  id: 'host-namespaces',
  headline: 'shares namespaces of its node',
  protects: 'node',
  sharedByContainers: true,
  pod(request, facts) {
    if (facts.owner === 'platform' || request.operation !== 'CREATE') return nothing;
    const findings: Finding[] = [];
    for (const field of ['hostPID', 'hostIPC'] as const) {
      if (request.object.spec?.[field] !== true) continue;
      findings.push({
        path: `spec.${field}`,
        reason: `is true: ${fields[field]}`,
        fix: `remove ${field}`,
      });
    }
    return findings;
  },
};
