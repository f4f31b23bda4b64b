/**
 * NetworkPolicy of Calico, in both of its groups: projectcalico.org, which Calico's own API server serves (or CRDs of that group), and
 * crd.projectcalico.org, where Calico stores it. What is written to the second group is not seen by Calico's validation.
 */
import { isDeepStrictEqual } from 'node:util';
import { calicoInForce } from '../../reach/dialects/calico/in-force.ts';
import { readCalicoPolicy } from '../../reach/dialects/calico/policy.ts';
import type { CalicoGroup } from '../calico-groups.ts';
import { wordedVerdicts } from '../fix-text.ts';
import type { PolicyKind } from '../kind.ts';
import { policyReviews } from '../policy-reviews.ts';
import { bothSelectors, calicoWords } from './words.ts';

export const calicoNetworkPolicy = (group: CalicoGroup): PolicyKind => ({
  ...group,
  family: 'policy',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: policyReviews('networkpolicies'),
  optional: ['networkpolicies'],
  rights: [
    {
      why: 'Stored policies are judged again when tenants and settings change. A cluster without Calico lacks them.',
      resources: ['networkpolicies'],
      verbs: ['list'],
    },
  ],
  read: readCalicoPolicy,
  inForce: calicoInForce,
  narrows: { by: 'text', added: calicoWords.equals, becomes: bothSelectors },
  worded: (verdicts, border) => wordedVerdicts(verdicts, border, calicoWords),
  unchanged: (policy, stored) =>
    isDeepStrictEqual(policy.spec, stored.spec) && policy.metadata?.namespace === stored.metadata?.namespace,
});
