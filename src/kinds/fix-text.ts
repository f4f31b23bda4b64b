/** Fixes of the border, in the words of a kind of policy. */
import { managedPrefix } from '../baseline/managed.ts';
import { isNarrowName } from '../kubernetes/dns-pattern.ts';
import { formatRange } from '../kubernetes/ip-range.ts';
import { excerpt } from '../kubernetes/json.ts';
import { formatPort } from '../kubernetes/port-range.ts';
import type { PeerVerdict } from '../reach/border.ts';
import type { Fix } from '../reach/fix.ts';
import { listed, listedBy, listedPorts } from '../reach/listed.ts';
import type { PodService } from '../reach/shared-service.ts';
import type { Border } from '../reach/violation.ts';
import { describeReserved } from '../tenancy/reserved-names.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Direction, Tenant } from '../tenancy/tenant.ts';
import { grantText, onlyGranted } from './fix-addresses.ts';
import { nameCallers, narrowToCallers } from './fix-callers.ts';
import { listPeers, namespacesOf, peersOf } from './fix-peers.ts';
import type { PolicyVerdict } from './kind.ts';
import { labelsOf, labelText, type PolicyWords } from './policy-words.ts';

/** The rest is counted, so that a refusal stays readable. */
const maxExceptions = 6;
const maxShownPartners = 3;

/** All verdicts on a policy, with their fixes in words. */
export function wordedVerdicts(
  verdicts: readonly PeerVerdict[],
  border: Border,
  words: PolicyWords,
): readonly PolicyVerdict[] {
  return verdicts.map((verdict) => ({
    ...verdict,
    fix: fixText(verdict.fix, border, words.of?.(verdict) ?? words, verdict.direction),
  }));
}

