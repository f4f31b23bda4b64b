import { gatewayGroups } from '../kinds/routes/gateway-api.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { commonPorts, formatPort, orAllPorts, type PortRange } from '../kubernetes/port-range.ts';
import type { NeighbourRequest } from '../kubernetes/review.ts';
import { listedPorts } from '../reach/listed.ts';
import { sharePort } from '../reach/open-ports.ts';
import { isShared } from './agreements.ts';
import { type Check, type Finding, type NeighbourFacts, nothing } from './check.ts';
import { gates, inFixes, ofTenant, sharedServices } from './grants.ts';
import { namespacesOfName, violationOfName } from './led-names.ts';
import { annotationsWritten, fieldOf, type WrittenAnnotation } from './metadata-changes.ts';
import { isOwnNamespace } from './own-namespace.ts';
import { violationOfGateway } from './parent-gateways.ts';
import { judgedReferences } from './traffic-references.ts';
import { textOf } from './written-endpoints.ts';

/** Contour: the namespace of the certificate. */
const namespaceAnnotation = 'projectcontour.io/tls-cert-namespace';

/** Annotations of Ingresses whose values are NAMESPACE/NAME of a Secret or ConfigMap, which the controller reads with its own rights. */
const secretAnnotations: ReadonlySet<string> = new Set([
  ...[
    ...['auth-secret', 'auth-tls-secret', 'proxy-ssl-secret', 'auth-proxy-set-headers', 'custom-headers'],
    'fastcgi-params-configmap',
  ].map((name) => `nginx.ingress.kubernetes.io/${name}`),
  ...['haproxy-ingress.github.io', 'ingress.kubernetes.io'].flatMap((prefix) =>
    ['auth-secret', 'auth-tls-secret', 'secure-crt-secret', 'secure-verify-ca-secret'].map(
      (name) => `${prefix}/${name}`,
    ),
  ),
  ...['auth-secret', 'client-ca', 'server-ca', 'server-crt', 'client-crt'].map((name) => `haproxy.org/${name}`),
  namespaceAnnotation,
]);

interface Reference {
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
  /** A parent, a peer of a ReferenceGrant, anything else that traffic or secrets come from, or a Secret that needs no ReferenceGrant. */
  readonly role: 'parent' | 'from' | 'target' | 'secret';
  /** Of a backend that names one. */
  readonly port?: PortRange;
  readonly ofChange?: true;
}

/** More references than these are refused with them. */
const mostFound = 32;

/**
 * Routes, Gateways and ReferenceGrants refer to the tenant's own namespaces, or to where it is agreed.
 * Reads    each field called namespace below the spec of the kinds of gateway.networking.k8s.io: of parentRefs, backendRefs, filters and
 *          certificates, and spec.from of ReferenceGrants; backends of kind Hostname; annotations of Ingresses that name a Secret of
 *          another namespace, where the request changes them. Of VirtualServices of Istio: gateways, delegates, and the hosts of destinations
 *          and mirrors, with their ports; of DestinationRules and Gateways: credentialName; of Sidecars: egressProxy
 * Allowed  namespaces of the tenant; parents: Gateways that network.routes.gateways lists for all tenants or for this one, those in the
 *          namespaces of shared services for ingress, and unless the settings list any, each that is in no namespace of another tenant;
 *          backends and certificates: tenants with whom a gate agrees in that direction, and to the port of the Service, and namespaces of the platform; hostnames as
 *          those of ExternalName Services (external-name). Hosts of destinations are in namespaces of the tenant, of tenants and shared services with
 *          whom it is agreed, hosts of the tenant, or granted by network.names. Anything for the platform
 * Why      a gateway carries traffic to a backend of another namespace with its own rights, once a ReferenceGrant there lets it, and no
 *          policy of the route's author counts (SVC-08, CVE-2023-34242, CVE-2024-42487)
 */
export const routeReferences: Check = {
  id: 'route-references',
  headline: 'refers to namespaces that its tenant has no part in',
  protects: 'border',
  grants: [...ofTenant('network.routes.gateways'), gates, sharedServices, ...inFixes(ofTenant('network.names'))],
  needs: {
    namespacesNamed: (request) =>
      refersTo(request)
        ? [
            ...referencesIn(request).map(({ namespace }) => namespace),
            ...hostnamesIn(request).flatMap(({ text }) => namespacesOfName(text)),
          ]
        : [],
  },
  neighbour(request, facts) {
    if (request.operation === 'DELETE' || facts.owner === 'platform' || facts.requester.platform) return nothing;
    if (!refersTo(request)) return nothing;
    return [
      ...referencesIn(request).flatMap((one): readonly Finding[] => judged(one, request, facts)),
      ...hostnamesIn(request).flatMap(({ path, text }): readonly Finding[] => {
        const violation = violationOfName(text, 'every', request, facts);
        return violation === undefined ? nothing : [{ path, ...violation }];
      }),
    ].slice(0, mostFound);
  },
  unread: (request, facts) => judgedReferences(request, facts).slice(0, mostFound),
};

function refersTo({ group, kind }: NeighbourRequest): boolean {
  return kind === 'Ingress' || gatewayGroups.has(group);
}

