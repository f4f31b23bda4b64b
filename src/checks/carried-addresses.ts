/** Whether a tenant may have others carry traffic to an address. They may reach more than the tenant, and its policies do not count for them. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { familyNames, formatAddress } from '../kubernetes/ip-address.ts';
import { knownRange } from '../kubernetes/ip-range.ts';
import { type IpSet, intersect } from '../kubernetes/ip-set.ts';
import { excerpt } from '../kubernetes/json.ts';
import { allPorts, formatPort, type PortRange } from '../kubernetes/port-range.ts';
import { listed } from '../reach/listed.ts';
import { closedFor } from '../reach/tenant-addresses.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { Finding } from './check.ts';
import { addressOf } from './name-servers.ts';

export type Violation = Pick<Finding, 'reason' | 'fix' | 'ungrantable'>;

interface Asked {
  readonly tenant: Tenant;
  readonly tenancy: Tenancy;
  readonly now: number;
}

/** Addresses at which every client reaches its own node or pod. */
const local: IpSet = ['0.0.0.0/8', '127.0.0.0/8', '::/127'].map(knownRange);

export const ofPods = 'give the Service a selector, and Kubernetes writes the addresses of its pods';

/** The same for what only a name spells, at every port. @returns undefined as well: it lies outside the cluster */
export function violationInside(text: string, asked: Asked): Violation | undefined {
  const read = addressOf(text);
  if (read === undefined) return undefined;
  const address = destinations([read]);
  const { protectedRanges, unlistedFamilies } = asked.tenancy.settings;
  const isInside =
    intersect(address, local).length > 0 ||
    protectedRanges.some(({ range }) => intersect(address, destinations([range])).length > 0) ||
    address.some(({ family }) => unlistedFamilies.includes(family));
  return isInside ? violationAt(text, allPorts, asked) : undefined;
}

/**
 * @param asked one object for all addresses of a request
 * @param ports never empty; one list for all addresses with these ports
 * @returns undefined: the address lies outside the cluster, and the platform grants it on all of the ports
 */
export function violationAt(text: string, ports: readonly PortRange[], asked: Asked): Violation | undefined {
  const { tenant, tenancy } = asked;
  const { settings } = tenancy;
  const read = /[%/]/.test(text) ? undefined : addressOf(text);
  if (read === undefined)
    return { reason: `${excerpt(text)} is not an address that all programs read alike`, fix: ofPods };
  const address = destinations([read]);
  const shown = formatAddress(read.family, read.first);
  if (intersect(address, local).length > 0)
    return { reason: `is ${shown}, where each program that connects answers itself`, fix: ofPods, ungrantable: true };
  const { notAssured, notGranted } = closedFor(asked)(ports)(address, 'egress');
  const unlisted = settings.unlistedFamilies.find((one) => address.some(({ family }) => family === one));
  if ((unlisted === undefined ? notGranted : notAssured).length === 0) return undefined;
  const at = ports === allPorts ? 'every port' : listed(ports.map(formatPort));
  const ask = (field: string): string =>
    `${ofPods}; or ask the platform team to grant the address at ${at} in network.${field} of ${tenant.name}`;
  const places = settings.protectedRanges.filter(({ range }) => intersect(address, destinations([range])).length > 0);
  if (places.length > 0) {
    const names = [...new Set(places.map(({ name }) => name))];
    const reason = `is ${shown}, an address of the ${listed(names)}: others would carry traffic there, past the policies of ${tenant.name}`;
    return places.some(({ kind }) => kind === 'metadata')
      ? { reason, fix: ofPods, ungrantable: true }
      : { reason, fix: ask('vouched') };
  }
  if (unlisted !== undefined) {
    const reason = `is ${shown}, which may be an address of the cluster, as the settings do not list its ${familyNames[unlisted]} pod, service and node ranges`;
    return { reason, fix: `${ask('vouched')}, or to complete the settings` };
  }
  return { reason: `is ${shown}, which network.egress of ${tenant.name} does not grant at ${at}`, fix: ask('egress') };
}
