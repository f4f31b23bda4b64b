import { keeps } from '../keeps.ts';
import type { NeighbourKind } from '../kind.ts';

/** The addresses of a Service in one object. Kubernetes copies them to EndpointSlices where the Service has no selector. */
export const endpoints: NeighbourKind = {
  family: 'neighbour',
  module: 'services',
  kind: 'Endpoints',
  group: '',
  versions: ['v1'],
  plural: 'endpoints',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: [{ phase: 'validate', resources: ['endpoints'], operations: ['CREATE', 'UPDATE'], module: 'services' }],
  rights: [],
  // Labels and owners decide which controller keeps the addresses right, and until when.
  unchanged: (object, stored) => keeps(object, stored, ['labels', 'ownerReferences']),
};
