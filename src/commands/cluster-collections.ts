/** What a snapshot of a cluster is made of: the collections that are listed, and what is kept of their objects. */
import { namespacesPath } from '../facts/namespaces.ts';
import { listedPolicyKinds } from '../kinds/policy-kind.ts';
import { collectionPaths } from '../kinds/resource-name.ts';
import type { JsonMap } from '../kubernetes/json.ts';

/** Of each kind, the paths of one list; the first that is served is read. */
export const collections: readonly (readonly [kind: string, apiVersion: string, ...paths: readonly string[]])[] = [
  ['Namespace', 'v1', namespacesPath],
  ['Pod', 'v1', '/api/v1/pods'],
  ['Service', 'v1', '/api/v1/services'],
  ...listedPolicyKinds.map(
    (kind) => [kind.kind, `${kind.group}/${kind.versions[0]}`, ...collectionPaths(kind)] as const,
  ),
  ...(
    [
      ['CiliumClusterwideNetworkPolicy', 'cilium.io/v2', 'ciliumclusterwidenetworkpolicies'],
      ['ClusterNetworkPolicy', 'policy.networking.k8s.io/v1alpha2', 'clusternetworkpolicies'],
      ['AdminNetworkPolicy', 'policy.networking.k8s.io/v1alpha1', 'adminnetworkpolicies'],
      ['BaselineAdminNetworkPolicy', 'policy.networking.k8s.io/v1alpha1', 'baselineadminnetworkpolicies'],
    ] as const
  ).map(([kind, version, plural]) => [kind, version, `/apis/${version}/${plural}`] as const),
  // Older versions of Cilium serve v2alpha1 alone.
  [
    ...(['CiliumCIDRGroup', 'cilium.io/v2'] as const),
    ...['v2', 'v2alpha1'].map((version) => `/apis/cilium.io/${version}/ciliumcidrgroups`),
  ],
  ...(
    [
      ['GlobalNetworkPolicy', 'globalnetworkpolicies'],
      ['GlobalNetworkSet', 'globalnetworksets'],
    ] as const
  ).map(
    ([kind, plural]) =>
      [
        ...[kind, 'projectcalico.org/v3'],
        ...[`/apis/projectcalico.org/v3/${plural}`, `/apis/crd.projectcalico.org/v1/${plural}`],
      ] as const,
  ),
  ...(['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'] as const)
    .filter((kind) => !listedPolicyKinds.some((one) => one.kind === kind))
    .map((kind) => {
      const plural = `${kind.toLowerCase().replace(/y$/, 'ie')}s`;
      const paths = ['v1', 'v1beta1'].map((version) => `/apis/security.istio.io/${version}/${plural}`);
      return [kind, 'security.istio.io/v1', ...paths] as const;
    }),
  ['Tier', 'projectcalico.org/v3', '/apis/projectcalico.org/v3/tiers', '/apis/crd.projectcalico.org/v1/tiers'],
];

/** Of a pod, what a snapshot has a use for: clusters have many. */
export function trimmed(object: JsonMap, kind: string): JsonMap {
  const { metadata, spec, status } = object as Record<string, JsonMap | undefined>;
  if (kind !== 'Pod') return { metadata: object.metadata, spec: object.spec, specs: object.specs };
  const { name, namespace, labels, ownerReferences } = metadata ?? {};
  const containersOf = (list: unknown) =>
    Array.isArray(list) ? list.map((one: JsonMap | undefined) => ({ ports: one?.ports })) : [];
  return {
    metadata: { name, namespace, labels, ownerReferences },
    spec: {
      hostNetwork: spec?.hostNetwork,
      containers: containersOf(spec?.containers),
      initContainers: containersOf(spec?.initContainers),
    },
    status: { phase: status?.phase, podIPs: status?.podIPs },
  };
}
