/**
 * Whether addresses lie outside the cluster and, for egress, were granted to the tenant.
 *
 * Some network plugins apply an ipBlock to pods, some do not, and whether an address is translated before or after the
 * policy "is not defined": so a range that covers an address of the cluster opens whatever is there. IPv6 addresses that
 * stand for IPv4 ones count as those.
 */
import { destinations, spellings } from '../kubernetes/embedded-ipv4.ts';
import { familyNames, formatAddress, type IpRange } from '../kubernetes/ip-range.ts';
import { contains, type IpSet, intersect, normalise, subtract } from '../kubernetes/ip-set.ts';
import type { ProtectedRange, Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { Fix } from './fix.ts';
import { listed } from './listed.ts';
import type { AllowRule, IpBlockPeer } from './model.ts';
import { once } from './once.ts';
import { withoutServed } from './shared-service.ts';
import type { Border, Violation } from './violation.ts';

/** 2000::/3, which IANA gives to global unicast addresses (RFC 4291, section 2.4). */
const globalUnicast: IpRange = { family: 6, first: 0x2n << 124n, last: (0x4n << 124n) - 1n };
/** ::/8, in which the IPv6 forms of IPv4 addresses lie. */
const lowest: IpRange = { family: 6, first: 0n, last: (1n << 120n) - 1n };

interface Guard extends ProtectedRange {
  /** The addresses at which traffic to the range arrives. */
  readonly addresses: IpSet;
}

const guardedBy = once(({ protectedRanges }: Settings) =>
  protectedRanges.map((guard) => ({ ...guard, addresses: destinations([guard.range]) })),
);
const grantedTo = once(({ network }: Tenant) => destinations(normalise(network.egressRanges)));

export function judgeAddresses({ addresses }: IpBlockPeer, rule: AllowRule, border: Border): Violation | undefined {
  const { settings } = border.tenancy;
  const { direction } = rule;
  const rest = withoutServed(destinations(addresses), rule, settings);
  if (rest.length === 0) return undefined;

  const touched: Guard[] = [];
  let inside: IpRange | undefined;
  for (const guard of guardedBy(settings)) {
    // Connections come from the cluster's own addresses; a metadata service only answers.
    if (direction === 'ingress' && guard.kind !== 'cluster') continue;
    const [common] = intersect(rest, guard.addresses);
    if (common === undefined) continue;
    touched.push(guard);
    inside ??= common;
  }
  if (inside !== undefined) {
    return {
      verdict: 'escapes',
      reason: `covers addresses of the ${listed([...new Set(touched.map(({ name }) => name))])}`,
      witness: `the address ${addressIn(inside, addresses)}`,
      fix: direction === 'egress' ? onlyGranted(border.tenant, rest, true) : leaveOut(touched, addresses, settings),
    };
  }
  if (direction === 'egress') {
    const [outside] = subtract(rest, grantedTo(border.tenant));
    if (outside !== undefined) {
      return {
        verdict: 'escapes',
        reason: `covers addresses that network.egressCIDRs of ${border.tenant.name} does not grant`,
        witness: `the address ${addressIn(outside, addresses)}`,
        fix: onlyGranted(border.tenant, rest, false),
      };
    }
  }
  const unlisted = settings.unlistedFamilies.find((one) => rest.some(({ family }) => family === one));
  if (unlisted === undefined) return undefined;
  return {
    verdict: 'unproven',
    reason: `may cover addresses of the cluster, as the settings do not list its ${familyNames[unlisted]} pod, service and node ranges`,
    fix: { id: 'complete-settings' },
  };
}

/**
 * The fix for an egress block: the granted ranges of one family.
 *
 * @param rest the addresses that the block reaches. They decide the family: IPv6, unless every one of them is IPv4
 */
function onlyGranted({ network }: Tenant, rest: IpSet, coversCluster: boolean): Fix {
  const family = rest.at(-1)?.family ?? 4;
  const ranges = network.egressRanges.filter((range) => range.family === family);
  return { id: 'only-granted-ranges', family, ranges, coversCluster };
}

/**
 * The fix for an ingress block that covers addresses of the cluster. A protected range that holds the whole block leaves nothing to write.
 * The IPv6 forms of the cluster's IPv4 addresses all lie in ::/8.
 */
function leaveOut(touched: readonly Guard[], addresses: IpSet, settings: Settings): Fix {
  const [begin, end] = [addresses[0], addresses.at(-1)];
  if (begin === undefined || end === undefined) return { id: 'select-pods' };
  const { family } = begin;
  if (settings.unlistedFamilies.includes(family)) return { id: 'complete-settings' };
  const block: IpSet = [{ family, first: begin.first, last: end.last }];
  if (touched.some((guard) => contains(guard.addresses, block))) return { id: 'select-pods' };
  const ofFamily = touched.map((guard) => guard.addresses.filter((range) => range.family === family));
  const ranges = ofFamily.flat();
  if (family === 4) return { id: 'leave-out-ranges', ranges, embedsIpv4: false };
  const isCluster = ({ kind, addresses }: Guard) =>
    kind === 'cluster' && intersect(addresses, [globalUnicast]).length > 0;
  if (contains(block, [globalUnicast]) && !guardedBy(settings).some(isCluster)) return { id: 'only-ipv6-internet' };
  if (contains([lowest], block)) return { id: 'write-as-ipv4' };
  return { id: 'leave-out-ranges', ranges, embedsIpv4: ofFamily.some((one) => one.length === 0) };
}

/** The first address of the range, spelled as the policy covers it: `64:ff9b::a00:1, which stands for 10.0.0.1`. */
function addressIn({ family, first }: IpRange, addresses: IpSet): string {
  const spelling = spellings(family, first).find((candidate) => contains(addresses, [candidate]));
  const plain = formatAddress(family, first);
  if (spelling === undefined || spelling.family === family) return plain;
  return `${formatAddress(spelling.family, spelling.first)}, which stands for ${plain}`;
}
