import { isDeepStrictEqual } from 'node:util';
import type { Policy } from '../../kubernetes/objects.ts';
import type { NetworkPolicyRequest, PolicyRequest } from '../../kubernetes/review.ts';
import { directionsWithRules, readNetworkPolicy } from '../../reach/dialects/network-policy.ts';
import { additive, type InForce } from '../../reach/in-force.ts';
import { wordedVerdicts } from '../fix-text.ts';
import type { PolicyKind } from '../kind.ts';
import { policyReviews } from '../policy-reviews.ts';
import { networkPolicyWords } from './words.ts';

export const networkPolicyResource = 'networking.k8s.io/v1/networkpolicies';

export const networkPolicy: PolicyKind = {
  family: 'policy',
  kind: 'NetworkPolicy',
  group: 'networking.k8s.io',
  versions: ['v1'],
  plural: 'networkpolicies',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: policyReviews('networkpolicies'),
  rights: [
    {
      why: 'The policies of the baseline. get: whether a namespace has its default-deny policy, read live when a pod waits for it. create and patch are server-side apply; update removes rules that others added, which apply cannot.',
      resources: ['networkpolicies'],
      verbs: ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete'],
    },
  ],
  read: readNetworkPolicy,
  inForce: networkPolicyInForce,
  worded: (verdicts, border) => wordedVerdicts(verdicts, border, networkPolicyWords),
  narrows: { by: 'label', key: networkPolicyWords.namespaceLabel },
  unchanged: ({ spec }, stored) => isDeepStrictEqual(spec, stored.spec),
};

export function networkPolicyInForce(policy: Policy): InForce {
  return additive(readNetworkPolicy(policy), 'any', directionsWithRules(policy));
}

/** For checks and mutations that read the fields of this kind alone. */
export function isNetworkPolicy(request: PolicyRequest): request is NetworkPolicyRequest {
  return request.resource === networkPolicyResource;
}
