import { type GatewayName, isListedGateway } from '../tenancy/route-grants.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { isShared } from './agreements.ts';
import type { Violation } from './carried-addresses.ts';
import type { NamingFacts } from './check.ts';

/** @returns undefined: routes of the tenant may attach to the gateway, which is in a namespace that is not the tenant's */
export function violationOfGateway(
  { namespace, name }: GatewayName & { readonly name: string },
  facts: NamingFacts,
): Violation | undefined {
  const { owner, tenancy } = facts;
  if (owner === 'platform') return undefined;
  const { gateways } = tenancy.settings.routes;
  const namespaceOwner = tenancy.reservation(namespace) ?? otherTenant(facts.ownerByName(namespace), owner);
  const listed = [...(gateways ?? []), ...(owner.network.routes?.gateways ?? [])];
  if (isListedGateway(listed, namespace, name) || isShared(namespace, 'ingress', facts)) return undefined;
  if (gateways === undefined && (namespaceOwner === undefined || namespaceOwner === 'platform')) return undefined;
  return {
    reason: `attaches to ${name} in namespace ${namespace}, which is no gateway that the platform has given ${owner.name}`,
    fix: `attach to a Gateway of ${owner.name}, or ask the platform team to list ${namespace} in network.routes.gateways of ${owner.name}`,
  };
}

/** A namespace that has a tenant without its name being reserved. */
function otherTenant(namespaceOwner: ReturnType<NamingFacts['ownerByName']>, owner: Tenant): Tenant | undefined {
  return typeof namespaceOwner === 'object' && namespaceOwner.name !== owner.name ? namespaceOwner : undefined;
}
