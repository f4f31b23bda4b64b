import { isJudged, policyKindOf } from '../kinds/policy-kind.ts';
import { platformKindOf } from '../tenancy/platform-kinds.ts';
import { onlyAgentsWrite } from '../tenancy/policy-groups.ts';
import { isAttachment, judgeAttachment } from './attachment-types.ts';
import { type Check, type Facts, type Finding, nothing } from './check.ts';
import { ofSettings } from './grants.ts';
import { isJudgedByContent, isLeftAlone, mayWriteKind, resourceOf } from './unread-objects.ts';

/**
 * A kind that may open, redirect or reorder traffic, and that Bulkhead does not read, is not a tenant's to write.
 * Reads    the API group and resource of every object of the groups in tenancy/policy-groups.ts, with all subresources, on CREATE and
 *          UPDATE; of the object only whether an update changes it, and the config of NetworkAttachmentDefinitions. The kinds of Istio that other checks
 *          judge count while the settings have no section istio
 * Allowed  the platform; agents of the network, for what is theirs (tenancy/network-agents.ts); in namespaces of tenants what
 *          network.policyKinds lists for the tenant, and NetworkAttachmentDefinitions of network.attachmentTypes; everybody whom RBAC lets, in namespaces of the platform
 * Why      network plugins and meshes have policy kinds of their own, beside NetworkPolicy. What such an object allows is not known
 *          here, so nothing proves that it stays inside the tenant (NP-18, SVC-09 to SVC-13). A cluster-scoped one is about every tenant
 */
export const unknownPolicyKind: Check = {
  id: 'unknown-policy-kind',
  headline: 'is of a kind that may open traffic and that Bulkhead does not read',
  protects: 'identity',
  grants: ofSettings('network.policyKinds'),
  unread(request, facts) {
    const { group, resource, namespace } = request;
    if (platformKindOf(group, resource) !== undefined || isLeftAlone(request, facts)) return nothing;
    const name = resourceOf(request);
    if (isJudgedByContent(name, facts.tenancy.settings)) return nothing;
    if (namespace === '') {
      return [
        {
          path: 'kind',
          reason: `${name} is cluster-scoped and may open or redirect traffic of every tenant, and Bulkhead does not read it`,
          fix: 'ask the platform team to write it',
        },
      ];
    }
    const { attachmentTypes } = facts.tenancy.settings;
    if (
      attachmentTypes !== undefined &&
      isAttachment(request) &&
      !mayWriteKind(name, facts.owner, facts.tenancy.settings)
    )
      return judgeAttachment(request, attachmentTypes);
    return inNamespace(name, facts, onlyAgentsWrite(group, resource));
  },
  policy(request, facts) {
    if (isJudged(request, facts.tenancy.settings) || request.operation === 'DELETE' || facts.requester.platform)
      return nothing;
    const { group, plural } = policyKindOf(request);
    return inNamespace(`${plural}.${group}`, facts);
  },
};

/** Of Istio, in Envoy's own words or as code. No policy of another kind says the same, so none is named instead. */
const ofProxies: ReadonlyMap<string, string> = new Map([
  ['envoyfilters.networking.istio.io', 'changes what proxies do, past every policy of the mesh'],
  ['workloadgroups.networking.istio.io', 'has the mesh take programs that register themselves at any address'],
  ['proxyconfigs.networking.istio.io', 'chooses the image of proxies, and how they start'],
  ['wasmplugins.extensions.istio.io', 'runs code of its author in proxies'],
  ['trafficextensions.extensions.istio.io', 'runs code of its author in proxies'],
]);

/** @param ofAgents whether the settings can give it to no tenant */
function inNamespace(name: string, { owner, tenancy }: Facts, ofAgents = false): readonly Finding[] {
  if (owner === 'platform' || mayWriteKind(name, owner, tenancy.settings)) return nothing;
  if (ofAgents) {
    const reason = `${name} is written by the agents of the network alone, and pods depend on what they write`;
    return [{ path: 'kind', reason, fix: 'remove it', protects: 'border', ungrantable: true }];
  }
  const ask = `ask the platform team to list ${name} in network.policyKinds for ${owner.name}`;
  const does = ofProxies.get(name);
  if (does !== undefined) {
    const reason = `${name} ${does}, and Bulkhead does not read it, so it is the platform's`;
    return [{ path: 'kind', reason, fix: `remove it, or ${ask}`, protects: 'border' }];
  }
  return [
    {
      path: 'kind',
      reason: `${name} may open or redirect traffic, and Bulkhead does not read it, so nothing proves that it stays inside ${owner.name}`,
      fix: `write a NetworkPolicy instead, or ${ask}`,
      protects: 'border',
    },
  ];
}
