import { keeps } from '../keeps.ts';
import type { NeighbourKind } from '../kind.ts';

/** It asks a controller for all tenants to send traffic for hosts to Services. */
export const ingress: NeighbourKind = {
  family: 'neighbour',
  module: 'routes',
  kind: 'Ingress',
  group: 'networking.k8s.io',
  versions: ['v1'],
  plural: 'ingresses',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: [
    { phase: 'validate', resources: ['ingresses'], operations: ['CREATE', 'UPDATE'], module: 'routes' },
    // Annotations are written through it, too.
    { phase: 'validate', resources: ['ingresses/status'], operations: ['UPDATE'], module: 'routes' },
  ],
  rights: [],
  unchanged: (object, stored) => keeps(object, stored, []),
};