function referencesIn(request: NeighbourRequest): readonly Reference[] {
  const { group, kind, object } = request;
  if (kind === 'Ingress') return annotationsWritten(secretAnnotations, request).flatMap(secretIn);
  if (!gatewayGroups.has(group)) return [];
  const found: Reference[] = [];
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const [index, one] of value.entries()) visit(one, `${path}[${index}]`);
    if (!isMap(value)) return;
    const namespace = textOf(value.namespace);
    if (Object.hasOwn(value, 'namespace') && namespace !== '')
      found.push({
        path: `${path}.namespace`,
        ...{ namespace, name: textOf(value.name), role: roleOf(kind, path) },
        ...portOf(kind, value),
      });
    for (const [key, one] of Object.entries(value)) if (!isSelector(key)) visit(one, `${path}.${key}`);
  };
  visit(valueAt(object, 'spec'), 'spec');
  return found;
}

function portOf(kind: string, { port }: Readonly<Record<string, unknown>>): Pick<Reference, 'port'> {
  if (typeof port !== 'number' || port < 1 || port > 65535) return {};
  return { port: { protocol: kind === 'UDPRoute' ? 'UDP' : 'TCP', first: port, last: port } };
}

function secretIn({ key, value: written }: WrittenAnnotation): readonly Reference[] {
  const value = written.trim().replace(/^secret:\/\//, '');
  const slash = value.indexOf('/');
  const [namespace, name] =
    key === namespaceAnnotation ? [written.trim(), ''] : [value.slice(0, Math.max(0, slash)), value.slice(slash + 1)];
  if (namespace === '') return [];
  return [{ path: fieldOf({ map: 'annotations', key }), namespace, name, role: 'secret', ofChange: true }];
}

/** Backends of kind Hostname, by which Istio leads a route to any Service that it knows, without a ReferenceGrant. */
function hostnamesIn({ group, object }: NeighbourRequest): readonly { readonly path: string; readonly text: string }[] {
  if (!gatewayGroups.has(group)) return [];
  const found: { path: string; text: string }[] = [];
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const [index, one] of value.entries()) visit(one, `${path}[${index}]`);
    if (!isMap(value)) return;
    if (value.kind === 'Hostname' && Object.hasOwn(value, 'kind'))
      found.push({ path: `${path}.name`, text: textOf(value.name) });
    for (const [key, one] of Object.entries(value)) if (!isSelector(key)) visit(one, `${path}.${key}`);
  };
  visit(valueAt(object, 'spec', 'rules'), 'spec.rules');
  return found;
}

/** Maps in them have keys that are the user's. */
function isSelector(key: string): boolean {
  return key === 'matchLabels' || key === 'labels' || key === 'annotations' || key === 'options';
}

function roleOf(kind: string, path: string): Reference['role'] {
  if (/^spec\.parentRefs?(\[\d+\])?$/.test(path)) return 'parent';
  return kind === 'ReferenceGrant' && path.startsWith('spec.from[') ? 'from' : 'target';
}

function judged(
  { path, namespace, name, role, port, ofChange }: Reference,
  request: NeighbourRequest,
  facts: NeighbourFacts,
): readonly Finding[] {
  const { owner, tenancy, now } = facts;
  if (owner === 'platform' || isOwnNamespace(namespace, request, facts)) return nothing;
  if (role === 'secret') {
    const reason = `has the controller read a Secret or ConfigMap of namespace ${namespace}, which is not reserved for ${owner.name}`;
    return [
      {
        path,
        reason,
        fix: `write ${request.namespace}${name === '' ? '' : `/${name}`}`,
        ...(ofChange && { ofChange }),
      },
    ];
  }
  const holder = tenancy.reservation(namespace);
  const isOfPlatform = holder === 'platform';
  const direction = role === 'from' ? 'ingress' : 'egress';
  if (role === 'parent') {
    const violation = violationOfGateway({ namespace, name }, facts);
    return violation === undefined ? nothing : [{ path, ...violation }];
  }
  if (isOfPlatform || isShared(namespace, direction, facts)) return nothing;
  if (holder !== undefined) {
    const { own, theirs } = tenancy.gates(owner, holder.name, direction, now);
    const isAgreed = own.length > 0 && theirs.length > 0;
    if (isAgreed && (port === undefined || sharePort(own, theirs, [port]))) return nothing;
    if (isAgreed && port !== undefined) {
      const reason = `leads traffic to port ${formatPort(port)} in namespace ${namespace}, and no gate for ${direction} agrees to that port`;
      const open = commonPorts(
        own.flatMap((gate) => orAllPorts(gate.ports)),
        theirs.flatMap((gate) => orAllPorts(gate.ports)),
      );
      const instead = open.length === 0 ? '' : `write port ${listedPorts(open)}, which the gate opens, or `;
      return [{ path, reason, fix: `${instead}agree on this port with the other tenant` }];
    }
  }
  const does = role === 'from' ? 'lets routes of others lead traffic to' : 'leads traffic to';
  const where = role === 'from' ? `${owner.name} from namespace ${namespace}` : `namespace ${namespace}`;
  const reason = `${does} ${where}, which is not reserved for ${owner.name}, and no gate for ${direction} agrees to it`;
  const fix = `name a namespace that is reserved for ${owner.name}, or agree on a gate with the other tenant`;
  return [{ path, reason, fix }];
}
