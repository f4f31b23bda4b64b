import { keeps } from '../keeps.ts';
import type { NeighbourKind } from '../kind.ts';

const group = 'gateway.networking.k8s.io';
const experiments = 'gateway.networking.x-k8s.io';

/** The groups of these kinds. */
export const gatewayGroups: ReadonlySet<string> = new Set([group, experiments]);

/** The namespaced kinds of the Gateway API that lead traffic, in the versions that Gateway API 1.0 to 1.6 serve. */
export const gatewayKinds: readonly NeighbourKind[] = [
  gatewayKind('gateways', 'Gateway', ['v1', 'v1beta1']),
  gatewayKind('listenersets', 'ListenerSet', ['v1']),
  gatewayKind('httproutes', 'HTTPRoute', ['v1', 'v1beta1']),
  gatewayKind('grpcroutes', 'GRPCRoute', ['v1', 'v1alpha2']),
  gatewayKind('tlsroutes', 'TLSRoute', ['v1', 'v1alpha3', 'v1alpha2']),
  gatewayKind('tcproutes', 'TCPRoute', ['v1', 'v1alpha2']),
  gatewayKind('udproutes', 'UDPRoute', ['v1', 'v1alpha2']),
  gatewayKind('referencegrants', 'ReferenceGrant', ['v1', 'v1beta1']),
  // ListenerSet, before Gateway API 1.5 made it stable.
  gatewayKind('xlistenersets', 'XListenerSet', ['v1alpha1'], experiments),
];

function gatewayKind(
  plural: string,
  kind: string,
  versions: NeighbourKind['versions'],
  inGroup = group,
): NeighbourKind {
  return {
    family: 'neighbour',
    module: 'routes',
    kind,
    group: inGroup,
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
