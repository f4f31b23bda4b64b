import { borderFindings } from './border-findings.ts';
import type { Check } from './check.ts';
import { inFixes, ofTenant } from './grants.ts';

/**
 * Addresses in a policy of a tenant lie outside the cluster, and those it reaches were granted.
 * Reads    spec.ingress[*].from[*].ipBlock and spec.egress[*].to[*].ipBlock of a NetworkPolicy; fromCIDR, fromCIDRSet, fromGroups,
 *          toCIDR, toCIDRSet and toGroups of a CiliumNetworkPolicy
 * Allowed  canonical CIDRs that, less their exceptions, touch no pod, service or node range and no metadata service; for egress
 *          also: that lie in network.egressCIDRs of the tenant. Addresses of a shared service, on its ports
 * Why      many networks apply an ipBlock to pods too, so a range that covers the pods of others is a way to them; the
 *          metadata service hands out the identity of the node (NP-06 to NP-11)
 */
export const ipBlock: Check = {
  id: 'ip-block',
  headline: 'allows addresses that are not granted to its tenant',
  protects: 'border',
  grants: inFixes(ofTenant('network.egress', 'network.vouched')),
  policy: (_, { border }) => borderFindings(border, (peer) => peer.kind === 'ipBlock'),
};
