/**
 * Nodes and load balancers as sources of traffic. Beside their own connections they forward: what comes in by a node port or a load
 * balancer may arrive with the address of a node. So who is let in by such a range is more than the nodes, and only the platform can
 * answer for it, tenant by tenant and port by port.
 */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import type { IpRange } from '../kubernetes/ip-range.ts';
import { contains, type IpSet, intersect, normalise } from '../kubernetes/ip-set.ts';
import type { ProtectedRange } from './settings.ts';

/** Whether each address of the range is one of nodes or load balancers, and nothing else that is protected: no pod, no Service. */
export function isOfNodes(range: IpRange, protectedRanges: readonly ProtectedRange[]): boolean {
  const reached = destinations([range]);
  const touched = protectedRanges
    .map((guard) => ({ ...guard, addresses: destinations([guard.range]) }))
    .filter(({ addresses }) => intersect(reached, addresses).length > 0);
  return allForward(touched, reached);
}

/**
 * @param touched all protected ranges that share an address with the set, as their traffic arrives
 * @returns whether they are of nodes and load balancers alone, and hold every address of it
 */
export function allForward(
  touched: readonly (ProtectedRange & { readonly addresses: IpSet })[],
  reached: IpSet,
): boolean {
  return (
    touched.every(({ forwards }) => forwards === true) &&
    contains(normalise(touched.flatMap(({ addresses }) => addresses)), reached)
  );
}
