/** DNS names to which a tenant has others lead traffic: an alias (ExternalName), endpoints by name. */
import { containsPattern, parsePattern } from '../kubernetes/dns-pattern.ts';
import { excerpt } from '../kubernetes/json.ts';
import { type Violation, violationInside } from './carried-addresses.ts';
import type { NamingFacts } from './check.ts';
import { isOwnNamespace } from './own-namespace.ts';
import { addressesIn } from './spelled-addresses.ts';

/**
 * Ends of names that are answered inside a cluster, a cloud or a host, and nowhere else: special names (RFC 6761, RFC 6762, RFC 8375,
 * RFC 9476), addresses written backwards, and the zones of clouds, in which their metadata services are.
 */
export const internalZones: readonly string[] = [
  'localhost',
  'local',
  'localdomain',
  'internal',
  'intranet',
  'private',
  'corp',
  'lan',
  'home',
  'home.arpa',
  'in-addr.arpa',
  'ip6.arpa',
];

/**
 * @param others which names outside the cluster are admitted: those that network.names grants, or every one
 * @returns undefined: the name leads to a namespace of the tenant, or is admitted
 */
export function violationOfName(
  written: string,
  others: 'granted' | 'every',
  request: { readonly namespace: string },
  facts: NamingFacts,
): Violation | undefined {
  const { owner } = facts;
  if (owner === 'platform') return undefined;
  const pattern = parsePattern(written);
  if (pattern?.labels === undefined || pattern.deep || pattern.text.includes('*'))
    return { reason: `${excerpt(written)} is not a DNS name`, fix: 'write the full name, such as db.example.org' };
  if (owner.network.names.some((granted) => containsPattern(granted, pattern))) return undefined;
  const { labels, text } = pattern;
  const last = labels.at(-1) ?? '';
  const ask = `or ask the platform team to list ${text} in network.names of ${owner.name}`;
  if (isNumber(last)) {
    const reason = `${excerpt(written)} is an address and not a name, and programs that connect take it for one`;
    return { reason, fix: 'write the name of the server' };
  }
  if (isOfPod(labels)) {
    const reason = `${excerpt(written)} names the address of a pod, and the DNS of the cluster answers with any address that is written so`;
    return { reason, fix: `name a Service of a namespace that is reserved for ${owner.name}` };
  }
  if (namesTwoNamespaces(labels)) {
    const reason = `${excerpt(written)} names two namespaces, and programs differ in which of them they take`;
    return { reason, fix: `name a Service of a namespace that is reserved for ${owner.name}` };
  }
  const namespace = namespaceIn(labels);
  const isOwn = namespace !== undefined && isOwnNamespace(namespace, request, facts);
  if (isOwn && (last === 'svc' || text.endsWith('.svc.cluster.local'))) return undefined;
  if (namespace !== undefined && !isOwn) {
    const reason = `leads to namespace ${namespace} of this cluster, which is not reserved for ${owner.name}: others would carry traffic there`;
    return { reason, fix: `name a Service of a namespace that is reserved for ${owner.name}, ${ask}` };
  }
  const zone = internalZones.find((one) => text === one || text.endsWith(`.${one}`));
  if (zone !== undefined || labels.length === 1) {
    const reason = `${excerpt(written)} is a name that ${zone === undefined ? 'each program completes in its own way' : `is answered inside the cluster, the cloud or the host (${zone})`}`;
    return { reason, fix: `write the full name of a server outside, ${ask}` };
  }
  const holder = labels.length === 2 ? facts.tenancy.reservation(last) : undefined;
  if (holder !== undefined && !isOwnNamespace(last, request, facts)) {
    const reason = `${excerpt(written)} is also a Service of namespace ${last} for a program that uses the search domains of the cluster`;
    return { reason, fix: `write a name outside the cluster, ${ask}` };
  }
  if (labels.length === 2 && isNoDomain(last) && !isOwnNamespace(last, request, facts)) {
    const reason = `${excerpt(written)} lies in no domain of the internet, so it is a Service of namespace ${last} for a program that uses the search domains of the cluster`;
    return { reason, fix: `write the full name of a server outside, ${ask}` };
  }
  const spelled = violationOfSpelled(labels, facts);
  if (spelled !== undefined)
    return { reason: `${excerpt(written)} ${spelled.reason}`, fix: `write a name outside the cluster, ${ask}` };
  if (others === 'every') return undefined;
  return {
    reason: `leads to whatever address ${text} has, and network.names of ${owner.name} does not grant it`,
    fix: `ask the platform team to list ${text} in network.names of ${owner.name}`,
  };
}

/** Names for people spell one address, and a few more by chance. One made to spell hundreds would cost as much as hundreds of addresses. */
const mostSpelled = 16;

/** Of an address in the name, which a public domain answers with. */
function violationOfSpelled(labels: readonly string[], facts: NamingFacts): Pick<Violation, 'reason'> | undefined {
  const { owner: tenant, tenancy, now } = facts;
  if (tenant === 'platform') return undefined;
  const spelled = addressesIn(labels);
  if (spelled.length > mostSpelled) return { reason: 'spells so many addresses that nothing proves which one it has' };
  for (const text of spelled) {
    const violation = violationInside(text, { tenant, tenancy, now });
    if (violation !== undefined) return violation;
  }
  return undefined;
}

/** The namespaces of this cluster to which names may lead. */
export function namespacesOfName(written: string): readonly string[] {
  const { labels = [] } = parsePattern(written) ?? {};
  const named = namespaceIn(labels);
  if (named !== undefined) return [named];
  return labels.length === 2 ? labels.slice(1) : [];
}

/**
 * `SERVICE.NAMESPACE.svc`, with the domain of the cluster or without, and more labels before it (kubernetes/dns, specification 1.1). The
 * domain can be any.
 */
export function namespaceIn(labels: readonly string[]): string | undefined {
  const at = placeOf('svc', labels);
  return at === undefined ? undefined : labels[at - 1];
}

/** `A.B.svc.C.svc`: readers differ in which of the two says the namespace. Istio gives a host the short names by the first one. */
export function namesTwoNamespaces(labels: readonly string[]): boolean {
  return labels.filter((label, index) => label === 'svc' && index > 0).length > 1;
}

/** `10-0-0-7.NAMESPACE.pod`: CoreDNS answers it for every address, whatever pods there are (plugin kubernetes, `pods insecure`). */
export function isOfPod(labels: readonly string[]): boolean {
  return placeOf('pod', labels) !== undefined;
}

function placeOf(word: 'svc' | 'pod', labels: readonly string[]): number | undefined {
  const at = labels.lastIndexOf(word);
  const isLast = at === labels.length - 1 || labels.slice(-2).join('.') === 'cluster.local';
  return at > 1 || (at > 0 && isLast) ? at : undefined;
}

/** WHATWG URL, "ends in a number": decimal, octal or hexadecimal. Such a name is read as an IPv4 address. */
export function isNumber(label: string): boolean {
  return /^[0-9]+$/.test(label) || /^0x[0-9a-f]*$/.test(label);
}

/** Domains directly below the root have letters alone (RFC 3696, section 2), or stand for names in other scripts. */
export function isNoDomain(last: string): boolean {
  return /[-_0-9]/.test(last) && !last.startsWith('xn--');
}
