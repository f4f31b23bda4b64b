/** Addresses that a tenant was vouched for, and that are pods after all. */
import { destinations } from '../kubernetes/embedded-ipv4.ts';
import { formatAddress } from '../kubernetes/ip-address.ts';
import { type IpRange, parseCidr } from '../kubernetes/ip-range.ts';
import { overlapping } from '../kubernetes/ip-set.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';

/** What is to be said about a pod: the grants that reach it. A pod on the network of its node has the address of the node, and is none. */
export function vouchedPods({ tenants }: Tenancy): (pod: Readonly<Record<string, unknown>>) => readonly string[] {
  const [grants, ranges] = [new Map<string, string[]>(), [] as { readonly grant: string; readonly range: IpRange }[]];
  for (const { name, network } of tenants.values()) {
    for (const [index, { address }] of network.vouched.entries()) {
      const grant = `network.vouched[${index}] of tenant ${name}`;
      const key = keyOf(address);
      if (address.first === address.last) grants.set(key, [...(grants.get(key) ?? []), grant]);
      else ranges.push(...destinations([address]).map((range) => ({ grant, range })));
    }
  }
  return (pod) => {
    if (grants.size + ranges.length === 0 || valueAt(pod, 'spec', 'hostNetwork') === true) return [];
    const addresses = valueAt(pod, 'status', 'podIPs');
    return (Array.isArray(addresses) ? addresses : []).flatMap((one: unknown) => {
      const text = isMap(one) && typeof one.ip === 'string' ? one.ip : '';
      const parsed = parseCidr(`${text}/${text.includes(':') ? 128 : 32}`);
      if (!parsed.ok) return [];
      const arrives = destinations([parsed.value]);
      const inRanges = ranges.flatMap(({ grant, range }) => (overlapping([range], arrives).length > 0 ? [grant] : []));
      const found = [...(grants.get(keyOf(parsed.value)) ?? []), ...inRanges];
      return found.map((grant) => `has the address ${text}, which ${grant} opens`);
    });
  };
}

/** As traffic arrives at it. */
function keyOf(address: IpRange): string {
  const { family, first } = destinations([address])[0] ?? address;
  return formatAddress(family, first);
}
