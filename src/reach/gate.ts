/** Gates: crossings that both tenants have agreed on. */
import { excerpt } from '../kubernetes/json.ts';
import { formatPort } from '../kubernetes/port-range.ts';
import type { Opening } from './model.ts';
import type { Border } from './objection.ts';
import { shutPort } from './open-ports.ts';

/**
 * Why no gate lets the opening through to or from the tenant `other`; undefined when one does. Says what is missing on this
 * tenant's side; of the other side only that it is not there, whatever else the other tenant declares, if it exists at all.
 */
export function gateObjection(
  other: string,
  { direction, ports }: Opening,
  { tenant, tenancy, now }: Border,
): { readonly reason: string; readonly fix: string } | undefined {
  const { own, theirs } = tenancy.gates(tenant, other, direction, now);
  const name = excerpt(other);
  const { tenantLabel } = tenancy.settings;
  if (own.length === 0) {
    const expired = tenant.network.gates.some((gate) => gate.tenant === other && gate.direction === direction);
    return expired
      ? {
          reason: `the gate for ${direction} has expired`,
          fix: `renew the gate with tenant ${name}, or remove the peer`,
        }
      : {
          reason: `${tenant.name} declares no gate for ${direction} with it`,
          fix: `write ${tenantLabel}: ${tenant.name}, or agree on a gate with the other tenant`,
        };
  }
  const shut = shutPort(own, ports);
  if (shut !== undefined) {
    const named = 'name' in shut ? ', a name that may stand for any port' : '';
    return {
      reason: `the gate of ${tenant.name} does not open ${formatPort(shut)}${named}`,
      fix: `list only ports that the gate opens, by number, or agree on more ports with the other tenant`,
    };
  }
  if (shutPort(theirs, ports) === undefined) return undefined;
  return {
    reason: `the other half of the gate is not declared for these ports`,
    fix: `have the other tenant declare the mirror image of the gate`,
  };
}
