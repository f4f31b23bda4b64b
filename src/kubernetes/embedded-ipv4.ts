/**
 * IPv6 addresses that stand for IPv4 addresses: `::ffff:0:0/96` writes them (RFC 4291 2.5.5.2), `64:ff9b::/96` is translated
 * to them (NAT64, RFC 6052). A range of such addresses opens the IPv4 addresses behind it.
 */

import type { Family } from './ip-address.ts';
import type { IpRange } from './ip-range.ts';
import { type IpSet, intersect, normalise, subtract } from './ip-set.ts';

/** `64:ff9b::` */
export const nat64Base = 0x64ff9bn << 96n;
const bases = [0xffffn << 32n, nat64Base] as const;
const embedding: IpSet = bases.map((base) => ({ family: 6, first: base, last: base | 0xffffffffn }));

/** The addresses that traffic to the set arrives at: IPv6 addresses that stand for IPv4 ones are replaced by those. */
export function destinations(set: IpSet): IpSet {
  const embedded = intersect(set, embedding);
  if (embedded.length === 0) return set;
  const behind = embedded.map(
    ({ first, last }): IpRange => ({ family: 4, first: BigInt.asUintN(32, first), last: BigInt.asUintN(32, last) }),
  );
  return normalise([...behind, ...subtract(set, embedding)]);
}

/** The addresses that arrive at this one: itself, and for IPv4 its IPv6 forms. */
export function spellings(family: Family, address: bigint): readonly IpRange[] {
  const itself: IpRange = { family, first: address, last: address };
  if (family === 6) return [itself];
  return [itself, ...bases.map((base): IpRange => ({ family: 6, first: base | address, last: base | address }))];
}
