import { keeps } from '../keeps.ts';
import type { NeighbourKind } from '../kind.ts';

/** Addresses to which traffic for a Service goes, written by a controller or by a user. */
export const endpointSlice: NeighbourKind = {
  family: 'neighbour',
  module: 'services',
  kind: 'EndpointSlice',
  group: 'discovery.k8s.io',
  versions: ['v1'],
  plural: 'endpointslices',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: [{ phase: 'validate', resources: ['endpointslices'], operations: ['CREATE', 'UPDATE'], module: 'services' }],
  rights: [],
  // Labels and owners decide which Service has it, which controller keeps it right, and until when.
  unchanged: (object, stored) => keeps(object, stored, ['labels', 'ownerReferences']),
};
