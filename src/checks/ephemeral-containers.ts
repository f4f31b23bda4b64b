import { type Check, type Finding, nothing } from './check.ts';
import { powersOf } from './network-capabilities.ts';
import { hostsOf } from './probe-host.ts';

/**
 * A container that is added to a running pod gets no more than the others.
 * Reads    spec.ephemeralContainers[*] that the update adds (pods/ephemeralcontainers): ports, securityContext, probes and hooks. The
 *          API server refuses ports, probes and hooks there as well
 * Allowed  what network-capabilities, host-ports and probe-host allow
 * Why      guards that look at containers alone are walked around with kubectl debug (POD-11, CVE-2023-2727, CVE-2023-2728)
 */
export const ephemeralContainers: Check = {
  id: 'ephemeral-containers',
  headline: 'adds a container with privileges over the network',
  protects: 'border',
  pod(request, facts) {
    if (facts.owner === 'platform' || request.operation !== 'UPDATE') return nothing;
    const added = request.object.spec?.ephemeralContainers ?? [];
    if (added.length === 0) return nothing;
    // Ephemeral containers are only ever appended: the API server refuses to change or remove one.
    const known = request.oldObject?.spec?.ephemeralContainers?.length ?? 0;
    const findings: Finding[] = [];
    for (const [index, container] of added.entries()) {
      if (index < known) continue;
      const path = `spec.ephemeralContainers[${index}]`;
      powersOf(container, path, findings);
      for (const [position, port] of (container.ports ?? []).entries()) {
        if (!port.hostPort) continue;
        findings.push({
          path: `${path}.ports[${position}].hostPort`,
          reason: `is ${port.hostPort}: the port would be open on the node itself`,
          fix: 'remove hostPort',
        });
      }
      hostsOf(container, path, findings);
    }
    return findings;
  },
};
