import type { PolicyKind } from './kind.ts';

/** The group that Calico's own API server serves, or CRDs of newer versions; and the one in which that API server stores its objects. */
export const calicoGroups = [
  { group: 'projectcalico.org', versions: ['v3'], storedIn: 'crd.projectcalico.org/v1' },
  { group: 'crd.projectcalico.org', versions: ['v1'], listedBy: 'projectcalico.org' },
] as const satisfies readonly Pick<PolicyKind, 'group' | 'versions' | 'storedIn' | 'listedBy'>[];

export type CalicoGroup = (typeof calicoGroups)[number];
