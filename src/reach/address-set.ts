/** Addresses that selectors match by labels, as if they were a pod. */
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { Unread } from './in-force.ts';

export interface AddressSet {
  /**
   * As expressions have them, and without those of its namespace. Not empty. More than one where they are written in two places, or name
   * several namespaces: a selector that matches any of them matches the set.
   */
  readonly labels: readonly ReadonlyMap<string, string>[];
  /** In order, and disjoint. */
  readonly addresses: IpSet;
  /** What of it is not understood: addresses are left out, or labels. */
  readonly unread: readonly Unread[];
}
