/** Gates: crossings that both tenants have agreed on. */
import { excerpt } from '../kubernetes/json.ts';
import { formatPort, type Port } from '../kubernetes/port-range.ts';
import { listed } from './listed.ts';
import { type Opening, removePeer } from './model.ts';
import type { Border } from './objection.ts';
import { shutPorts } from './open-ports.ts';

/** Ports beyond these are counted, so that a refusal stays readable. */
const portsTold = 3;

/**
 * Why no gate lets the opening through to or from the tenant `other`; undefined when one does. Says what is missing on this
 * tenant's side first, with what has expired. Of the other side it says only which ports of this opening that has still to
 * agree to, which whoever tries one port after the other finds out as well; not why, and not whether there is such a tenant.
 */
export function gateObjection(
  other: string,
  { direction, ports }: Opening,
  { tenant, tenancy, now }: Border,
): { readonly reason: string; readonly fix: string } | undefined {
  const { own, theirs } = tenancy.gates(tenant, other, direction, now);
  const name = excerpt(other);
  const { tenantLabel } = tenancy.settings;
  const missing = shutPorts(own, ports);
  if (missing.length > 0) {
    const declared = tenant.network.gates.filter((gate) => gate.tenant === other && gate.direction === direction);
    if (declared.length === 0) {
      return {
        reason: `${tenant.name} declares no gate for ${direction} with it`,
        fix: `write ${tenantLabel}: ${tenant.name} in matchLabels instead, or agree on a gate with the other tenant`,
      };
    }
    if (own.length === 0 || shutPorts(declared, missing).length === 0) {
      const what = own.length === 0 ? direction : told(missing);
      return {
        reason: `the gate of ${tenant.name} for ${what} has expired`,
        fix: `renew the gate with tenant ${name}, or ${removePeer}`,
      };
    }
    const named = missing.some((port) => 'name' in port) ? ', and a name may stand for any port' : '';
    return {
      reason: `the gate of ${tenant.name} does not open ${told(missing)}${named}`,
      fix: `list only ports that the gate opens, by number: ${told(own.flatMap((gate) => gate.ports))}; or agree on more ports with the other tenant`,
    };
  }
  const disagreed = shutPorts(theirs, ports);
  if (disagreed.length === 0) return undefined;
  const mirror = direction === 'ingress' ? 'egress' : 'ingress';
  return {
    reason: `the other half of the gate is missing: that tenant has still to agree to ${told(disagreed)}`,
    fix: `have tenant ${name} declare the mirror image: a gate for ${mirror} with ${tenant.name} on ${told(disagreed)}`,
  };
}

function told(ports: readonly Port[]): string {
  return listed(ports.map(formatPort), portsTold);
}
