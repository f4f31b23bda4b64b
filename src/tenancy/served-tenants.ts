/** Which shared services are for which tenant. */
import { matches } from '../kubernetes/label-selector.ts';
import { allPorts, namePorts, type PortRange } from '../kubernetes/port-range.ts';
import type { SharedService } from './settings.ts';
import type { Direction, Tenant } from './tenant.ts';

export function serves({ tenants }: SharedService, { name, labels }: Tenant): boolean {
  if (tenants === undefined) return true;
  return 'names' in tenants ? tenants.names.has(name) : matches(tenants.labels, labels);
}

/** The ports on which it is open at its pods and addresses, and those of its endpoints. */
export function portsOf({ namespace, addresses, ports, endpoints = [] }: SharedService): readonly PortRange[] {
  const hasOwn = namespace !== undefined || addresses.length > 0;
  const own = ports.length === 0 ? allPorts : ports;
  return [...(hasOwn ? own : []), ...endpoints.flatMap((endpoint) => endpoint.ports)];
}

/**
 * The ports that a policy may open for these. The port of a name server counts for every protocol: a tenant that reads the names of the
 * cluster over UDP learns nothing more over TCP or SCTP, and Cilium's `port: "53"` means all protocols.
 */
export function openPorts(direction: Direction, ports: readonly PortRange[]): readonly PortRange[] {
  if (direction !== 'egress') return ports;
  const names = ports.filter(
    ({ protocol, first, last }) => protocol === 'UDP' && first === last && namePorts.includes(first),
  );
  if (names.length === 0) return ports;
  return [...ports, ...names.flatMap((port) => allPorts.map(({ protocol }) => ({ ...port, protocol })))];
}

/** Whether every namespace of its tenants gets a policy that opens it. */
export function isInBaseline({ offer = 'baseline' }: SharedService): boolean {
  return offer === 'baseline';
}
