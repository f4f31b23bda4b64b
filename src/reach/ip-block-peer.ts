/**
 * Whether addresses lie outside the cluster and, for egress, were granted to the tenant.
 *
 * Some network plugins apply an ipBlock to pods, some do not, and whether an address is translated before or after the
 * policy "is not defined": so a range that covers an address of the cluster opens whatever is there. IPv6 addresses that
 * stand for IPv4 ones count as those.
 */
import { destinations, spellings } from '../kubernetes/embedded-ipv4.ts';
import { familyNames, formatAddress, formatRange, type IpRange } from '../kubernetes/ip-range.ts';
import { contains, type IpSet, intersect, normalise, subtract } from '../kubernetes/ip-set.ts';
import type { ProtectedRange, Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { listed } from './listed.ts';
import { type IpBlockPeer, type Opening, removePeer } from './model.ts';
import type { Border, Objection } from './objection.ts';
import { once } from './once.ts';
import { withoutServed } from './shared-service.ts';

/** Granted ranges beyond these are counted, so that a refusal stays readable. */
const rangesTold = 5;

const selectPods = 'select pods with podSelector and namespaceSelector';

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

export function judgeAddresses({ addresses }: IpBlockPeer, opening: Opening, border: Border): Objection | undefined {
  const { settings } = border.tenancy;
  const { direction } = opening;
  const rest = withoutServed(destinations(addresses), opening, settings);
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
      fix:
        direction === 'egress'
          ? `${onlyGranted(border.tenant, rest)}; pods are selected with podSelector and namespaceSelector`
          : leaveOut(touched, addresses, settings),
    };
  }
  if (direction === 'egress') {
    const [outside] = subtract(rest, grantedTo(border.tenant));
    if (outside !== undefined) {
      return {
        verdict: 'escapes',
        reason: `covers addresses that network.egressCIDRs of ${border.tenant.name} does not grant`,
        witness: `the address ${addressIn(outside, addresses)}`,
        fix: onlyGranted(border.tenant, rest),
      };
    }
  }
  const unlisted = settings.unlistedFamilies.find((one) => rest.some(({ family }) => family === one));
  if (unlisted === undefined) return undefined;
  return {
    verdict: 'unproven',
    reason: `may cover addresses of the cluster, as the settings do not list its ${familyNames[unlisted]} pod, service and node ranges`,
    fix: `ask the platform to complete the settings, or ${selectPods}`,
  };
}

/**
 * The fix for an egress block: the granted ranges of one family.
 *
 * @param rest the addresses that the block reaches. They decide the family: IPv6, unless every one of them is IPv4
 */
function onlyGranted({ network }: Tenant, rest: IpSet): string {
  const family = rest.at(-1)?.family ?? 4;
  const ranges = network.egressRanges.filter((range) => range.family === family);
  if (ranges.length === 0) {
    return `ask the platform to grant ${familyNames[family]} addresses outside the cluster, or ${removePeer}`;
  }
  return `write a cidr within what was granted: ${listed(ranges.map(formatRange), rangesTold)}; or ask the platform to grant more`;
}

/**
 * The fix for an ingress block that covers addresses of the cluster. A protected range that holds the whole block leaves nothing to write.
 * The IPv6 forms of the cluster's IPv4 addresses all lie in ::/8.
 */
function leaveOut(touched: readonly Guard[], addresses: IpSet, settings: Settings): string {
  const [begin, end] = [addresses[0], addresses.at(-1)];
  if (begin === undefined || end === undefined) return `${selectPods} instead`;
  const { family } = begin;
  if (settings.unlistedFamilies.includes(family))
    return `ask the platform to complete the settings, or ${selectPods} instead`;
  const block: IpSet = [{ family, first: begin.first, last: end.last }];
  if (touched.some((guard) => contains(guard.addresses, block))) return `${selectPods} instead`;
  const ofFamily = touched.map((guard) => guard.addresses.filter((range) => range.family === family));
  const inFamily = ofFamily.flat().map(formatRange);
  if (family === 4) return `leave out ${listed(inFamily)} with except, or ${selectPods} instead`;
  const isCluster = ({ kind, addresses }: Guard) =>
    kind === 'cluster' && intersect(addresses, [globalUnicast]).length > 0;
  if (contains(block, [globalUnicast]) && !guardedBy(settings).some(isCluster)) {
    return `write 2000::/3 as cidr, which is the IPv6 internet, or ${selectPods} instead`;
  }
  if (contains([lowest], block)) return `write cidr and except as IPv4, or ${selectPods} instead`;
  const forms = ofFamily.some((ranges) => ranges.length === 0) ? ['::/8 (IPv6 forms of IPv4 addresses)'] : [];
  return `leave out ${listed([...inFamily, ...forms])} with except, or ${selectPods} instead`;
}

/** The first address of the range, spelled as the policy covers it: `64:ff9b::a00:1, which stands for 10.0.0.1`. */
function addressIn({ family, first }: IpRange, addresses: IpSet): string {
  const spelling = spellings(family, first).find((candidate) => contains(addresses, [candidate]));
  const plain = formatAddress(family, first);
  if (spelling === undefined || spelling.family === family) return plain;
  return `${formatAddress(spelling.family, spelling.first)}, which stands for ${plain}`;
}
