/**
 * StagedNetworkPolicy and StagedKubernetesNetworkPolicy of Calico, in both of its groups: policies that Calico reports about and does not
 * enforce. When one is enforced, it is written anew as a policy, which is judged then. So its author is warned, and nothing is refused
 * but what is not understood: the nodes read these policies too, and cannot read any of a list with one that they do not understand.
 */
import { calicoInForce } from '../../reach/dialects/calico/in-force.ts';
import { readCalicoPolicy } from '../../reach/dialects/calico/policy.ts';
import { enforcedBy, readStaged } from '../../reach/dialects/calico/staged.ts';
import { readNetworkPolicy } from '../../reach/dialects/network-policy.ts';
import { type CalicoGroup, calicoKind } from '../calico-groups.ts';
import { calicoWords } from '../calico-network-policy/words.ts';
import { wordedVerdicts } from '../fix-text.ts';
import type { PolicyKind } from '../kind.ts';
import { networkPolicyInForce } from '../network-policy/network-policy.ts';
import { networkPolicyWords } from '../network-policy/words.ts';

const becomes = {
  StagedNetworkPolicy: {
    plural: 'stagednetworkpolicies',
    read: readCalicoPolicy,
    inForce: calicoInForce,
    words: calicoWords,
  },
  StagedKubernetesNetworkPolicy: {
    plural: 'stagedkubernetesnetworkpolicies',
    read: readNetworkPolicy,
    inForce: networkPolicyInForce,
    words: networkPolicyWords,
  },
} as const;

export function calicoStagedPolicy(kind: keyof typeof becomes, group: CalicoGroup): PolicyKind {
  const { plural, read, inForce, words } = becomes[kind];
  return {
    ...calicoKind(group, kind, plural),
    read: (policy) => readStaged(policy, read),
    staged(policy) {
      const enforced = enforcedBy(policy);
      return enforced && inForce(enforced);
    },
    worded: (verdicts, border) =>
      wordedVerdicts(verdicts, border, words).map((one) =>
        one.verdict === 'invalid' ? one : { ...one, reason: `when enforced: ${one.reason}`, protects: 'intent' },
      ),
  };
}
