/** Gates: crossings that both tenants have agreed on. */

import { once } from '../kubernetes/once.ts';
import type { Port } from '../kubernetes/port-range.ts';
import { opposite } from '../tenancy/gate-request.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { Fix } from './fix.ts';
import { listedPorts } from './listed.ts';
import type { AllowRule } from './model.ts';
import { shutPorts } from './open-ports.ts';
import type { Border } from './violation.ts';

/**
 * Why no gate agrees to the rule, to or from the tenant `other`; undefined when one does. Says what is missing on this
 * tenant's side first, including what has expired. Of the other side it says only which ports of this rule it has not agreed to.
 * A tenant could also find these by trying one port after the other. It does not say why, or whether the other tenant exists.
 */
export function gateViolation(
  other: string,
  { direction, ports }: Pick<AllowRule, 'direction' | 'ports'>,
  { tenant, tenancy, now, cluster }: Border,
): { readonly reason: string; readonly fix: Fix } | undefined {
  const { own, theirs } = tenancy.gates(tenant, other, direction, now, cluster);
  const missing = shutPorts(own, ports);
  if (missing.length > 0) {
    const declared = tenant.network.gates.filter((gate) => gate.tenant === other && gate.direction === direction);
    const asked = tenancy.requests?.halves(tenant.name, other, direction).filter(({ expires }) => now < expires) ?? [];
    if (asked.length > 0 && shutPorts(asked, missing).length === 0) {
      return {
        reason: `no GateRequest of that tenant mirrors the one of ${tenant.name} for ${direction} on ${listedPorts(missing)}`,
        fix: { id: 'agree-on-gate', tenant: other, direction: opposite(direction), ports: missing, by: 'requests' },
      };
    }
    if (declared.length === 0) {
      return {
        reason: `${tenant.name} declares no gate for ${direction} with it`,
        fix: { id: 'set-tenant-label', or: 'agree-on-gate' },
      };
    }
    if (cluster !== undefined && shutPorts(tenancy.gates(tenant, other, direction, now).own, ports).length === 0) {
      return {
        reason: `the gate of ${tenant.name} for ${direction} does not list that cluster`,
        fix: { id: 'grant-cluster', cluster, isOwnKnown: tenancy.settings.clusterName !== undefined },
      };
    }
    if (own.length === 0 || shutPorts(declared, missing).length === 0) {
      const what = own.length === 0 ? direction : listedPorts(missing);
      return {
        reason: `the gate of ${tenant.name} for ${what} has expired`,
        fix: { id: 'renew-gate', tenant: other },
      };
    }
    const named = missing.some((port) => 'name' in port) ? ', and a name may stand for any port' : '';
    return {
      reason: `the gate of ${tenant.name} does not open ${listedPorts(missing)}${named}`,
      fix: { id: 'only-gate-ports', ports: own.flatMap((gate) => gate.ports) },
    };
  }
  const disagreed = shutPorts(theirs, ports);
  if (disagreed.length === 0) return undefined;
  return {
    reason: `the other half of the gate is missing: that tenant has still to agree to ${listedPorts(disagreed)}`,
    fix: { id: 'agree-on-gate', tenant: other, direction: opposite(direction), ports: disagreed },
  };
}

/** The peers of a rule share the list of its ports, and each of them may be refused. */
const partnersIn = once((border: Border) => {
  const towards = (direction: Direction) =>
    once((ports: readonly Port[]) => {
      const declared = border.tenant.network.gates.filter((gate) => gate.direction === direction);
      const others = new Set(declared.map(({ tenant }) => tenant));
      return [...others].filter((other) => gateViolation(other, { direction, ports }, border) === undefined);
    });
  return { ingress: towards('ingress'), egress: towards('egress') };
});

/** The tenants with whom a gate agrees to such a rule, as this tenant declares them. */
export function partnersFor({ direction, ports }: AllowRule, border: Border): readonly string[] {
  return partnersIn(border)[direction](ports);
}
