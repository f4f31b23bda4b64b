import { isDeepStrictEqual } from 'node:util';
import type { Policy } from '../../kubernetes/objects.ts';
import type { PolicyRequest } from '../../kubernetes/review.ts';
import { ciliumInForce } from '../../reach/dialects/cilium/in-force.ts';
import { readCiliumPolicy } from '../../reach/dialects/cilium/policy.ts';
import { wordedVerdicts } from '../fix-text.ts';
import type { PolicyKind } from '../kind.ts';
import { policyReviews } from '../policy-reviews.ts';
import { ciliumWords } from './words.ts';

export const ciliumNetworkPolicy: PolicyKind = {
  family: 'policy',
  kind: 'CiliumNetworkPolicy',
  group: 'cilium.io',
  versions: ['v2'],
  plural: 'ciliumnetworkpolicies',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: policyReviews('ciliumnetworkpolicies'),
  optional: ['ciliumnetworkpolicies'],
  rights: [
    {
      why: 'Stored policies are judged again when tenants and settings change. A cluster without Cilium lacks them.',
      resources: ['ciliumnetworkpolicies'],
      verbs: ['list'],
    },
  ],
  read: readCiliumPolicy,
  inForce: ciliumInForce,
  worded: (verdicts, border) => wordedVerdicts(verdicts, border, ciliumWords),
  narrows: { by: 'label', key: ciliumWords.namespaceLabel },
  unchanged: (policy, stored) => isDeepStrictEqual(rulesOf(policy), rulesOf(stored)),
};

/** For checks that know what its fields mean. */
export function isCiliumNetworkPolicy({ resource }: PolicyRequest): boolean {
  return resource === 'cilium.io/v2/ciliumnetworkpolicies';
}

/** What `read` looks at. */
function rulesOf(policy: Policy): unknown {
  const { spec, specs }: { spec?: unknown; specs?: unknown } = policy;
  return { spec, specs, namespace: policy.metadata?.namespace };
}
