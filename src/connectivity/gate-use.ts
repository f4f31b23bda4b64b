/** The gates that tenants declare, and whether both halves are there and policies use them. */

import { orAllPorts } from '../kubernetes/port-range.ts';
import { opposite } from '../tenancy/gate-request.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { type Crossing, gatePorts } from './crossings.ts';
import { setOf } from './port-set.ts';
import { portSummary } from './port-summary.ts';

/**
 * used       something crosses there
 * unused     both halves are there, and no policies open it on both sides
 * half open  the other tenant declares no such gate, or on other ports
 * expired    this half has ended
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
  const crossed = new Set(
    crossings.flatMap(({ from, to, grants }) => (grants.some(({ kind }) => kind === 'gate') ? `${from} ${to}` : [])),
  );
  const found = new Map<string, GateUse>();
  for (const tenant of tenancy.tenants.values())
    for (const gate of tenant.network.gates) {
      const [from, to] = gate.direction === 'egress' ? [tenant.name, gate.tenant] : [gate.tenant, tenant.name];
      const ports = portSummary(setOf(orAllPorts(gate.ports)));
      const one = { from, to, ports, declaredBy: tenant.name };
      const key = `${from} ${to} ${ports} ${tenant.name}`;
      if (gate.expires !== undefined && gate.expires <= now) {
        found.set(key, { ...one, state: 'expired' });
        continue;
      }
      const open = gatePorts(tenant, gate.tenant, gate.direction, tenancy, now);
      if (open.length === 0) {
        found.set(key, { ...one, state: 'half open' });
        continue;
      }
      const whole = { from, to, ports: portSummary(open), declaredBy: from };
      const state = crossed.has(`${from} ${to}`) ? 'used' : 'unused';
      found.set(`${from} ${to}`, { ...whole, state });
    }
  return [...found.values()].toSorted((one, other) => {
    const [left, right] = [`${one.from} ${one.to} ${one.ports}`, `${other.from} ${other.to} ${other.ports}`];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

/** The half that is missing, for whoever is to add it. */
export function missingHalf({ from, to, declaredBy }: GateUse): string {
  const [tenant, other, direction] =
    declaredBy === from ? [to, from, opposite('egress')] : [from, to, opposite('ingress')];
  return `${tenant} declares no gate for ${direction} with ${other}`;
}
