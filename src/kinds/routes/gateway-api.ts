import { keeps } from '../keeps.ts';
import type { NeighbourKind } from '../kind.ts';

/** The namespaced kinds of gateway.networking.k8s.io that lead traffic, in the versions that Gateway API 1.0 to 1.6 serve. */
export const gatewayKinds: readonly NeighbourKind[] = [
  gatewayKind('gateways', 'Gateway', ['v1', 'v1beta1']),
  gatewayKind('listenersets', 'ListenerSet', ['v1']),
  gatewayKind('httproutes', 'HTTPRoute', ['v1', 'v1beta1']),
  gatewayKind('grpcroutes', 'GRPCRoute', ['v1', 'v1alpha2']),
  gatewayKind('tlsroutes', 'TLSRoute', ['v1', 'v1alpha3', 'v1alpha2']),
  gatewayKind('tcproutes', 'TCPRoute', ['v1', 'v1alpha2']),
  gatewayKind('udproutes', 'UDPRoute', ['v1', 'v1alpha2']),
  gatewayKind('referencegrants', 'ReferenceGrant', ['v1', 'v1beta1']),
];

function gatewayKind(plural: string, kind: string, versions: NeighbourKind['versions']): NeighbourKind {
  return {
    family: 'neighbour',
    module: 'routes',
    kind,
    group: 'gateway.networking.k8s.io',
    versions,
    plural,
    scope: 'Namespaced',
    writers: 'tenants',
    // The status says what a controller has made of it, and leads nothing.
    reviews: [{ phase: 'validate', resources: [plural], operations: ['CREATE', 'UPDATE'], module: 'routes' }],
    optional: [plural],
    rights: [],
    unchanged: (object, stored) => keeps(object, stored, []),
  };
}
