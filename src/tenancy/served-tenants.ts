/** Which shared services are for which tenant. */
import { matches } from '../kubernetes/label-selector.ts';
import { allPorts, type PortRange } from '../kubernetes/port-range.ts';
import type { SharedService } from './settings.ts';
import type { Tenant } from './tenant.ts';

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

/** Whether every namespace of its tenants gets a policy that opens it. */
export function isInBaseline({ offer = 'baseline' }: SharedService): boolean {
  return offer === 'baseline';
}
