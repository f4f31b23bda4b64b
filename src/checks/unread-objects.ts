/** What the checks of kinds that Bulkhead does not read have in common. */
import { isDeepStrictEqual } from 'node:util';
import { trafficResources } from '../kinds/istio-traffic/read-traffic.ts';
import { valueAt } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import { once } from '../kubernetes/once.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import type { IstioSettings } from '../tenancy/istio-settings.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Owner } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { UnreadFacts } from './check.ts';

/** `ciliumnetworkpolicies.cilium.io` */
export function resourceOf({ group, resource }: Pick<UnreadRequest, 'group' | 'resource'>): string {
  return `${resource}.${group}`;
}

/**
 * Whether it is left to its author: the platform, an agent that writes what is its own, every user in a namespace of the platform,
 * and what changes nothing that a network plugin could read. A removal is not judged: RBAC decides who removes a policy.
 */
export function isLeftAlone(request: UnreadRequest, { requester, owner, byAgent }: UnreadFacts): boolean {
  return (
    requester.platform ||
    byAgent ||
    request.operation === 'DELETE' ||
    (request.namespace !== '' && owner === 'platform') ||
    keepsContent(request)
  );
}

/** Labels and annotations are content: some plugins keep names and labels of the original in an annotation. */
function keepsContent({ object, oldObject }: UnreadRequest): boolean {
  return oldObject !== undefined && isDeepStrictEqual(contentOf(object), contentOf(oldObject));
}

/** Without what removals, garbage collection and the API server itself write. */
function contentOf({ metadata, ...content }: KubernetesObject): unknown {
  const { finalizers: _, ownerReferences: __, managedFields: ___, resourceVersion: ____, ...kept } = metadata ?? {};
  return { ...content, metadata: { ...kept, generation: undefined } };
}

/** Kinds of Istio whose content checks of their own judge: mutual-tls and token-keys, and those of traffic-objects.ts. */
const judgedOfIstio: ReadonlySet<string> = new Set([
  ...trafficResources,
  'peerauthentications.security.istio.io',
  'requestauthentications.security.istio.io',
]);

/** Whether a check of its own judges what it says. Without a section `istio` of the settings, too little is known for that. */
export function isJudgedByContent(resource: string, { istio }: Settings): boolean {
  return istio !== undefined && judgedOfIstio.has(resource);
}

/** What such a check judges. */
export interface JudgedContent {
  readonly spec: unknown;
  readonly owner: Tenant;
  readonly istio: IstioSettings;
}

/**
 * @returns undefined: it is of another kind, is left to its author, or is admitted unread (network.policyKinds); or the update leaves the
 *   spec as it was, because labels and finalizers of old objects must stay changeable
 */
export function contentToJudge(
  resource: string,
  request: UnreadRequest,
  facts: UnreadFacts,
): JudgedContent | undefined {
  if (resourceOf(request) !== resource) return undefined;
  const content = contentOfKind(request, facts);
  if (content === undefined) return undefined;
  const spec = valueAt(request.object, 'spec');
  const { oldObject } = request;
  if (oldObject !== undefined && isDeepStrictEqual(spec, valueAt(oldObject, 'spec'))) return undefined;
  return { spec, ...content };
}

/** @returns undefined: it is left to its author, or admitted unread (network.policyKinds) */
export function contentOfKind(request: UnreadRequest, facts: UnreadFacts): Omit<JudgedContent, 'spec'> | undefined {
  const { owner, tenancy } = facts;
  const { settings } = tenancy;
  if (owner === 'platform' || isLeftAlone(request, facts)) return undefined;
  if (settings.istio === undefined || mayWriteKind(resourceOf(request), owner, settings)) return undefined;
  return { owner, istio: settings.istio };
}

/** Whether network.policyKinds gives the resource to the tenant. */
export function mayWriteKind(resource: string, owner: Owner, { policyKinds }: Settings): boolean {
  if (owner === 'platform') return false;
  const tenants = allowedKinds(policyKinds).get(resource);
  return tenants === 'every' || tenants?.has(owner.name) === true;
}

const allowedKinds = once(
  (policyKinds: Settings['policyKinds']): ReadonlyMap<string, 'every' | ReadonlySet<string>> => {
    const allowed = new Map<string, 'every' | ReadonlySet<string>>();
    for (const { resource, tenants } of policyKinds) {
      const known = allowed.get(resource) ?? new Set<string>();
      allowed.set(resource, known === 'every' || tenants === undefined ? 'every' : known.union(tenants));
    }
    return allowed;
  },
);
