/**
 * Kinds of the policy groups that Bulkhead reads and judges, so that `network.policyKinds` gives them to no tenant. The table of kinds
 * decides (kinds/kinds.ts), which this room cannot import; a test compares the two.
 */

/** By the plural resource and its group. The section of the settings with which it is read; undefined: always. */
export const readKinds: ReadonlyMap<string, 'istio' | undefined> = new Map([
  ['ciliumnetworkpolicies.cilium.io', undefined],
  ...['projectcalico.org', 'crd.projectcalico.org'].flatMap((group) =>
    ['networkpolicies', 'stagednetworkpolicies', 'stagedkubernetesnetworkpolicies', 'networksets'].map(
      (plural) => [`${plural}.${group}`, undefined] as const,
    ),
  ),
  ['authorizationpolicies.security.istio.io', 'istio'],
]);
