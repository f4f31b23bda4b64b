/**
 * NetworkPolicy of Calico, in both of its groups: projectcalico.org, which Calico's own API server serves (or CRDs of that group), and
 * crd.projectcalico.org, where Calico stores it. What is written to the second group is not seen by Calico's validation.
 */
import type { PolicyRequest } from '../../kubernetes/review.ts';
import { calicoInForce } from '../../reach/dialects/calico/in-force.ts';
import { readCalicoPolicy } from '../../reach/dialects/calico/policy.ts';
import { type CalicoGroup, calicoGroups, calicoKind } from '../calico-groups.ts';
import { wordedVerdicts } from '../fix-text.ts';
import type { PolicyKind } from '../kind.ts';
import { bothSelectors, calicoWords } from './words.ts';

/** For checks that know what its fields mean. */
export function isCalicoNetworkPolicy({ resource }: PolicyRequest): boolean {
  return calicoGroups.some(({ group }) => resource.startsWith(`${group}/`)) && resource.endsWith('/networkpolicies');
}

export const calicoNetworkPolicy = (group: CalicoGroup): PolicyKind => ({
  ...calicoKind(group, 'NetworkPolicy', 'networkpolicies'),
  read: readCalicoPolicy,
  inForce: calicoInForce,
  narrows: { by: 'text', added: calicoWords.equals, becomes: bothSelectors },
  worded: (verdicts, border) => wordedVerdicts(verdicts, border, calicoWords),
});
