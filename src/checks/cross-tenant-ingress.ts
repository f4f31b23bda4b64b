import { borderFindings } from './border-findings.ts';
import type { Check } from './check.ts';
import { gates, inFixes, ofSettings, ofTenant, sharedServices } from './grants.ts';

/**
 * A policy of a tenant does not let others in.
 * Reads    of a NetworkPolicy spec.ingress[*].from[*].{namespaceSelector,podSelector} and the ports of their rule, and spec.ingress[*]
 *          without `from`; of a CiliumNetworkPolicy all of spec.ingress and specs[*].ingress but addresses, and what is not valid
 * Allowed  peers that can only ever match the policy's own tenant: without namespaceSelector, or with one that pins the tenant label
 *          to the tenant. It may also pin the name to this namespace, or to names that are reserved to the tenant and owned by no other.
 *          Also a shared service on its ports, by its name or by a platform label.
 *          Also a tenant with whom a gate is agreed, on its ports.
 *          A peer that can never match is admitted with a warning
 * Why      an empty namespaceSelector means every namespace of the cluster, including ones created later (NP-01 to NP-05)
 */
export const crossTenantIngress: Check = {
  id: 'cross-tenant-ingress',
  headline: 'allows traffic from other tenants',
  protects: 'border',
  grants: inFixes([
    gates,
    sharedServices,
    ...ofTenant('namespaces.names'),
    ...ofSettings('trustedNamespaceLabels', 'network.calico.tiers', 'istio.providers'),
  ]),
  policy: (_, { border }) => borderFindings(border, (peer) => peer.direction === 'ingress' && peer.kind !== 'ipBlock'),
};
