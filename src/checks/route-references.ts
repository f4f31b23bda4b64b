import { isMap, valueAt } from '../kubernetes/json.ts';
import type { NeighbourRequest } from '../kubernetes/review.ts';
import { isListedGateway } from '../tenancy/route-grants.ts';
import { serves } from '../tenancy/served-tenants.ts';
import { type Check, type Finding, type NeighbourFacts, nothing } from './check.ts';
import { isOwnNamespace } from './own-namespace.ts';
import { textOf } from './written-endpoints.ts';

const group = 'gateway.networking.k8s.io';

interface Reference {
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
  /** A parent, a peer of a ReferenceGrant, or anything else that traffic or secrets come from. */
  readonly role: 'parent' | 'from' | 'target';
}

/** More references than these are refused with them. */
const mostFound = 32;

/**
 * Routes, Gateways and ReferenceGrants refer to the tenant's own namespaces, or to where it is agreed.
 * Reads    each field called namespace below the spec of the kinds of gateway.networking.k8s.io: of parentRefs, backendRefs, filters and
 *          certificates, and spec.from of ReferenceGrants
 * Allowed  namespaces of the tenant; parents: Gateways that network.routes.gateways lists for all tenants or for this one, those in the
 *          namespaces of shared services for ingress, and unless the settings list any, each that is in no namespace of another tenant;
 *          everything else: tenants with whom a gate agrees in that direction, and namespaces of the platform. Anything for the platform
 * Why      a gateway carries traffic to a backend of another namespace with its own rights, once a ReferenceGrant there lets it, and no
 *          policy of the route's author counts (SVC-08, CVE-2023-34242, CVE-2024-42487)
 */
export const routeReferences: Check = {
  id: 'route-references',
  headline: 'refers to namespaces that its tenant has no part in',
  protects: 'border',
  needs: {
    namespacesNamed: (request) =>
      request.group === group ? referencesIn(request).map(({ namespace }) => namespace) : [],
  },
  neighbour(request, facts) {
    if (request.group !== group || request.operation === 'DELETE') return nothing;
    if (facts.owner === 'platform' || facts.requester.platform) return nothing;
    return referencesIn(request)
      .flatMap((one): readonly Finding[] => judged(one, request, facts))
      .slice(0, mostFound);
  },
};

function referencesIn({ kind, object }: NeighbourRequest): readonly Reference[] {
  const found: Reference[] = [];
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const [index, one] of value.entries()) visit(one, `${path}[${index}]`);
    if (!isMap(value)) return;
    const namespace = textOf(value.namespace);
    if (Object.hasOwn(value, 'namespace') && namespace !== '')
      found.push({ path: `${path}.namespace`, namespace, name: textOf(value.name), role: roleOf(kind, path) });
    for (const [key, one] of Object.entries(value)) if (!isSelector(key)) visit(one, `${path}.${key}`);
  };
  visit(valueAt(object, 'spec'), 'spec');
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

function judged({ path, namespace, name, role }: Reference, request: NeighbourRequest, facts: NeighbourFacts) {
  const { owner, tenancy, now } = facts;
  if (owner === 'platform' || isOwnNamespace(namespace, request, facts)) return nothing;
  const { settings } = tenancy;
  const holder = tenancy.reservation(namespace);
  const isOfPlatform = holder === 'platform';
  const direction = role === 'from' ? 'ingress' : 'egress';
  if (role === 'parent') {
    const { gateways } = settings.routes;
    const listed = [...(gateways ?? []), ...(owner.network.routes?.gateways ?? [])];
    if (isListedGateway(listed, namespace, name) || isShared(namespace, 'ingress', facts)) return nothing;
    if (gateways === undefined && (holder === undefined || isOfPlatform)) return nothing;
    const reason = `attaches to ${name} in namespace ${namespace}, which is no gateway that the platform has given ${owner.name}`;
    const fix = `attach to a Gateway of ${owner.name}, or ask the platform team to list ${namespace} in network.routes.gateways of ${owner.name}`;
    return [{ path, reason, fix }];
  }
  if (isOfPlatform || isShared(namespace, direction, facts)) return nothing;
  if (holder !== undefined) {
    const { own, theirs } = tenancy.gates(owner, holder.name, direction, now);
    if (own.length > 0 && theirs.length > 0) return nothing;
  }
  const does = role === 'from' ? 'lets routes of others lead traffic to' : 'leads traffic to';
  const where = role === 'from' ? `${owner.name} from namespace ${namespace}` : `namespace ${namespace}`;
  const reason = `${does} ${where}, which is not reserved for ${owner.name}, and no gate for ${direction} agrees to it`;
  const fix = `name a namespace that is reserved for ${owner.name}, or agree on a gate with the other tenant`;
  return [{ path, reason, fix }];
}

/** Whether a shared service that serves the tenant is there. */
function isShared(namespace: string, direction: 'ingress' | 'egress', { owner, tenancy }: NeighbourFacts): boolean {
  return (
    owner !== 'platform' &&
    tenancy.settings.sharedServices.some(
      (one) => one.direction === direction && one.namespace === namespace && serves(one, owner),
    )
  );
}