/** @param fix a text is one that the reader of the policy has written already */
export function fixText(
  fix: Fix | string,
  { tenant, tenancy }: Pick<Border, 'tenant' | 'tenancy'>,
  words: PolicyWords,
  direction: Direction,
): string {
  if (typeof fix === 'string') return fix;
  const { selectPods, removePeer } = words;
  const label = labelOf(tenant.name, tenancy, words);
  switch (fix.id) {
    case 'list-peers':
      return listPeers(fix, tenant, label, words);
    case 'open-already':
      return `remove the rule, as ${managedPrefix}allow-${fix.service.name} opens ${fix.service.name} already; or write its peers: ${peersOf(fix.service, words)}`;
    case 'remove-peer':
      return removePeer;
    case 'correct-requirements':
      return `correct the requirements on ${fix.label}, or ${removePeer}`;
    case 'correct-name':
      return `correct the value of ${words.namespaceName}, or ${removePeer}`;
    case 'remove-name':
      return `remove the name, as only shared services are open, or ${removePeer}`;
    case 'add-tenant-label':
      return `add ${label} to its ${labelsOf(words)}${partnersOr(fix, tenancy, tenant, words)}`;
    case 'not-by-name':
      return `add ${label} to its ${labelsOf(words)}${otherWays(fix, tenant, tenancy, words)}`;
    case 'set-tenant-label':
      return `write ${label} in ${words.labels ?? 'matchLabels'} instead${instead(fix.or, tenancy, tenant)}`;
    case 'select-own-pods':
      return `write ${label} among the labels that its namespaces must have`;
    case 'agree-on-gate':
      if (fix.by === 'requests')
        return `have members of tenant ${excerpt(fix.tenant)} write a GateRequest with tenant: ${tenant.name} and direction: ${fix.direction} on ${listedPorts(fix.ports)}`;
      return `have tenant ${excerpt(fix.tenant)} declare the mirror image: a gate for ${fix.direction} with ${tenant.name} on ${listedPorts(fix.ports)}`;
    case 'renew-gate':
      return `renew the gate with tenant ${excerpt(fix.tenant)}, or ${removePeer}`;
    case 'only-gate-ports':
      return `list only ports that the gate opens, by number: ${listedPorts(fix.ports)}; or agree on more ports with the other tenant`;
    case 'narrow-to-service':
      return narrowTo(fix.service, fix.by, words);
    case 'write-trusted-value':
      return trustedValues(fix, words);
    case 'share-namespace':
      return `${removePeer}; or ask the platform to share the namespace ${fix.namespace} for ${fix.direction} (settings: sharedServices)`;
    case 'remove-misplaced-label':
      return `write ${words.namespaceName} instead, or ask the platform to remove the label ${fix.label} from the namespaces that bulkhead audit names`;
    case 'one-peer-for-each-service':
      return 'write one peer for each shared service, with the podSelector of that service';
    case 'service-and-tenant-apart':
      return 'write one peer for the shared service and one for the other tenant';
    case 'only-granted-ranges':
      return onlyGranted(fix, tenant, words);
    case 'only-granted-ports':
      return `list only the ports that are granted, by number: ${listedPorts(fix.ports)}; or ask the platform to grant ${grantText(fix.ask, tenant, 'more')}`;
    case 'vouch-nodes':
      return `${selectPods}; of nodes and load balancers, ask the platform to grant ${grantText({ field: 'vouched', cidr: fix.cidr, ports: fix.ports }, tenant, 'the addresses')}, direction ingress: with them comes what they forward, from the internet and from pods of others`;
    case 'leave-out-ranges': {
      const pods = fix.coversCluster ? `, or ${selectPods}` : '';
      const embedded = fix.embedsIpv4 ? ['::/8 (IPv6 forms of IPv4 addresses)'] : [];
      const only =
        fix.only.length === 0 ? '' : ` and list only the ports that are granted, by number: ${listedPorts(fix.only)}`;
      return `leave out ${listed([...fix.ranges.map(formatRange), ...embedded], maxExceptions)} with ${words.except(direction)}${only}${pods}`;
    }
    case 'only-ipv6-internet':
      return `write 2000::/3 as cidr, which is the IPv6 internet, or ${selectPods}`;
    case 'write-as-ipv4':
      return `write cidr and except as IPv4, or ${selectPods}`;
    case 'select-pods':
      return selectPods;
    case 'entity-of-pods':
      return `list the peers: ${words.peers[direction]} with ${words.ownNamespace} for this namespace, or with ${label} for the tenant`;
    case 'share-entity':
      return `ask the platform to open it (settings: sharedServices with entity: ${fix.entity}, direction: ${fix.direction} and ports), or ${removePeer}`;
    case 'narrow-to-entity':
      return `list only the ports of ${fix.service.name}, by number: ${listed(fix.service.ports.map(formatPort))}`;
    case 'world-as-addresses':
      return worldAsAddresses(fix, { tenant, tenancy }, words, direction);
    case 'grant-name':
      return grantName(fix, tenant, words);
    case 'other-tier':
      return otherTier(fix);
    case 'grant-cluster':
      return grantCluster(fix, tenant);
    case 'name-callers':
      return nameCallers(fix, tenant);
    case 'narrow-to-callers':
      return narrowToCallers(fix);
    case 'complete-settings':
      return `ask the platform to complete the settings, or ${selectPods}`;
  }
}

/** In some versions of Calico the name of a policy begins with that of its tier, but for the default one. */
function otherTier({ tiers, isName }: Fix & { readonly id: 'other-tier' }): string {
  const ask = 'ask the platform to list the tier (settings: network.calico.tiers)';
  const [first] = tiers.includes('default') ? ['default'] : tiers;
  if (first === undefined) return ask;
  const name = first === 'default' ? 'without a dot' : `that begins with ${first}.`;
  if (isName) return `choose another name, ${name}, or ${ask}`;
  return first === 'default' ? `write tier: default, or ${ask}` : `write tier: ${first}, and a name ${name}; or ${ask}`;
}

/** How a namespace of the tenant is selected. */
function labelOf(tenant: string, { settings }: Tenancy, words: PolicyWords): string {
  return labelText(words.namespaceLabel(settings.tenantLabel), tenant, words);
}

/** Only where something is left out, all addresses of the family are a beginning. */
function worldAsAddresses(
  { family, instead }: Fix & { readonly id: 'world-as-addresses' },
  of: Pick<Border, 'tenant' | 'tenancy'>,
  words: PolicyWords,
  direction: Direction,
): string {
  const isRest = typeof instead !== 'string' && instead.id === 'leave-out-ranges';
  const list = isRest ? words.addresses(family, direction) : words.ranges(direction);
  return `write ${list} in its place: ${fixText(instead, of, words, direction)}`;
}

function grantCluster({ cluster, isOwnKnown }: Fix & { readonly id: 'grant-cluster' }, { name }: Tenant): string {
  const grant = `ask the platform to list ${cluster} in network.clusters of tenant ${name}, or in clusters of a gate or shared service`;
  if (isOwnKnown) return `name the own cluster alone; or ${grant}`;
  return `remove it, as pods of the own cluster are selected without it; or ${grant}; if it is the own one, ask for network.clusterName in the settings`;
}

