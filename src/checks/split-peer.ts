import { isNetworkPolicy } from '../kinds/network-policy/network-policy.ts';
import { isGiven, isMap } from '../kubernetes/json.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type Check, type Finding, nothing } from './check.ts';

/** Of one direction. A large policy would bring thousands, and no more are shown. */
const most = 8;

/**
 * Warns the author of a NetworkPolicy with two peers that were probably intended as one.
 * Reads    spec.ingress[*].from and spec.egress[*].to of a policy of a tenant
 * Warns    of a peer with only a podSelector right after one with only a namespaceSelector. Not of an empty podSelector: joined with
 *          the other it would add nothing, so two peers were intended. And not of the other order
 * Why      the items of the list are alternatives: every pod of those namespaces, or those pods of this namespace. One dash less
 *          means those pods of those namespaces (NP-03)
 */
export const splitPeer: Check = {
  id: 'split-peer',
  headline: 'lists two peers where one may be intended',
  protects: 'intent',
  policy(request, { owner }) {
    if (owner === 'platform' || request.operation === 'DELETE' || !isNetworkPolicy(request)) return nothing;
    const { object } = request;
    const ingress = splitsIn(object.spec?.ingress, 'ingress', 'from');
    const egress = splitsIn(object.spec?.egress, 'egress', 'to');
    return ingress === undefined ? (egress ?? nothing) : [...ingress, ...(egress ?? nothing)];
  },
};

function splitsIn(rules: unknown, direction: Direction, field: 'from' | 'to'): readonly Finding[] | undefined {
  if (!Array.isArray(rules)) return undefined;
  let findings: Finding[] | undefined;
  for (let rule = 0; rule < rules.length; rule++) {
    const peers: unknown = rules[rule]?.[field];
    if (!Array.isArray(peers)) continue;
    for (let index = 1; index < peers.length; index++) {
      if (!namesNamespacesOnly(peers[index - 1]) || !namesPodsOnly(peers[index])) continue;
      findings ??= [];
      findings.push(splitAt(`spec.${direction}[${rule}].${field}[${index}]`, `${field}[${index - 1}]`));
      if (findings.length === most) return findings;
    }
  }
  return findings;
}

function splitAt(path: string, before: string): Finding {
  return {
    path,
    reason: `stands beside ${before}, so either is enough; if both are meant, join them in one peer`,
    fix: 'write podSelector into the item before it, without a dash; or list it before that item',
  };
}

function namesNamespacesOnly(peer: unknown): boolean {
  return isMap(peer) && isGiven(peer.namespaceSelector) && !isGiven(peer.podSelector);
}

function namesPodsOnly(peer: unknown): boolean {
  return isMap(peer) && !isGiven(peer.namespaceSelector) && hasRequirements(peer.podSelector);
}

function hasRequirements(selector: unknown): boolean {
  if (!isMap(selector)) return false;
  const { matchLabels, matchExpressions } = selector;
  if (Array.isArray(matchExpressions) && matchExpressions.length > 0) return true;
  return isMap(matchLabels) && Object.keys(matchLabels).length > 0;
}
