/** The addresses that the platform grants to one tenant, on the ports that it grants them on. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { type IpSet, normalise, overlapping, subtract } from '../kubernetes/ip-set.ts';
import { serves } from '../tenancy/served-tenants.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Direction, EgressGrant, Tenant } from '../tenancy/tenant.ts';
import { type GrantedRange, grantedRanges, grantsIn } from './address-grants.ts';
import { internet } from './internet.ts';
import { once } from './once.ts';
import { serviceAddresses } from './shared-service.ts';

interface TenantAddresses {
  /** Without what the settings protect. */
  readonly egress: readonly GrantedRange[];
  /** These may lie in what the settings protect. */
  readonly vouched: Readonly<Record<Direction, readonly GrantedRange[]>>;
}

/** As traffic arrives at addresses: IPv6 addresses that stand for IPv4 ones count as those. */
export interface OpenAddresses {
  /** Shared services and vouched addresses: these hold whatever the settings protect, and whether they list its family or not. */
  readonly assured: readonly GrantedRange[];
  /** With the egress grants of the tenant, which leave out what the settings protect. */
  readonly all: readonly GrantedRange[];
}

/** What of these addresses is open to the tenant, on which ports. */
export function openAddresses(
  addresses: IpSet,
  direction: Direction,
  tenant: Tenant,
  settings: Settings,
): OpenAddresses {
  const { egress, vouched } = read(settings)(tenant);
  const served = overlapping(serviceAddresses(settings)[direction], addresses).flatMap((range) => {
    const grants = range.grants.filter(({ service }) => serves(service, tenant));
    return grants.length === 0 ? [] : [{ ...range, grants }];
  });
  const assured = grantsIn(addresses, [served, vouched[direction]]);
  return { assured, all: direction === 'egress' ? grantsIn(addresses, [assured, egress]) : assured };
}

const read = once((settings: Settings) => {
  const guarded = destinations(normalise(settings.protectedRanges.map(({ range }) => range)));
  const addresses = ({ cidr, except }: EgressGrant): IpSet =>
    subtract(cidr === 'internet' ? internet(settings) : destinations([cidr]), destinations(normalise(except)));
  return once(({ network }: Tenant): TenantAddresses => {
    const grants = [
      { addresses: destinations(normalise(network.egressRanges)), ports: [] },
      ...network.egress.map((grant) => ({ addresses: addresses(grant), ports: grant.ports })),
    ];
    const vouched = (side: Direction) =>
      grantedRanges(
        network.vouched
          .filter(({ direction }) => direction === side)
          .map(({ address, ports, expires }) => ({ addresses: destinations([address]), ports, expires })),
      );
    return {
      egress: grantedRanges(grants.map((grant) => ({ ...grant, addresses: subtract(grant.addresses, guarded) }))),
      vouched: { ingress: vouched('ingress'), egress: vouched('egress') },
    };
  });
});