function grantName({ name, granted }: Fix & { readonly id: 'grant-name' }, tenant: Tenant, words: PolicyWords): string {
  const place = `network.names of tenant ${tenant.name}`;
  const list = isNarrowName(name)
    ? `ask the platform to list ${JSON.stringify(name.text)} in ${place}`
    : `write the names that the pods need, and ask the platform to list those in ${place}`;
  if (granted.length === 0) return `${list}, or ${words.removePeer}`;
  return `write names within what was granted: ${listedBy(granted, ({ text }) => text, maxShownPartners)}; or ${list}`;
}

/** Another way to mend a peer than by the tenant label. */
function instead(way: 'agree-on-gate' | 'remove-name' | undefined, tenancy: Tenancy, tenant: Tenant): string {
  switch (way) {
    case 'agree-on-gate':
      return agreeOnGate(tenancy, tenant);
    case 'remove-name':
      return ', or remove the name';
    case undefined:
      return '';
  }
}

function partnersOr(
  fix: Fix & { readonly id: 'add-tenant-label' },
  tenancy: Tenancy,
  tenant: Tenant,
  words: PolicyWords,
): string {
  const { or, partners = [], services = [] } = fix;
  const gate = partners.length === 0 ? instead(or, tenancy, tenant) : withPartners(partners, tenancy, words);
  return services.length === 0 ? gate : `${gate}, or select a shared service by ${namespacesOf(services, words)}`;
}

const withPartners = (partners: readonly string[], tenancy: Tenancy, words: PolicyWords): string =>
  `, or that of a tenant with an open gate: ${listedBy(partners, (partner) => labelOf(partner, tenancy, words), maxShownPartners)}`;

/** Where members of the tenant may agree by themselves, the fix names the GateRequest. */
function agreeOnGate({ settings: { gates }, requests }: Tenancy, { name }: Tenant): string {
  const byRequests =
    requests !== undefined && gates.from === 'tenants' && (gates.between?.some((some) => some.has(name)) ?? true);
  return `, or agree on a gate with the other tenant${byRequests ? ' (with a GateRequest of each)' : ''}`;
}

/** Than by the tenant label: the label of another tenant, a reserved name, and what the platform can grant. */
function otherWays(
  { names, partners }: Fix & { readonly id: 'not-by-name' },
  tenant: Tenant,
  tenancy: Tenancy,
  words: PolicyWords,
): string {
  const { name, reserved } = tenant;
  const gate =
    partners.length === 0
      ? `${agreeOnGate(tenancy, tenant)} and add its label`
      : withPartners(partners, tenancy, words);
  const own =
    reserved.size === 0
      ? ''
      : `, or select only names that ${describeReserved(reserved.keys(), ['begin with', 'are'])}, which are reserved to it`;
  const them = names.length === 1 ? 'the name' : 'these names';
  return `${gate}${own}; or ask the platform to reserve ${them} (namespaces.names of tenant ${name})`;
}

function narrowTo(
  { name, namespace, podSelector, ports }: PodService,
  by: 'namespace' | 'pods' | 'ports',
  words: PolicyWords,
): string {
  if (by === 'ports') return `list only the ports of ${name}, by number: ${listed(ports.map(formatPort))}`;
  const only = ports.length === 0 ? '' : `, and only the ports of ${name}: ${listed(ports.map(formatPort))}`;
  return by === 'namespace'
    ? `add ${labelText(words.namespaceName, namespace, words)} to its ${labelsOf(words)}${only}`
    : `narrow it to ${name}: ${words.podSelector(podSelector)}${only}`;
}

function trustedValues({ label, values }: Fix & { readonly id: 'write-trusted-value' }, words: PolicyWords): string {
  const { namespaceLabel, removePeer } = words;
  const more = `ask the platform to list another value of ${label} (settings: trustedNamespaceLabels)`;
  if (values.length === 0) return `${removePeer}; or ${more}`;
  const listed = listedBy(
    values,
    (value) => words.equals?.(namespaceLabel(label), value) ?? `${namespaceLabel(label)}: ${JSON.stringify(value)}`,
    maxShownPartners,
  );
  return `write a listed value in ${words.labels ?? 'matchLabels'}: ${listed}; or ${more}`;
}
