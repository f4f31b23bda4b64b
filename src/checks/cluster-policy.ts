import { borderPriorities } from '../baseline/data-plane-border.ts';
import { isManaged } from '../baseline/managed.ts';
import { type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import { type AdminFlaw, adminFlaws, tiesWithBorder } from '../reach/admin-crossing.ts';
import { areTied, freePriority } from '../reach/admin-ties.ts';
import { type AdminPolicy, readAdminPolicy } from '../reach/dialects/admin-policy.ts';
import { type Check, type Finding, nothing } from './check.ts';

/**
 * A warning to the platform about its own ClusterNetworkPolicies, AdminNetworkPolicies and BaselineAdminNetworkPolicies.
 * Reads    spec.subject, spec.tier, spec.priority, spec.ingress and spec.egress, when the platform writes one
 * Warns    of Accept and Allow rules of tier Admin that let one tenant reach another without a gate; of rules that an earlier one decides,
 *          and of peers that match nothing; of peers without a known field; of a priority that another policy of its pods and tier has;
 *          with network.clusterPolicy of a priority of Bulkhead's border, and of Pass rules before it
 * Why      such a rule comes before every NetworkPolicy, so no policy of the tenants can take it back (NP-18)
 */
export const clusterPolicy: Check = {
  id: 'cluster-policy',
  headline: 'lets tenants cross their borders, or has rules without effect',
  protects: 'intent',
  needs: {
    othersOfUnread: (request) =>
      isJudged(request) && !isManaged(request.object) ? (versions.get(request.kind) ?? []) : [],
  },
  unread(request, { requester, tenancy, now, othersOfKind = [] }) {
    const { kind, object, name } = request;
    if (!isJudged(request)) return nothing;
    // Refused to others anyway (platform-kinds), and what Bulkhead writes is right.
    if (!requester.platform || isManaged(object)) return nothing;
    const policy = readAdminPolicy(kind, object);
    const tie = tiesWithBorder(policy, tenancy.settings, borderPriorities)
      ? [
          {
            path: 'spec.priority',
            reason: "is one of Bulkhead's border, and the order is not defined",
            fix: `choose another than ${borderPriorities.pass} and ${borderPriorities.deny}`,
          },
        ]
      : tiesWith(
          policy,
          othersOfKind.filter((one) => valueAt(one, 'metadata', 'name') !== name),
          kind,
        );
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

function isJudged({ group, subresource, operation }: UnreadRequest): boolean {
  return group === 'policy.networking.k8s.io' && subresource === '' && operation !== 'DELETE';
}

/** Of the kinds that have priorities. */
const versions: ReadonlyMap<string, readonly string[]> = new Map([
  ['ClusterNetworkPolicy', ['v1alpha2']],
  ['AdminNetworkPolicy', ['v1alpha1']],
]);

function tiesWith(policy: AdminPolicy, stored: readonly JsonMap[], kind: string): readonly Finding[] {
  const { priority } = policy;
  const priorityOf = (one: JsonMap): unknown => valueAt(one, 'spec', 'priority');
  const tied = stored.find((one) => priorityOf(one) === priority && areTied(policy, readAdminPolicy(kind, one)));
  if (tied === undefined || priority === undefined) return nothing;
  const free = freePriority(priority, new Set([...Object.values(borderPriorities), ...stored.map(priorityOf)]));
  return [
    {
      path: 'spec.priority',
      reason: `is also that of ${valueAt(tied, 'metadata', 'name')}, and the order is not defined`,
      fix: free === undefined ? 'give each a priority of its own' : `choose another, such as ${free}`,
    },
  ];
}
