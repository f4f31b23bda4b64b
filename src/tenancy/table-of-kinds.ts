/** What this room and the one above it say of the table of kinds. Made by `npm run manifests` from kinds/kinds.ts. */

/** Kinds whose objects an exemption may name. Calico has kinds of the same name, to which the same exemptions apply. */
export const exemptableKinds: readonly string[] = [
  'Pod',
  'NetworkPolicy',
  'CiliumNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'NetworkSet',
  'Service',
  'Endpoints',
  'EndpointSlice',
  'Ingress',
  'Gateway',
  'ListenerSet',
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
  'UDPRoute',
  'ReferenceGrant',
  'XListenerSet',
  'AuthorizationPolicy',
];

/**
 * Kinds of the policy groups that Bulkhead reads and judges, so that `network.policyKinds` gives them to no tenant: the plural resource
 * and its group, and the section of the settings with which it is read; undefined: always.
 */
export const readKinds: ReadonlyMap<string, 'istio' | undefined> = new Map([
  ['ciliumnetworkpolicies.cilium.io', undefined],
  ['networkpolicies.projectcalico.org', undefined],
  ['networkpolicies.crd.projectcalico.org', undefined],
  ['stagednetworkpolicies.projectcalico.org', undefined],
  ['stagednetworkpolicies.crd.projectcalico.org', undefined],
  ['stagedkubernetesnetworkpolicies.projectcalico.org', undefined],
  ['stagedkubernetesnetworkpolicies.crd.projectcalico.org', undefined],
  ['networksets.projectcalico.org', undefined],
  ['networksets.crd.projectcalico.org', undefined],
  ['authorizationpolicies.security.istio.io', 'istio'],
]);
