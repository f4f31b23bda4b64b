/** The word `internet` in a grant: every address that is in no private network and in no range that the settings protect. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { knownRange } from '../kubernetes/ip-range.ts';
import { type IpSet, intersect, normalise, subtract } from '../kubernetes/ip-set.ts';
import { once } from '../kubernetes/once.ts';
import type { Settings } from '../tenancy/settings.ts';

/**
 * RFC 1918, unique local (RFC 4193) and link-local addresses; 6to4 (RFC 3056) and the translation of a site's own (RFC 8215), behind
 * which any IPv4 address may be.
 */
const privateRanges = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
  '2002::/16',
  '64:ff9b:1::/48',
].map(knownRange);

/** RFC 6598. Providers use it between themselves and their customers, and some clusters and clouds for addresses of their own. */
const sharedAddressSpace = knownRange('100.64.0.0/10');

const everything = destinations(['0.0.0.0/0', '::/0'].map(knownRange));

/** What the settings protect, as traffic arrives at it. */
export const protectedAddresses = once(
  ({ protectedRanges }: Settings): IpSet => destinations(normalise(protectedRanges.map(({ range }) => range))),
);

/** As traffic arrives at them, so that IPv6 forms of IPv4 addresses count as those. */
export const internet = once((settings: Settings): IpSet => {
  const guarded = protectedAddresses(settings);
  const isShared = intersect(guarded, [sharedAddressSpace]).length > 0;
  const inside = normalise([...guarded, ...privateRanges, ...(isShared ? [sharedAddressSpace] : [])]);
  return subtract(everything, inside);
});
