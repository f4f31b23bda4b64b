import { isDeepStrictEqual } from 'node:util';
import type { Policy } from '../../kubernetes/objects.ts';
import { wordedVerdicts } from '../fix-text.ts';
import type { PolicyKind } from '../kind.ts';
import { policyReviews } from '../policy-reviews.ts';
import { isDryRun, readAuthorizationPolicy } from './read-policy.ts';
import { istioWords } from './words.ts';

export const istioAuthorizationPolicy: PolicyKind = {
  family: 'policy',
  kind: 'AuthorizationPolicy',
  group: 'security.istio.io',
  versions: ['v1', 'v1beta1'],
  plural: 'authorizationpolicies',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: policyReviews('authorizationpolicies'),
  optional: ['authorizationpolicies'],
  rights: [
    {
      why: 'Stored policies are judged again when tenants and settings change. A cluster without Istio lacks them.',
      resources: ['authorizationpolicies'],
      verbs: ['list'],
    },
  ],
  section: 'istio',
  read: readAuthorizationPolicy,
  worded: (verdicts, border) => wordedVerdicts(verdicts, border, istioWords),
  unchanged: (policy, stored) => isDeepStrictEqual(judgedIn(policy), judgedIn(stored)),
};

/** What `read` looks at. */
function judgedIn(policy: Policy): unknown {
  return { spec: policy.spec, isDryRun: isDryRun(policy), namespace: policy.metadata?.namespace };
}
