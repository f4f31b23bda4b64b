import type { Container } from '../kubernetes/objects.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { containersOf } from './containers.ts';

/**
 * Linux capabilities with which a container can change or leave its network, as capabilities(7) tells: NET_ADMIN (interfaces,
 * routes, packet filters), NET_RAW (forged ARP and router advertisements), SYS_ADMIN (setns and mount), SYS_MODULE (the
 * kernel), BPF and PERFMON (programs in the kernel's data path), DAC_READ_SEARCH (opening files
 * of the node by handle), ALL. Not SYS_PTRACE: without hostPID it reaches the pod's own processes only, and `kubectl debug` adds it.
 */
const networkCapabilityNames: ReadonlySet<string> = new Set([
  'ALL',
  'BPF',
  'DAC_READ_SEARCH',
  'NET_ADMIN',
  'NET_RAW',
  'PERFMON',
  'SYS_ADMIN',
  'SYS_MODULE',
]);

/**
 * A container of a tenant gets no power over the network of its pod or node.
 * Reads    spec.{containers,initContainers,ephemeralContainers}[*].securityContext.{privileged,capabilities.add}, on CREATE,
 *          and when containers change (changed-containers.ts); ephemeral containers that are added later: check ephemeral-containers
 * Allowed  not privileged, and no capability of the list above added, with or without CAP_, in any letter case
 * Why      with them a container forges its address (CVE-2020-10749), edits the filters that enforce policies, or enters the node (POD-03)
 */
export const networkCapabilities: Check = {
  id: 'network-capabilities',
  headline: 'gives a container privileges over the network',
  protects: 'border',
  sharedByContainers: true,
  pod(request, facts) {
    if (facts.owner === 'platform' || request.operation !== 'CREATE') return nothing;
    const findings: Finding[] = [];
    for (const { container, path } of containersOf(request.object.spec)) powersOf(container, path, findings);
    return findings;
  },
};

/** Adds a finding for each power over the network that a container asks for. */
export function powersOf(container: Container, path: string, findings: Finding[]): void {
  const context = container.securityContext;
  if (context?.privileged === true) {
    findings.push({
      path: `${path}.securityContext.privileged`,
      reason: 'is true: the container would have every power over its node',
      fix: 'remove privileged',
      // The capabilities are about the network of the pod; this is about a node that others use too.
      protects: 'node',
    });
  }
  for (const [index, capability] of (context?.capabilities?.add ?? []).entries()) {
    const name = capability.toUpperCase().replace(/^CAP_/, '');
    if (!networkCapabilityNames.has(name)) continue;
    findings.push({
      path: `${path}.securityContext.capabilities.add[${index}]`,
      reason: `${name} lets the container change or leave its network`,
      fix: `remove ${capability}`,
    });
  }
}
