import { type Check, type Finding, nothing } from './check.ts';
import { containersOf } from './containers.ts';

/**
 * A pod of a tenant opens no port on its node.
 * Reads    spec.{containers,initContainers,ephemeralContainers}[*].ports[*].{hostPort,hostIP}, on CREATE, and when containers change (changed-containers.ts)
 * Allowed  hostPort 0 or missing, hostIP empty or missing. With hostNetwork the API server fills hostPort in; then host-network speaks
 * Why      traffic to a port of the node reaches the pod past Services and, on many networks, past policies (POD-02)
 */
export const hostPorts: Check = {
  id: 'host-ports',
  headline: 'opens a port on its node',
  protects: 'border',
  sharedByContainers: true,
  pod(request, facts) {
    if (facts.owner === 'platform' || request.operation !== 'CREATE' || request.object.spec?.hostNetwork === true)
      return nothing;
    const findings: Finding[] = [];
    for (const { container, path } of containersOf(request.object.spec)) {
      for (const [index, port] of (container.ports ?? []).entries()) {
        const field = port.hostPort ? 'hostPort' : port.hostIP ? 'hostIP' : undefined;
        if (field === undefined) continue;
        findings.push({
          path: `${path}.ports[${index}].${field}`,
          reason: `is ${port[field]}: the port would be open on the node itself`,
          fix: `remove ${field}, and reach the pod through a Service`,
        });
      }
    }
    return findings;
  },
};
