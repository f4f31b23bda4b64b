import type { Report } from './problem.ts';
import type { NetworkDocument } from './schema/network-schema.ts';
import type { Settings } from './settings.ts';

/** Whether the network itself keeps the border of tenants. */
export function parseClusterPolicy(
  { clusterPolicy = false, clusterPolicyDeniesNodes, nodeCIDRs = [] }: NetworkDocument,
  report: Report,
): Pick<Settings, 'clusterPolicy'> {
  const steps = ['spec', 'network', 'clusterPolicyDeniesNodes'];
  if (clusterPolicyDeniesNodes === true && !clusterPolicy)
    report(steps, 'has no effect without clusterPolicy: true', 'add that, or remove it');
  else if (clusterPolicyDeniesNodes === true && nodeCIDRs.length === 0)
    report(steps, 'has no effect without nodeCIDRs', 'list where the nodes are, or remove it');
  return clusterPolicy ? { clusterPolicy: { deniesNodes: clusterPolicyDeniesNodes === true } } : {};
}
