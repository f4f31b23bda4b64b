/** The gates that tenants declare, and whether both halves are there and policies use them. */

import { type Crossing, gatePorts } from '../connectivity/crossings.ts';
import { differenceOf, intersectionOf, noPorts, type PortSet, setOf, unionOf } from '../connectivity/port-set.ts';
import { portSummary } from '../connectivity/port-summary.ts';
import { orAllPorts } from '../kubernetes/port-range.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';

/**
 * used       something crosses there
 * unused     both halves open these ports, and no policies open them on both sides
 * half open  the other tenant does not open these ports
 * expired    this half has ended
 *
 * A gate of which only some ports are used, or open, is listed once for each state.
 */
export interface GateUse {
  readonly from: string;
  readonly to: string;
  readonly ports: string;
  readonly state: 'used' | 'unused' | 'half open' | 'expired';
  /** Who has declared it; of a whole gate, whom it leads out of. */
  readonly declaredBy: string;
}

/** By the names of the tenants. */
export function gateUse(crossings: readonly Crossing[], tenancy: Tenancy, now: number): readonly GateUse[] {
  const crossed = new Map(crossings.map(({ from, to, grants }) => [`${from} ${to}`, gatePortsIn(grants)]));
  const found = new Map<string, Omit<GateUse, 'ports'> & { readonly ports: PortSet }>();
  const add = (one: Omit<GateUse, 'ports'>, ports: PortSet): void => {
    if (ports.length === 0) return;
    const key = [one.from, one.to, one.state, one.declaredBy].join(' ');
    found.set(key, { ...one, ports: unionOf(found.get(key)?.ports ?? noPorts, ports) });
  };
  for (const tenant of tenancy.tenants.values())
    for (const gate of tenant.network.gates) {
      const [from, to] = gate.direction === 'egress' ? [tenant.name, gate.tenant] : [gate.tenant, tenant.name];
      const declared = setOf(orAllPorts(gate.ports));
      if (gate.expires !== undefined && gate.expires <= now) {
        add({ from, to, state: 'expired', declaredBy: tenant.name }, declared);
        continue;
      }
      const open = gatePorts(tenant, gate.tenant, gate.direction, tenancy, now);
      add({ from, to, state: 'half open', declaredBy: tenant.name }, differenceOf(declared, open));
      const used = intersectionOf(open, crossed.get(`${from} ${to}`) ?? noPorts);
      add({ from, to, state: 'used', declaredBy: from }, used);
      add({ from, to, state: 'unused', declaredBy: from }, differenceOf(open, used));
    }
  return [...found.values()]
    .map(({ ports, ...one }) => ({ ...one, ports: portSummary(ports) }))
    .toSorted((one, other) => {
      const [left, right] = [`${one.from} ${one.to} ${one.ports}`, `${other.from} ${other.to} ${other.ports}`];
      return left < right ? -1 : left > right ? 1 : 0;
    });
}

function gatePortsIn(grants: Crossing['grants']): PortSet {
  return grants.reduce((ports, one) => (one.kind === 'gate' ? unionOf(ports, one.ports) : ports), noPorts);
}
