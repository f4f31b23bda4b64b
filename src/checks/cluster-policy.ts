import { borderPriorities } from '../baseline/data-plane-border.ts';
import { isManaged } from '../baseline/managed.ts';
import { type AdminFlaw, adminFlaws, tiesWithBorder } from '../reach/admin-crossing.ts';
import { readAdminPolicy } from '../reach/dialects/admin-policy.ts';
import { type Check, type Finding, nothing } from './check.ts';

/**
 * A warning to the platform about its own ClusterNetworkPolicies, AdminNetworkPolicies and BaselineAdminNetworkPolicies.
 * Reads    spec.subject, spec.tier, spec.priority, spec.ingress and spec.egress, when the platform writes one
 * Warns    of Accept and Allow rules of tier Admin that let one tenant reach another without a gate; of rules that an earlier one decides,
 *          and of peers that match nothing; of peers without a known field; with network.clusterPolicy of a priority of Bulkhead's border, and
 *          of Pass rules before it
 * Why      such a rule comes before every NetworkPolicy, so no policy of the tenants can take it back (NP-18)
 */
export const clusterPolicy: Check = {
  id: 'cluster-policy',
  headline: 'lets tenants cross their borders, or has rules without effect',
  protects: 'intent',
  unread({ group, kind, subresource, operation, object }, { requester, tenancy, now }) {
    if (group !== 'policy.networking.k8s.io' || subresource !== '' || operation === 'DELETE') return nothing;
    // Refused to others anyway (platform-kinds), and what Bulkhead writes is right.
    if (!requester.platform || isManaged(object)) return nothing;
    const policy = readAdminPolicy(kind, object);
    const tie: readonly Finding[] = tiesWithBorder(policy, tenancy.settings, borderPriorities)
      ? [
          {
            path: 'spec.priority',
            reason: "is one of Bulkhead's border, and the order is not defined",
            fix: `choose another than ${borderPriorities.pass} and ${borderPriorities.deny}`,
          },
        ]
      : nothing;
    const denying = tenancy.settings.clusterPolicy && borderPriorities.deny;
    const flaws = adminFlaws(policy, tenancy, denying, now);
    return tie.length + flaws.length === 0
      ? nothing
      : [...tie, ...flaws.map((flaw) => finding(flaw, denying !== undefined))];
  },
};

const fixes: Readonly<Record<AdminFlaw['kind'], string>> = {
  crossing: 'write Pass, or narrow it',
  past: 'narrow it',
  dead: 'remove it, or move it up',
  unknown: 'name pods or namespaces',
};

/** @param hasBorder whether a rule that passes is past a border */
function finding({ kind, path, reason }: AdminFlaw, hasBorder: boolean): Finding {
  return { path, reason, fix: fixes[kind === 'crossing' && hasBorder ? 'past' : kind] };
}
