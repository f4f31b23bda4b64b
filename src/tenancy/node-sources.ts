/**
 * Nodes and load balancers as sources of traffic. Beside their own connections they forward: what comes in by a node port or a load
 * balancer may arrive with the address of a node. So who is let in by such a range is more than the nodes, and only the platform can
 * answer for it, tenant by tenant and port by port.
 */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import type { IpRange } from '../kubernetes/ip-range.ts';
import { contains, intersect, normalise } from '../kubernetes/ip-set.ts';
import type { ProtectedRange } from './settings.ts';

/** What parse-cluster-addresses.ts calls `nodeCIDRs` and `loadBalancerCIDRs`. */
export const namesOfSources: ReadonlySet<string> = new Set(['node network', 'load balancer network']);

/** Whether each address of the range is one of nodes or load balancers, and nothing else that is protected: no pod, no Service. */
export function isOfNodes(range: IpRange, protectedRanges: readonly ProtectedRange[]): boolean {
  const reached = destinations([range]);
  const touched = protectedRanges.filter((guard) => intersect(reached, destinations([guard.range])).length > 0);
  return (
    touched.every(({ name }) => namesOfSources.has(name)) &&
    contains(normalise(touched.flatMap((guard) => destinations([guard.range]))), reached)
  );
}
