import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { formatAddress } from '../kubernetes/ip-address.ts';
import { type IpRange, knownRange, parseCidr } from '../kubernetes/ip-range.ts';
import { contains, intersect } from '../kubernetes/ip-set.ts';
import { excerpt } from '../kubernetes/json.ts';
import type { PortRange } from '../kubernetes/port-range.ts';
import { listed } from '../reach/listed.ts';
import { closedFor } from '../reach/tenant-addresses.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { ofTenant } from './grants.ts';

/** Where a resolver asks; by TCP only what was too long. */
const dnsPorts: readonly PortRange[] = [{ protocol: 'UDP', first: 53, last: 53 }];

/** Protected ranges in which policies that select pods decide what is reached: those of a tenant stay inside its border. */
const podAddresses: ReadonlySet<string> = new Set(['pod network', 'service network']);

const instead = 'remove it, with dnsPolicy None where no other is left, and the DNS of the cluster answers';

/**
 * The name servers of a pod are ones that its tenant may reach.
 * Reads    spec.dnsConfig.nameservers, on CREATE (they never change), whatever spec.dnsPolicy is: they are asked beside the others
 * Allowed  the pod itself (loopback); addresses of pods and Services; those on which a shared service answers at UDP 53;
 *          those that network.egressCIDRs, egress and vouched of the tenant grant at UDP 53. dnsPolicy None and Default as such
 * Why      who answers a pod's questions decides where it connects to, and a name server outside is a way out for what is asked
 *          (POD-05). Default names no address: it takes those of the node, and the baseline holds them back like any other
 */
export const nameServers: Check = {
  id: 'name-servers',
  headline: 'uses name servers that its tenant may not reach',
  sharedByContainers: true,
  protects: 'border',
  grants: ofTenant('network.egress', 'network.vouched'),
  pod(request, { owner, tenancy, now }) {
    const servers = request.object.spec?.dnsConfig?.nameservers;
    if (!servers || owner === 'platform' || request.operation !== 'CREATE') return nothing;
    const findings: Finding[] = [];
    for (const [index, server] of servers.entries()) {
      const violation = violationIn(server, owner, tenancy, now);
      if (violation !== undefined) findings.push({ path: `spec.dnsConfig.nameservers[${index}]`, ...violation });
    }
    return findings;
  },
};

type Violation = Pick<Finding, 'reason' | 'fix' | 'ungrantable'>;

function violationIn(server: string, tenant: Tenant, tenancy: Tenancy, now: number): Violation | undefined {
  const { settings } = tenancy;
  const read = addressOf(server);
  if (read === undefined) {
    const reason = `${excerpt(server)} is not an address that all programs read alike`;
    return { reason, fix: instead, ungrantable: true };
  }
  const address = destinations([read]);
  if (contains(loopback, address)) return undefined;
  const { notGranted } = closedFor({ tenant, tenancy, now })(dnsPorts)(address, 'egress');
  if (notGranted.length === 0) return undefined;
  const touched = settings.protectedRanges.filter(({ range }) => intersect(address, destinations([range])).length > 0);
  const shown = formatAddress(read.family, read.first);
  const guarded = touched.filter(({ name }) => !podAddresses.has(name));
  const ask = (field: 'egress' | 'vouched'): string =>
    `${instead}; or ask the platform to grant ${shown} at 53/UDP in network.${field} of ${tenant.name}`;
  if (guarded.length > 0) {
    const reason = `is ${shown}, an address of the ${listed([...new Set(guarded.map(({ name }) => name))])}`;
    const isMetadata = guarded.some(({ kind }) => kind === 'metadata');
    return isMetadata ? { reason, fix: instead, ungrantable: true } : { reason, fix: ask('vouched') };
  }
  if (touched.length > 0) return undefined;
  return { reason: `is ${shown}, which network.egress of ${tenant.name} does not grant at 53/UDP`, fix: ask('egress') };
}

const loopback = ['127.0.0.0/8', '::1/128'].map(knownRange);

/** IPv6 in any spelling; IPv4 in the one that has no leading zeros, which some resolvers read as octal. */
export function addressOf(text: string): IpRange | undefined {
  const six = text.includes(':');
  let parsed = parseCidr(`${text}/${six ? 128 : 32}`);
  if (six && !parsed.ok && parsed.fix !== undefined) parsed = parseCidr(parsed.fix);
  return parsed.ok ? parsed.value : undefined;
}
