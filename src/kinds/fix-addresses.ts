/** Of addresses that were granted, and of those that may be: what the fixes say. */

import { familyNames } from '../kubernetes/ip-address.ts';
import { formatRange } from '../kubernetes/ip-range.ts';
import type { PortRange } from '../kubernetes/port-range.ts';
import type { AddressGrant, Fix } from '../reach/fix.ts';
import { listedBy, listedPorts } from '../reach/listed.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { PolicyWords } from './policy-words.ts';

/** The rest is counted, so that a refusal stays readable. */
export const maxShownRanges = 5;

export function grantedText(granted: (Fix & { readonly id: 'list-peers' })['granted'], words: PolicyWords): string {
  return listedBy(
    granted,
    ({ cidr, ports }) =>
      `${cidr === 'internet' ? `the internet (${words.internet})` : words.block(formatRange(cidr))}${on(ports)}`,
    maxShownRanges,
  );
}

export const on = (ports: readonly PortRange[]): string => (ports.length === 0 ? '' : ` on ${listedPorts(ports)}`);

export function onlyGranted(
  { family, ranges, internet, coversCluster, ask }: Fix & { readonly id: 'only-granted-ranges' },
  tenant: Tenant,
  words: PolicyWords,
): string {
  const pods = coversCluster ? `; ${words.selectsPods}` : '';
  const granted = [...(internet ? (['internet'] as const) : []), ...ranges];
  const some = granted.length === 0 ? `${familyNames[family]} addresses` : 'more';
  const wanted = grantText(ask, tenant, `${some} outside the cluster`);
  if (granted.length === 0) return `ask the platform to grant ${wanted}, or ${words.removePeer}${pods}`;
  return `write a cidr within what was granted: ${listedBy(granted, (one) => (one === 'internet' ? 'the internet' : formatRange(one)), maxShownRanges)}; or ask the platform to grant ${wanted}${pods}`;
}

/**
 * As it stands in the Tenant.
 * @param some what to say where it is no single range
 */
export function grantText({ field, cidr, ports }: AddressGrant, { name }: Tenant, some: string): string {
  const isEvery = ports.some((port) => 'name' in port || (port.first === 1 && port.last === 65535));
  const on = isEvery || ports.length === 0 ? '' : ` on ${listedPorts(ports)}`;
  return `${cidr === undefined ? some : formatRange(cidr)}${on} (network.${field} of tenant ${name})`;
}
