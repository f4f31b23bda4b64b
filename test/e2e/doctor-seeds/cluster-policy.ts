import type { DoctoredCluster, Json } from '../doctored-cluster.ts';
import { crds, type Seed, untilServed } from './seed.ts';

const group = 'policy.networking.k8s.io';
const path = `/apis/${group}/v1alpha2/clusternetworkpolicies`;

const definition: Json = {
  metadata: {
    name: `clusternetworkpolicies.${group}`,
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/network-policy-api' },
  },
  spec: {
    ...{ group, scope: 'Cluster' },
    names: { plural: 'clusternetworkpolicies', singular: 'clusternetworkpolicy', kind: 'ClusterNetworkPolicy' },
    versions: [
      {
        ...{ name: 'v1alpha2', served: true, storage: true },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const policy = (name: string, labels: Json, priority: number): Json => ({
  apiVersion: `${group}/v1alpha2`,
  kind: 'ClusterNetworkPolicy',
  metadata: { name, labels },
  spec: { tier: 'Admin', priority, subject: { namespaces: {} } },
});

const served =
  (...policies: readonly Json[]) =>
  async (cluster: DoctoredCluster) => {
    const undefine = await cluster.made([crds, definition]);
    await untilServed(cluster, path, (text) => text.includes('ClusterNetworkPolicyList'));
    const remove = await cluster.made(...policies.map((one) => [path, one] as const));
    return async () => {
      // The next seed gives the definition again, and must not meet these.
      await remove();
      await undefine();
      await untilServed(cluster, path, (text) => !text.includes('ClusterNetworkPolicyList'));
    };
  };

const wanted: Seed['settings'] = ({ network }) => {
  Object.assign(network ?? {}, { clusterPolicy: true });
};

export const clusterPolicy: readonly Seed[] = [
  { wrong: 'a border in a kind that is not served', ids: ['cluster-policy-missing'], settings: wanted },
  {
    wrong: 'borders that are not there, and a policy with their priority',
    ids: ['cluster-policy-incomplete', 'cluster-policy-tie'],
    says: /not there: bulkhead-acme\.within[\s\S]*tier Admin: one, two/,
    settings: wanted,
    make: served(policy('of-the-platform', {}, 98), policy('one', {}, 5), policy('two', {}, 5)),
  },
  {
    wrong: 'a border that was left behind',
    ids: ['cluster-policy-left'],
    make: served(policy('bulkhead-acme.deny', { 'app.kubernetes.io/managed-by': 'bulkhead' }, 99)),
  },
];
