import { keeps } from '../keeps.ts';
import type { NeighbourKind } from '../kind.ts';

/** It says which addresses lead to which pods, and which of them are the cluster's. */
export const service: NeighbourKind = {
  family: 'neighbour',
  module: 'services',
  kind: 'Service',
  group: '',
  versions: ['v1'],
  plural: 'services',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: [
    { phase: 'validate', resources: ['services'], operations: ['CREATE', 'UPDATE', 'DELETE'], module: 'services' },
    // kube-proxy takes traffic to the addresses in it.
    { phase: 'validate', resources: ['services/status'], operations: ['UPDATE'], module: 'services' },
  ],
  rights: [],
  unchanged: (object, stored) => keeps(object, stored, []),
};
