import type { PolicyRequest, UnreadRequest } from '../kubernetes/review.ts';
import { meshGroups, meshNamespaces } from '../tenancy/mesh-namespaces.ts';
import { type Check, type Facts, type Finding, nothing } from './check.ts';

/**
 * Policies of Istio in the namespaces of the mesh itself are not a tenant's to write.
 * Reads    the API group and namespace of objects of networking.istio.io, security.istio.io and extensions.istio.io, on CREATE, UPDATE and
 *          DELETE, in istio.rootNamespace, and in the namespaces of ingress services and of network.routes.gateways
 * Allowed  the platform; agents of the network; users who act for no tenant, as far as RBAC lets them
 * Why      a policy in the root namespace holds for the pods of every tenant, and one for a shared gateway for the traffic of every tenant
 *          (SVC-11). Without the one that asks for mutual TLS, or the one that denies by default, the mesh is open
 */
export const meshNamespacesGuarded: Check = {
  id: 'mesh-namespaces',
  headline: 'is in a namespace where only the platform configures the mesh',
  protects: 'identity',
  policy: judge,
  unread: (request, facts) => (facts.byAgent ? nothing : judge(request, facts)),
};

function judge(request: PolicyRequest | UnreadRequest, { owner, requester, tenancy }: Facts): readonly Finding[] {
  const { namespace } = request;
  const { settings } = tenancy;
  if (owner !== 'platform' || requester.platform || requester.tenants.length === 0) return nothing;
  if (!meshNamespaces(settings).has(namespace) || !meshGroups.includes(groupOf(request))) return nothing;
  const isRoot = namespace === settings.istio?.rootNamespace;
  const reason = isRoot
    ? `${namespace} is the root namespace of the mesh, whose policies hold for the pods of every tenant`
    : `the proxies in ${namespace} carry traffic of every tenant`;
  const fix = `write it in a namespace of ${requester.tenants[0]?.name}, or ask the platform team to write it`;
  return [{ path: 'metadata.namespace', reason, fix }];
}

function groupOf(request: PolicyRequest | UnreadRequest): string {
  return request.family === 'unread' ? request.group : request.resource.slice(0, request.resource.indexOf('/'));
}
