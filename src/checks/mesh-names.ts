/** Whose a name is that an object of Istio writes: that of a host, a destination or an endpoint. */
import { containsPattern, parsePattern } from '../kubernetes/dns-pattern.ts';
import { parseHost } from '../kubernetes/host-name.ts';
import { excerpt } from '../kubernetes/json.ts';
import { isOwnHost } from '../tenancy/route-grants.ts';
import type { NamingFacts } from './check.ts';
import { internalZones, isNoDomain, isNumber, isOfPod, namespaceIn, namesTwoNamespaces } from './led-names.ts';
import { addressOf } from './name-servers.ts';
import { isOwnNamespace } from './own-namespace.ts';

/**
 * `own`: in a namespace of the tenant, by a name that leads nowhere else or by one that search domains complete, or one of its hosts, which can
 * have any address. `namespace`: of this cluster, and not the tenant's; a star for all of them.
 * `granted`: by network.names, with the namespace of this cluster that the name can mean. `outside`: any other name outside. `unclear`: readers differ, or many answer to it.
 */
export type Place =
  | { readonly kind: 'own'; readonly by: 'namespace' | 'search' | 'hosts' }
  | { readonly kind: 'namespace'; readonly namespace: string }
  | { readonly kind: 'granted'; readonly namespace: string | undefined }
  | { readonly kind: 'outside' | 'address' }
  | { readonly kind: 'unclear'; readonly reason: string };

/** @param text as written, or completed; a star as its first label stands for one label or more, and a star alone for every name */
export function placeOfName(text: string, request: { readonly namespace: string }, facts: NamingFacts): Place {
  const { owner } = facts;
  if (owner === 'platform') return { kind: 'own', by: 'namespace' };
  if (text === '') return { kind: 'unclear', reason: 'is empty' };
  if (text === '*') return { kind: 'namespace', namespace: '*' };
  const labels = labelsOf(text);
  if (addressOf(text) !== undefined || isNumber(labels.at(-1) ?? '')) return { kind: 'address' };
  const starred = labels[0] === '*' && labels.length > 1;
  const pattern = parsePattern(starred ? `*${text}` : text);
  if (pattern === undefined || labels.slice(starred ? 1 : 0).some((label) => label === '' || label.includes('*')))
    return { kind: 'unclear', reason: `${excerpt(text)} is not a DNS name` };
  if (isOfPod(labels)) {
    const reason = `${excerpt(text)} names the address of a pod, and the DNS of the cluster answers with any address that is written so`;
    return { kind: 'unclear', reason };
  }
  if (namesTwoNamespaces(labels))
    return { kind: 'unclear', reason: `${excerpt(text)} names two namespaces, and proxies take it for the first` };
  const namespace = namespaceIn(labels);
  const isOwn = namespace !== undefined && isOwnNamespace(namespace, request, facts);
  if (isOwn && isOfCluster(labels, facts)) return { kind: 'own', by: 'namespace' };
  const host = parseHost(text);
  if (namespace === undefined && host !== undefined && isOwnHost(host, owner.network.routes))
    return { kind: 'own', by: 'hosts' };
  if (isGranted(text, facts)) return { kind: 'granted', namespace: isOwn ? undefined : namespace };
  if (namespace === undefined) return placeOutside(text, labels, request, facts);
  // In a domain of others, whose owner says what address it has.
  return isOwn ? { kind: 'outside' } : { kind: 'namespace', namespace };
}

/** Whether network.hosts can list it: it takes no name of a namespace. */
export function canBeListed(text: string): boolean {
  return namespaceIn(labelsOf(text)) === undefined && parseHost(text) !== undefined;
}

/** Whether network.names lists every name for which it stands. */
export function isGranted(text: string, { owner }: NamingFacts): boolean {
  const pattern = parsePattern(text.startsWith('*.') ? `*${text}` : text);
  return (
    owner !== 'platform' &&
    pattern !== undefined &&
    owner.network.names.some((granted) => containsPattern(granted, pattern))
  );
}

function placeOutside(
  text: string,
  labels: readonly string[],
  request: { readonly namespace: string },
  facts: NamingFacts,
): Place {
  const ended = labels.join('.');
  const zone = internalZones.find((one) => ended === one || ended.endsWith(`.${one}`));
  if (zone !== undefined) {
    const reason = `${excerpt(text)} is a name that is answered inside the cluster, the cloud or the host (${zone})`;
    return { kind: 'unclear', reason };
  }
  if (labels.length === 1)
    return { kind: 'unclear', reason: `${excerpt(text)} is a name that each program completes in its own way` };
  const last = labels.at(-1) ?? '';
  if (labels.length > 2) return { kind: 'outside' };
  // `web.acme-web` is a Service for a program that uses the search domains of the cluster, and `web.dev` a host of the internet as well.
  if (isOwnNamespace(last, request, facts))
    return isNoDomain(last) ? { kind: 'own', by: 'search' } : { kind: 'outside' };
  return facts.tenancy.reservation(last) !== undefined || isNoDomain(last)
    ? { kind: 'namespace', namespace: last }
    : { kind: 'outside' };
}

/** `SERVICE.NAMESPACE.svc`, alone or in the domain of the cluster. */
function isOfCluster(labels: readonly string[], { tenancy }: NamingFacts): boolean {
  const domain = tenancy.settings.istio?.domain ?? 'cluster.local';
  const text = labels.join('.');
  return text.endsWith('.svc') || text.endsWith(`.svc.${domain}`);
}

/** A name that search domains complete, as it is whole. */
export function completed(text: string, { tenancy }: NamingFacts): string {
  return `${labelsOf(text).join('.')}.svc.${tenancy.settings.istio?.domain ?? 'cluster.local'}`;
}

/** What a fix says in place of a name of others. */
export function ownName(
  what: string,
  { namespace }: { readonly namespace: string },
  { owner, tenancy }: NamingFacts,
): string {
  const tenant = owner === 'platform' ? 'the platform' : owner.name;
  return `${what} of a namespace that is reserved for ${tenant}, such as web.${namespace}.svc.${tenancy.settings.istio?.domain ?? 'cluster.local'}`;
}

/** How one may be led to hosts of a namespace of others: the end of a fix. */
export function agreeOn(namespace: string, { tenancy }: NamingFacts): string {
  if (namespace === '*') return '';
  return tenancy.reservation(namespace) === 'platform'
    ? `, or ask the platform team for a shared service for egress in namespace ${namespace}`
    : ', or agree on a gate with the other tenant';
}

/** The namespaces of this cluster that a name can mean. */
export function namespacesOfHost(text: string): readonly string[] {
  const labels = labelsOf(text);
  const named = namespaceIn(labels);
  if (named !== undefined) return [named];
  return labels.length === 2 ? labels.slice(1) : [];
}

/** In lower case, without a dot at the end. */
function labelsOf(text: string): readonly string[] {
  const lower = text.toLowerCase();
  return (lower.endsWith('.') ? lower.slice(0, -1) : lower).split('.');
}
