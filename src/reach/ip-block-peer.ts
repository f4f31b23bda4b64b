/**
 * Whether addresses lie outside the cluster and, for egress, were granted to the tenant.
 *
 * Some network plugins apply an ipBlock to pods, some do not, and whether an address is translated before or after the
 * policy "is not defined": so a range that covers an address of the cluster opens whatever is there. IPv6 addresses that
 * stand for IPv4 ones count as those.
 */
import { destinations, spellings } from '../kubernetes/embedded-ipv4.ts';
import { formatAddress, formatRange, type IpRange } from '../kubernetes/ip-range.ts';
import { contains, type IpSet, intersect, normalise, subtract } from '../kubernetes/ip-set.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { listed } from './listed.ts';
import { type IpBlockPeer, type Opening, removePeer } from './model.ts';
import type { Border, Objection } from './objection.ts';
import { once } from './once.ts';
import { withoutServed } from './shared-service.ts';

/** Granted ranges beyond these are counted, so that a refusal stays readable. */
const rangesTold = 5;

const guardedBy = once(({ protectedRanges }: Settings) =>
  protectedRanges.map(({ name, text, range }) => ({ name, text, guarded: destinations([range]) })),
);
const grantedTo = once(({ network }: Tenant) => destinations(normalise(network.egressRanges)));

export function judgeAddresses({ addresses }: IpBlockPeer, opening: Opening, border: Border): Objection | undefined {
  const { settings } = border.tenancy;
  const rest = withoutServed(destinations(addresses), opening, settings);
  if (rest.length === 0) return undefined;

  const touched = new Set<string>();
  const ranges: string[] = [];
  let inside: IpRange | undefined;
  for (const { name, text, guarded } of guardedBy(settings)) {
    const [common] = intersect(rest, guarded);
    if (common === undefined) continue;
    touched.add(name);
    ranges.push(text);
    inside ??= common;
  }
  if (inside !== undefined) {
    return {
      verdict: 'escapes',
      reason: `covers addresses of the ${listed([...touched])}`,
      witness: `the address ${addressIn(inside, addresses)}`,
      fix:
        opening.direction === 'egress'
          ? `${onlyGranted(border.tenant)}; pods are selected with podSelector and namespaceSelector`
          : `leave out ${listed(ranges)} with except, or select pods with podSelector and namespaceSelector instead`,
    };
  }
  if (opening.direction === 'egress') {
    const [outside] = subtract(rest, grantedTo(border.tenant));
    if (outside !== undefined) {
      return {
        verdict: 'escapes',
        reason: `covers addresses that network.egressCIDRs of ${border.tenant.name} does not grant`,
        witness: `the address ${addressIn(outside, addresses)}`,
        fix: onlyGranted(border.tenant),
      };
    }
  }
  if (settings.rangesComplete) return undefined;
  return {
    verdict: 'unproven',
    reason: 'may cover addresses of the cluster, as the settings do not give its pod, service and node ranges',
    fix: 'ask the platform to complete the settings, or select pods with podSelector and namespaceSelector',
  };
}

function onlyGranted({ network }: Tenant): string {
  if (network.egressRanges.length === 0) {
    return `ask the platform to grant addresses outside the cluster, or ${removePeer}`;
  }
  const granted = listed(network.egressRanges.map(formatRange), rangesTold);
  return `write a cidr within what was granted: ${granted}; or ask the platform to grant more`;
}

/** The first address of the range, spelled as the policy covers it: `64:ff9b::a00:1, which stands for 10.0.0.1`. */
function addressIn({ family, first }: IpRange, addresses: IpSet): string {
  const spelling = spellings(family, first).find((candidate) => contains(addresses, [candidate]));
  const plain = formatAddress(family, first);
  if (spelling === undefined || spelling.family === family) return plain;
  return `${formatAddress(spelling.family, spelling.first)}, which stands for ${plain}`;
}
