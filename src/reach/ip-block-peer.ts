/**
 * Whether addresses lie outside the cluster and, for egress, were granted to the tenant.
 *
 * Some network plugins apply an ipBlock to pods, some do not, and whether an address is translated before or after the
 * policy "is not defined": so a range that covers an address of the cluster opens whatever is there. IPv6 addresses that
 * stand for IPv4 ones count as those.
 */
import { destinations, spellings } from '../kubernetes/embedded-ipv4.ts';
import { formatAddress, type IpRange } from '../kubernetes/ip-range.ts';
import { contains, type IpSet, intersect, normalise, subtract } from '../kubernetes/ip-set.ts';
import type { IpBlockPeer, Opening } from './model.ts';
import type { Border, Objection } from './objection.ts';
import { servedAddresses } from './shared-service.ts';

export function judgeAddresses({ addresses }: IpBlockPeer, opening: Opening, border: Border): Objection | undefined {
  const { settings } = border.tenancy;
  const rest = subtract(destinations(addresses), destinations(servedAddresses(opening, border)));
  if (rest.length === 0) return undefined;

  const touched = new Set<string>();
  let inside: IpRange | undefined;
  for (const { name, range } of settings.protectedRanges) {
    const [common] = intersect(rest, destinations([range]));
    if (common === undefined) continue;
    touched.add(name);
    inside ??= common;
  }
  if (inside !== undefined) {
    return {
      verdict: 'escapes',
      reason: `covers addresses of the ${listed([...touched])}`,
      witness: `the address ${addressIn(inside, addresses)}`,
      fix: 'leave them out with except, and select pods with podSelector and namespaceSelector',
    };
  }
  if (opening.direction === 'egress') {
    const [outside] = subtract(rest, destinations(normalise(border.tenant.network.egressRanges)));
    if (outside !== undefined) {
      return {
        verdict: 'escapes',
        reason: `covers addresses that network.egressCIDRs of ${border.tenant.name} does not grant`,
        witness: `the address ${addressIn(outside, addresses)}`,
        fix: 'write only ranges that were granted, or ask the platform to grant this one',
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

/** The first address of the range, spelled as the policy covers it: `64:ff9b::a00:1, which stands for 10.0.0.1`. */
function addressIn({ family, first }: IpRange, addresses: IpSet): string {
  const spelling = spellings(family, first).find((candidate) => contains(addresses, [candidate]));
  const plain = formatAddress(family, first);
  if (spelling === undefined || spelling.family === family) return plain;
  return `${formatAddress(spelling.family, spelling.first)}, which stands for ${plain}`;
}

/** `pod network`, `pod network and node network`, `pod network, node network and metadata service`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
