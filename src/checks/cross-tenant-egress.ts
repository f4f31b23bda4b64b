import { borderFindings } from './border-findings.ts';
import type { Check } from './check.ts';
import { gates, inFixes, ofSettings, ofTenant, sharedServices } from './grants.ts';

/**
 * A policy of a tenant does not open the way to others.
 * Reads    of a NetworkPolicy spec.egress[*].to[*].{namespaceSelector,podSelector} and the ports of their rule, and spec.egress[*]
 *          without `to`; of a CiliumNetworkPolicy all of spec.egress and specs[*].egress but addresses: names and entities, too
 * Allowed  peers that can only ever match the policy's own tenant: no namespaceSelector, one that pins the tenant label to the
 *          tenant, or one that pins the name to this namespace or to names that are reserved to the tenant and that nobody
 *          else has; a shared service on its ports; a tenant with whom a gate is agreed, on its ports. A peer that can never match is admitted with a warning
 * Why      what a pod may reach is half of every crossing, and the other half is not this tenant's to rely on (NP-01 to NP-05)
 */
export const crossTenantEgress: Check = {
  id: 'cross-tenant-egress',
  headline: 'allows traffic to other tenants',
  protects: 'border',
  grants: inFixes([
    gates,
    sharedServices,
    ...ofTenant('namespaces.names', 'network.names', 'network.clusters', 'network.egress', 'network.vouched'),
    ...ofSettings('trustedNamespaceLabels'),
  ]),
  policy: (_, { border }) => borderFindings(border, (peer) => peer.direction === 'egress' && peer.kind !== 'ipBlock'),
};
