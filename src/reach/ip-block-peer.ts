/**
 * Whether addresses lie outside the cluster and, for egress, were granted to the tenant.
 *
 * Some network plugins apply an ipBlock to pods, some do not, and whether an address is translated before or after the
 * policy "is not defined": so a range that covers an address of the cluster opens whatever is there. IPv6 addresses that
 * stand for IPv4 ones count as those.
 */
import { destinations, spellings } from '../kubernetes/embedded-ipv4.ts';
import { type Family, familyNames, formatAddress } from '../kubernetes/ip-address.ts';
import { blocksOf, type IpRange } from '../kubernetes/ip-range.ts';
import { contains, type IpSet, intersect, normalise, overlapping, subtract } from '../kubernetes/ip-set.ts';
import { once } from '../kubernetes/once.ts';
import { allForward } from '../tenancy/node-sources.ts';
import type { ProtectedRange, Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { portsGranted } from './address-grants.ts';
import type { AddressGrant, Fix } from './fix.ts';
import { listed } from './listed.ts';
import type { AllowRule, IpBlockPeer } from './model.ts';
import { addressLists, closedFor } from './tenant-addresses.ts';
import type { Border, Violation } from './violation.ts';

/** 2000::/3, which IANA gives to global unicast addresses (RFC 4291, section 2.4). */
const globalUnicast: IpRange = { family: 6, first: 0x2n << 124n, last: (0x4n << 124n) - 1n };
/** ::/8, in which the IPv6 forms of IPv4 addresses lie. */
const lowest: IpRange = { family: 6, first: 0n, last: (1n << 120n) - 1n };

/** For more ranges that are not granted, the fix writes no `except`. */
const mostLeftOut = 32;
/** Of more ranges in the block, the grants say more than what is left of them. */
const mostNamed = 4;

interface Guard extends ProtectedRange {
  /** The addresses at which traffic to the range arrives. */
  readonly addresses: IpSet;
}

const guardedBy = once(({ protectedRanges }: Settings) =>
  protectedRanges.map((guard) => ({ ...guard, addresses: destinations([guard.range]) })),
);

export function judgeAddresses({ addresses }: IpBlockPeer, rule: AllowRule, border: Border): Violation | undefined {
  const { settings } = border.tenancy;
  const { direction, ports } = rule;
  const reached = destinations(addresses);
  const { notAssured: rest, notGranted: missing } = closedFor(border)(ports)(reached, direction);
  if (rest.length === 0) return undefined;

  const touched: Guard[] = [];
  let inside: IpRange | undefined;
  for (const guard of guardedBy(settings)) {
    // Connections come from the cluster's own addresses; a metadata service only answers.
    if (direction === 'ingress' && guard.kind !== 'cluster') continue;
    const [common] = intersect(missing, guard.addresses);
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
          ? egressFix(missing, addresses, rule, border, touched)
          : ingressFix(missing, touched, addresses, rule, border),
    };
  }
  const [outside] = missing;
  if (direction === 'egress' && outside !== undefined) {
    const { all } = addressLists(direction, border.tenant, settings, missing);
    const open = portsGranted(missing, all, border.now) ?? [];
    const what = open.length > 0 ? 'ports' : 'addresses';
    return {
      verdict: 'escapes',
      reason: `covers ${what} that network.egress of ${border.tenant.name} does not grant`,
      witness: `the address ${addressIn(outside, addresses)}`,
      fix:
        open.length > 0
          ? { id: 'only-granted-ports', ports: open, ask: { field: 'egress', cidr: undefined, ports } }
          : egressFix(missing, addresses, rule, border, []),
    };
  }
  const unlisted = settings.unlistedFamilies.find((one) => rest.some(({ family }) => family === one));
  if (unlisted === undefined) return undefined;
  return {
    verdict: 'unproven',
    reason: `may cover addresses of the cluster, as the settings do not list its ${familyNames[unlisted]} pod, service and node ranges`,
    fix: { id: 'complete-settings' },
  };
}

/** As the Tenant writes them. */
const grantedCidrs = once(
  ({ network: { egressRanges, egress } }: Tenant): Readonly<Record<Family, readonly IpRange[]>> => {
    const cidrs = [...egressRanges, ...egress.flatMap(({ cidr }) => (cidr === 'internet' ? [] : cidr))];
    const of = (family: Family) => cidrs.filter((range) => range.family === family);
    return { 4: of(4), 6: of(6) };
  },
);

/**
 * The fix for an egress block: what to leave out, where most of it is granted; else what is granted of its family, and what to ask for.
 *
 * @param missing what of the block is not granted
 * @param touched what of the cluster it covers
 */
