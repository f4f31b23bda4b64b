import { keeps } from '../keeps.ts';
import type { NeighbourKind } from '../kind.ts';

/** Who may do what inside a namespace. Bulkhead only warns of it: RBAC itself decides who may write such an object. */
export const role = accessKind('roles', 'Role');
export const roleBinding = accessKind('rolebindings', 'RoleBinding');

function accessKind(plural: string, kind: string): NeighbourKind {
  return {
    family: 'neighbour',
    module: 'rights',
    kind,
    group: 'rbac.authorization.k8s.io',
    versions: ['v1'],
    plural,
    scope: 'Namespaced',
    writers: 'tenants',
    reviews: [{ phase: 'warn', resources: [plural], operations: ['CREATE', 'UPDATE'], module: 'rights' }],
    rights: [],
    unchanged: (object, stored) => keeps(object, stored, []),
  };
}
