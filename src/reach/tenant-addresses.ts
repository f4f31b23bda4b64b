/** The addresses that the platform grants to one tenant, on the ports that it grants them on. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import type { IpRange } from '../kubernetes/ip-range.ts';
import { type IpSet, normalise, overlapping, subtract } from '../kubernetes/ip-set.ts';
import { once } from '../kubernetes/once.ts';
import type { Port } from '../kubernetes/port-range.ts';
import { serves } from '../tenancy/served-tenants.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Direction, EgressGrant, Tenant } from '../tenancy/tenant.ts';
import { type GrantedRange, grantedRanges, openIn, opens } from './address-grants.ts';
import { internet, protectedAddresses } from './internet.ts';
import { serviceAddresses } from './shared-service.ts';
import type { Border } from './violation.ts';

interface TenantAddresses {
  /** Without what the settings protect. */
  readonly egress: readonly GrantedRange[];
  /** These may lie in what the settings protect. */
  readonly vouched: Readonly<Record<Direction, readonly GrantedRange[]>>;
}

/** Lists that hold what a tenant may reach, or be reached from. */
interface AddressLists {
  /** Shared services and vouched addresses: these hold whatever the settings protect, and whether they list its family or not. */
  readonly assured: readonly (readonly GrantedRange[])[];
  /** With the egress grants of the tenant, which leave out what the settings protect. */
  readonly all: readonly (readonly GrantedRange[])[];
}

/** As traffic arrives at addresses: IPv6 addresses that stand for IPv4 ones count as those. */
export interface Closed {
  /** What neither shared services nor vouched addresses open on these ports. */
  readonly notAssured: IpSet;
  /** What nothing opens on these ports. */
  readonly notGranted: IpSet;
}

/** Of these addresses, what is closed on these ports; `ports` is one object for all peers of a rule. */
export type ClosedFor = (addresses: IpSet, direction: Direction) => Closed;

/** For one request, which asks about many peers of a rule with the same list of ports. */
export const closedFor = once(({ tenant, tenancy: { settings }, now }: Asked) =>
  once((ports: readonly Port[]): ClosedFor => {
    const isOpen = opens(ports, now);
    const openOf = once((lists: AddressLists['all']) => openIn(lists, isOpen));
    const whole = new Map<Direction, AddressLists>();
    let asked = 0;
    return (addresses, direction) => {
      asked++;
      let lists = asked > fewAsked ? whole.get(direction) : addressLists(direction, tenant, settings, addresses);
      if (lists === undefined) {
        lists = addressLists(direction, tenant, settings);
        whole.set(direction, lists);
      }
      const notAssured = subtract(addresses, openOf(lists.assured));
      const isDone = notAssured.length === 0 || lists.all === lists.assured;
      return { notAssured, notGranted: isDone ? notAssured : subtract(addresses, openOf(lists.all)) };
    };
  }),
);

/** A look at what the addresses touch is cheaper for the first ones, and one look at everything for the many. */
const fewAsked = 8;

type Asked = Pick<Border, 'tenant' | 'tenancy' | 'now'>;

/** @param touching only what these addresses touch; left out: everything */
export function addressLists(direction: Direction, tenant: Tenant, settings: Settings, touching?: IpSet): AddressLists {
  const some = <Range extends IpRange>(list: readonly Range[]) =>
    touching === undefined ? list : overlapping(list, touching);
  const { egress, vouched } = read(settings)(tenant);
  const served = some(serviceAddresses(settings)[direction]).flatMap((range) => {
    if (range.grants.every(({ service }) => serves(service, tenant))) return [range];
    const grants = range.grants.filter(({ service }) => serves(service, tenant));
    return grants.length === 0 ? [] : [{ ...range, grants }];
  });
  const assured = [served, some(vouched[direction])];
  return { assured, all: direction === 'egress' ? [...assured, some(egress)] : assured };
}

const read = once((settings: Settings) => {
  const guarded = protectedAddresses(settings);
  const addresses = ({ cidr, except }: EgressGrant): IpSet =>
    subtract(cidr === 'internet' ? internet(settings) : destinations([cidr]), destinations(normalise(except)));
  return once(({ network }: Tenant): TenantAddresses => {
    const grants = [
      { addresses: destinations(normalise(network.egressRanges)), ports: [] },
      ...network.egress.map((grant) => ({
        addresses: addresses(grant),
        ports: grant.ports,
        internet: grant.cidr === 'internet',
      })),
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
