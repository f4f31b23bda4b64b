import { borderFindings } from './border-findings.ts';
import type { Check } from './check.ts';
import { gates, inFixes, ofSettings, ofTenant, sharedServices } from './grants.ts';

/**
 * A policy of a tenant does not open egress to others.
 * Reads    of a NetworkPolicy spec.egress[*].to[*].{namespaceSelector,podSelector} and the ports of their rule, and spec.egress[*]
 *          without `to`; of a CiliumNetworkPolicy all of spec.egress and specs[*].egress but addresses: names and entities, too
 * Allowed  peers that can only ever match the policy's own tenant: without namespaceSelector, or with one that pins the tenant label
 *          to the tenant. It may also pin the name to this namespace, or to names that are reserved to the tenant and owned by no other.
 *          Also a shared service on its ports, and a tenant with whom a gate is agreed, on its ports.
 *          A peer that can never match is admitted with a warning
 * Why      the egress of a pod is half of every crossing, and the tenant cannot rely on the other half (NP-01 to NP-05)
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
