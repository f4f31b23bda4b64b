/** What the checks of kinds that Bulkhead does not read have in common. */
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import { once } from '../kubernetes/once.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Owner } from '../tenancy/tenancy.ts';
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
