/** What the kinds of Calico have in common. Each is in two groups. */
import { isDeepStrictEqual } from 'node:util';
import type { PolicyKind } from './kind.ts';
import { policyReviews } from './policy-reviews.ts';

/** The group that Calico's own API server serves, or CRDs of newer versions; and the one in which that API server stores its objects. */
export const calicoGroups = [
  { group: 'projectcalico.org', versions: ['v3'], storedIn: 'crd.projectcalico.org/v1' },
  { group: 'crd.projectcalico.org', versions: ['v1'], listedBy: 'projectcalico.org' },
] as const satisfies readonly Pick<PolicyKind, 'group' | 'versions' | 'storedIn' | 'listedBy'>[];

export type CalicoGroup = (typeof calicoGroups)[number];

/** @param stored what its objects are called */
export const calicoKind = (
  group: CalicoGroup,
  kind: string,
  plural: string,
  stored: 'policies' | 'sets' = 'policies',
): Omit<PolicyKind, 'read' | 'worded'> => ({
  ...group,
  family: 'policy',
  kind,
  plural,
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: policyReviews(plural),
  optional: [plural],
  rights: [
    {
      why: `Stored ${stored} are judged again when tenants and settings change. A cluster without Calico lacks them.`,
      resources: [plural],
      verbs: ['list'],
    },
  ],
  unchanged: (one, before) =>
    isDeepStrictEqual(one.spec, before.spec) && one.metadata?.namespace === before.metadata?.namespace,
});
