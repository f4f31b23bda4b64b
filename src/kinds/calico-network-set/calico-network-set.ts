/** NetworkSet of Calico, in both of its groups: addresses that policies select by labels. Judged as a rule that opens its addresses. */
import { isDeepStrictEqual } from 'node:util';
import type { Policy } from '../../kubernetes/objects.ts';
import { readNetworkSet } from '../../reach/dialects/calico/network-set.ts';
import { type CalicoGroup, calicoKind } from '../calico-groups.ts';
import { calicoWords } from '../calico-network-policy/words.ts';
import { wordedVerdicts } from '../fix-text.ts';
import type { PolicyKind } from '../kind.ts';
import type { PolicyWords } from '../policy-words.ts';

const words: PolicyWords = { ...calicoWords, except: () => 'smaller nets', of: () => undefined };

export const calicoNetworkSet = (group: CalicoGroup): PolicyKind => ({
  ...calicoKind(group, 'NetworkSet', 'networksets', 'sets'),
  read: readNetworkSet,
  worded: (verdicts, border) => wordedVerdicts(verdicts, border, words),
  unchanged: (set, stored) => isDeepStrictEqual(judgedIn(set), judgedIn(stored)),
});

/** What `read` looks at. */
function judgedIn({ spec, metadata }: Policy): unknown {
  return { spec, labels: metadata?.labels, annotations: metadata?.annotations, namespace: metadata?.namespace };
}
