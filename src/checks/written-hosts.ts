/** The hosts that Ingresses, routes and Services ask others to serve. Reads the object as untrusted data. */
import { isMap, listOf, valueAt } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import type { NeighbourRequest } from '../kubernetes/review.ts';
import { annotationsWritten, fieldOf, type WrittenAnnotation } from './metadata-changes.ts';
import { textOf } from './written-endpoints.ts';

export interface WrittenHost {
  readonly path: string;
  /** Empty: every host. */
  readonly text: string;
  /** It is written in an annotation that the request changes. */
  readonly ofChange?: true;
}

type IsOwn = (namespace: string) => boolean;

/** Lists of hosts with commas between, for which a controller answers or writes records to the DNS. */
const annotations: ReadonlySet<string> = new Set([
  'nginx.ingress.kubernetes.io/server-alias',
  'external-dns.alpha.kubernetes.io/hostname',
  'external-dns.alpha.kubernetes.io/internal-hostname',
  'dns.gardener.cloud/dnsnames',
  'konghq.com/host-aliases',
  ...['haproxy-ingress.github.io', 'ingress.kubernetes.io'].flatMap((prefix) => [
    `${prefix}/server-alias`,
    `${prefix}/redirect-from`,
  ]),
]);

/** Routes that are chosen by host. */
const hosted: ReadonlySet<string> = new Set(['HTTPRoute', 'GRPCRoute', 'TLSRoute']);

/** It has ingress-nginx serve the same host with `www.` before, or without, as well. */
const besideWww = 'nginx.ingress.kubernetes.io/from-to-www-redirect';

/** Routes that name no host, with what they carry. */
export const hostless: ReadonlyMap<string, string> = new Map([
  ['TCPRoute', 'TCP'],
  ['UDPRoute', 'UDP'],
]);

/** @param isOwn whether a namespace is the tenant's */
export function hostsIn(request: NeighbourRequest, isOwn: IsOwn): readonly WrittenHost[] {
  const annotated = annotationsWritten(annotations, request);
  const ofSpec = hostsInSpec(request, isOwn);
  return annotated.length === 0 ? ofSpec : [...ofSpec, ...annotated.flatMap(hostsInAnnotation)];
}

const noHosts: readonly WrittenHost[] = [];

function hostsInSpec(request: NeighbourRequest, isOwn: IsOwn): readonly WrittenHost[] {
  const { kind, object } = request;
  const spec = valueAt(object, 'spec');
  if (kind === 'Ingress') return [...hostsOfIngress(spec), ...hostsBeside(request)];
  if (kind === 'Gateway' || kind === 'ListenerSet' || kind === 'XListenerSet') {
    // A listener without a host is about every host of its own gateway.
    return listOf(valueAt(spec, 'listeners')).flatMap((one, index) => {
      const text = textOf(valueAt(one, 'hostname'));
      const parent = textOf(valueAt(spec, 'parentRef', 'namespace'));
      return text === '' && (kind === 'Gateway' || parent === '' || isOwn(parent))
        ? []
        : [{ path: `spec.listeners[${index}].hostname`, text }];
    });
  }
  if (!hosted.has(kind)) return noHosts;
  const hostnames = listOf(valueAt(spec, 'hostnames'));
  if (hostnames.length === 0)
    return parentsElsewhere(request, isOwn).length > 0 ? [{ path: 'spec.hostnames', text: '' }] : [];
  return hostnames.map((one, index) => ({ path: `spec.hostnames[${index}]`, text: textOf(one) }));
}

function hostsOfIngress(spec: unknown): readonly WrittenHost[] {
  const found: WrittenHost[] = [];
  if (isMap(valueAt(spec, 'defaultBackend'))) found.push({ path: 'spec.defaultBackend', text: '' });
  for (const [index, rule] of listOf(valueAt(spec, 'rules')).entries())
    found.push({ path: `spec.rules[${index}].host`, text: textOf(valueAt(rule, 'host')) });
  for (const [index, tls] of listOf(valueAt(spec, 'tls')).entries())
    for (const [place, host] of listOf(valueAt(tls, 'hosts')).entries())
      found.push({ path: `spec.tls[${index}].hosts[${place}]`, text: textOf(host) });
  return found;
}

function hostsBeside({ object, oldObject }: NeighbourRequest): readonly WrittenHost[] {
  const value = entry(object.metadata?.annotations, besideWww);
  // As Go reads truth.
  if (value === undefined || !/^(1|t|true)$/i.test(value.trim())) return noHosts;
  const isChanged = value !== entry(oldObject?.metadata?.annotations, besideWww);
  return listOf(valueAt(object, 'spec', 'rules')).flatMap((rule) => {
    const host = textOf(valueAt(rule, 'host'));
    if (host === '' || host.startsWith('*')) return noHosts;
    const text = host.startsWith('www.') ? host.slice('www.'.length) : `www.${host}`;
    return [
      { path: fieldOf({ map: 'annotations', key: besideWww }), text, ...(isChanged && { ofChange: true as const }) },
    ];
  });
}

interface Parent {
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
}

/** The gateways of other namespaces to which a route attaches. */
export function parentsElsewhere({ object }: NeighbourRequest, isOwn: IsOwn): readonly Parent[] {
  return listOf(valueAt(object, 'spec', 'parentRefs')).flatMap((one, index) => {
    const [kind, namespace] = [valueAt(one, 'kind'), textOf(valueAt(one, 'namespace'))];
    // A Service has traffic of its own name alone.
    if (kind === 'Service' || namespace === '' || isOwn(namespace)) return [];
    return [{ path: `spec.parentRefs[${index}]`, namespace, name: textOf(valueAt(one, 'name')) }];
  });
}

function hostsInAnnotation({ key, value }: WrittenAnnotation): readonly WrittenHost[] {
  const path = fieldOf({ map: 'annotations', key });
  return value.split(',').flatMap((one) => (one.trim() === '' ? [] : [{ path, text: one.trim(), ofChange: true }]));
}
