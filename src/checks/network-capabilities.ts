import type { Container } from '../kubernetes/objects.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { containersOf } from './containers.ts';

/**
 * Linux capabilities with which a container can change or leave its network, and their effects by capabilities(7).
 * The network of the pod: NET_ADMIN (interfaces, routes, packet filters), NET_RAW (forged ARP and router advertisements). The node, which
 * others use too: SYS_ADMIN (setns and mount), SYS_MODULE (the kernel), BPF and PERFMON (programs in the kernel's data path),
 * DAC_READ_SEARCH (files of the node, opened by handle), ALL.
 * Not SYS_PTRACE: without hostPID it reaches the pod's own processes only, and `kubectl debug` adds it.
 */
const powers: ReadonlyMap<string, 'border' | 'node'> = new Map([
  ['ALL', 'node'],
  ['BPF', 'node'],
  ['DAC_READ_SEARCH', 'node'],
  ['NET_ADMIN', 'border'],
  ['NET_RAW', 'border'],
  ['PERFMON', 'node'],
  ['SYS_ADMIN', 'node'],
  ['SYS_MODULE', 'node'],
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
      protects: 'node',
    });
  }
  for (const [index, capability] of (context?.capabilities?.add ?? []).entries()) {
    const name = capability.toUpperCase().replace(/^CAP_/, '');
    const protects = powers.get(name);
    if (protects === undefined) continue;
    findings.push({
      path: `${path}.securityContext.capabilities.add[${index}]`,
      reason: `${name} lets the container change or leave its network`,
      fix: `remove ${capability}`,
      protects,
    });
  }
}
