/** What a rule without peers may be meant for, and how peers are written. */
import { managedPrefix } from '../baseline/managed.ts';
import { formatRange } from '../kubernetes/ip-range.ts';
import type { Fix } from '../reach/fix.ts';
import { listed, listedBy } from '../reach/listed.ts';
import { isInBaseline } from '../tenancy/served-tenants.ts';
import type { SharedService } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { grantedText, maxShownRanges, on } from './fix-addresses.ts';
import type { PolicyWords } from './policy-words.ts';

type ListPeers = Fix & { readonly id: 'list-peers' };

/** The rest is counted, so that a refusal stays readable. */
const maxShownServices = 3;

export function listPeers(fix: ListPeers, tenant: Tenant, label: string, words: PolicyWords): string {
  const { direction } = fix;
  const isWithin = direction === 'ingress' && tenant.network.within === 'tenant';
  const others = meant(fix, tenant, words);
  const remove = `remove the rule if it is for pods of the tenant, which ${managedPrefix}allow-within lets in already`;
  if (isWithin && others !== '') return `${remove}${others}`;
  const list = `list peers under ${words.peers[direction]}: ${words.ownNamespace} for this namespace`;
  return `${isWithin ? `${remove}; else ` : ''}${list}, or ${words.namespaceSelector} with ${label}${words.labels === undefined ? ' in its matchLabels' : ''}${others}`;
}

/** What a rule without peers is for, by its ports. */
function meant({ direction, ports, services, granted }: ListPeers, { name }: Tenant, words: PolicyWords): string {
  const [service, another] = services;
  const addresses = granted.length === 0 ? '' : `; of addresses list what was granted: ${grantedText(granted, words)}`;
  if (service !== undefined && another !== undefined)
    return `; select a shared service by ${namespacesOf(services, words)}${addresses}`;
  if (service !== undefined) {
    const isOpen = `; ${service.name} is open already, by ${managedPrefix}allow-${service.name}`;
    return `${isInBaseline(service) ? isOpen : `; for ${service.name} write its peers: ${peersOf(service, words)}`}${addresses}`;
  }
  if (granted.length > 0) return addresses;
  const isApi =
    direction === 'egress' &&
    ports.every((port) => !('name' in port) && apiPorts.has(port.first) && port.first === port.last);
  return isApi
    ? `; for the Kubernetes API list its addresses, after the platform has granted them (a shared service, or network.vouched of tenant ${name})`
    : '';
}

/** Where the API server listens, on its Service and on its nodes. */
const apiPorts: ReadonlySet<number> = new Set([443, 6443]);

/** How a policy names the service. */
export function peersOf(
  { direction, namespace, podSelector = {}, ports, addresses, endpoints = [] }: SharedService,
  words: PolicyWords,
): string {
  const blocks = blocksOn([...addresses.map((address) => ({ address, ports })), ...endpoints], words);
  const pods = namespace === undefined ? '' : words.podsOf(namespace, podSelector, direction);
  return [pods, blocks].filter((one) => one !== '').join(', or ');
}

/** A rule has one list of ports for all its peers. */
function blocksOn(addresses: NonNullable<SharedService['endpoints']>, words: PolicyWords): string {
  const lists = Map.groupBy(addresses, ({ ports }) => on(ports));
  const blocks = [...lists].map(([ports, some]) => {
    const ranges = listedBy(some, ({ address }) => formatRange(address), maxShownRanges);
    return `${words.block(ranges)}${lists.size === 1 ? '' : ports}`;
  });
  return blocks.length < 2 ? blocks.join('') : `${listed(blocks)}, each in a rule of its own`;
}

export const namespacesOf = (services: readonly SharedService[], words: PolicyWords): string =>
  `${words.namespaceName}: ${listed([...new Set(services.map(({ namespace = '' }) => namespace))], maxShownServices).replace(' and ', ' or ')}`;