function egressFix(
  missing: IpSet,
  block: IpSet,
  { ports }: AllowRule,
  { tenant, tenancy: { settings }, now }: Border,
  touched: readonly Guard[],
): Fix {
  const { all } = addressLists('egress', tenant, settings, missing);
  const onOtherPorts = intersect(missing, normalise(all.flat()));
  const only = portsGranted(onOtherPorts, all, now) ?? [];
  const closed = only.length === 0 ? missing : subtract(missing, onOtherPorts);
  const coversCluster = touched.length > 0;
  if (closed.length === 0) {
    const field = coversCluster ? 'vouched' : 'egress';
    return { id: 'only-granted-ports', ports: only, ask: { field, cidr: undefined, ports } };
  }
  if (block.every((range) => !settings.unlistedFamilies.includes(range.family))) {
    const ranges = exceptionsOf(missing, block);
    if (ranges !== undefined) return { id: 'leave-out-ranges', ...ranges, coversCluster, only: [] };
    const others = only.length === 0 ? undefined : exceptionsOf(closed, block);
    if (others !== undefined) return { id: 'leave-out-ranges', ...others, coversCluster, only };
  }
  const open = subtract(destinations(block), missing).flatMap(blocksOf);
  const family = missing.at(-1)?.family ?? 4;
  const within = open.length > mostNamed ? [] : open.filter((range) => range.family === family);
  const [asked, second] = missing.slice(0, 2).flatMap(blocksOf);
  const isOne = asked !== undefined && asked.first === asked.last && second === undefined;
  const mayAsk = !coversCluster || (isOne && touched.every(({ kind }) => kind !== 'metadata'));
  return {
    id: 'only-granted-ranges',
    family,
    ranges: [...within, ...grantedCidrs(tenant)[family].filter((range) => intersect(within, [range]).length === 0)],
    internet: tenant.network.egress.some(({ cidr }) => cidr === 'internet'),
    coversCluster,
    ask:
      mayAsk && asked !== undefined && second === undefined
        ? { field: coversCluster ? 'vouched' : 'egress', cidr: asked, ports }
        : { field: 'egress', cidr: undefined, ports },
  };
}

/** Undefined: less of the block would remain than is left out. */
function exceptionsOf(
  missing: IpSet,
  block: IpSet,
): { readonly ranges: IpSet; readonly embedsIpv4: boolean } | undefined {
  const ranges = missing.length > mostLeftOut ? [] : exceptions(missing, block);
  if (ranges.length === 0 || subtract(destinations(block), missing).flatMap(blocksOf).length <= ranges.length)
    return undefined;
  return { ranges, embedsIpv4: missing[0]?.family !== block[0]?.family };
}

/**
 * What to leave out of the block, in its own family: whole ranges, with what the block leaves out of them already. Of ::/8, where the
 * IPv6 forms of IPv4 addresses lie, the fix speaks itself. Empty: that is no way.
 */
function exceptions(missing: IpSet, block: IpSet): IpSet {
  const [begin, end] = [block[0], block.at(-1)];
  if (begin === undefined || end === undefined) return [];
  const embedsIpv4 = missing[0]?.family !== begin.family;
  if (embedsIpv4 && !contains(block, [globalUnicast])) return [];
  const toLeaveOut = missing.filter(({ family }) => family === begin.family);
  const whole: IpSet = [{ family: begin.family, first: begin.first, last: end.last }];
  const closed = subtract(whole, subtract(block, toLeaveOut)).flatMap(blocksOf);
  return overlapping(closed, embedsIpv4 ? subtract(toLeaveOut, [lowest]) : toLeaveOut);
}

/** Nodes and load balancers are no pods that selectors could select; the platform can grant them as sources. */
function ingressFix(
  missing: IpSet,
  touched: readonly Guard[],
  addresses: IpSet,
  { ports }: AllowRule,
  { tenant, tenancy: { settings }, now }: Border,
): Fix {
  const open = portsGranted(missing, addressLists('ingress', tenant, settings, missing).all, now) ?? [];
  const ask: AddressGrant = { field: 'vouched', cidr: undefined, ports };
  if (open.length > 0) return { id: 'only-granted-ports', ports: open, ask };
  const [cidr, second] = missing.slice(0, 2).flatMap(blocksOf);
  if (allForward(touched, missing)) return { id: 'vouch-nodes', cidr: second === undefined ? cidr : undefined, ports };
  return leaveOut(touched, addresses, settings);
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
  if (family === 4) return { id: 'leave-out-ranges', ranges, embedsIpv4: false, coversCluster: true, only: [] };
  const isCluster = ({ kind, addresses }: Guard) =>
    kind === 'cluster' && intersect(addresses, [globalUnicast]).length > 0;
  if (contains(block, [globalUnicast]) && !guardedBy(settings).some(isCluster)) return { id: 'only-ipv6-internet' };
  if (contains([lowest], block)) return { id: 'write-as-ipv4' };
  const embedsIpv4 = ofFamily.some((one) => one.length === 0);
  return { id: 'leave-out-ranges', ranges, embedsIpv4, coversCluster: true, only: [] };
}

/** The first address of the range, spelled as the policy covers it: `64:ff9b::a00:1, which stands for 10.0.0.1`. */
function addressIn({ family, first }: IpRange, addresses: IpSet): string {
  const spelling = spellings(family, first).find((candidate) => contains(addresses, [candidate]));
  const plain = formatAddress(family, first);
  if (spelling === undefined || spelling.family === family) return plain;
  return `${formatAddress(spelling.family, spelling.first)}, which stands for ${plain}`;
}
