import { apps, type DoctoredCluster, daemonSet, type Json } from '../doctored-cluster.ts';
import type { Seed } from './seed.ts';

const cilium = `${apps}/kube-system/daemonsets/cilium`;
const image = (reference: string) => (cluster: DoctoredCluster) =>
  cluster.changed(cilium, (set: { spec: { template: { spec: { containers: { image: string }[] } } } }) => {
    for (const container of set.spec.template.spec.containers) container.image = reference;
  });
const node = (podCIDRs: readonly string[], address: string) => (cluster: DoctoredCluster) =>
  cluster.made([
    '/api/v1/nodes',
    {
      metadata: { name: 'two' },
      spec: { podCIDR: podCIDRs[0], podCIDRs },
      status: { addresses: [{ type: 'InternalIP', address }] },
    },
  ]);

const configured = (data: Readonly<Record<string, string>>) => (cluster: DoctoredCluster) =>
  cluster.made(['/api/v1/namespaces/kube-system/configmaps', { metadata: { name: 'cilium-config' }, data }]);

export const plugins: readonly Seed[] = [
  { wrong: 'no network plugin', ids: ['network-plugin-missing'], make: (cluster) => cluster.removed(cilium) },
  {
    wrong: 'flannel alone',
    ids: ['network-plugin-not-enforcing'],
    says: /flannel enforces no NetworkPolicy/,
    async make(cluster) {
      const again = await cluster.removed(cilium);
      const gone = await cluster.made([
        `${apps}/kube-system/daemonsets`,
        daemonSet('kube-flannel-ds', 'ghcr.io/flannel-io/flannel:v0.27.4'),
      ]);
      return async () => {
        await gone();
        await again();
      };
    },
  },
  ...(
    [
      ['enable-policy', 'never', /cilium-config has enable-policy: never/],
      ['policy-audit-mode', 'true', /cilium-config has policy-audit-mode: true/],
      ['enable-k8s-networkpolicy', 'false', /cilium-config has enable-k8s-networkpolicy: false/],
    ] as const
  ).map(
    ([option, value, says]): Seed => ({
      wrong: `Cilium with ${option}: ${value}`,
      ids: ['network-plugin-not-enforcing'],
      says,
      make: configured({ 'enable-policy': 'default', [option]: value }),
    }),
  ),
  {
    wrong: 'another name of the cluster than the settings have',
    ids: ['cilium-cluster-name'],
    says: /cluster-name is east, and network\.clusterName is west/,
    settings: ({ network }) => Object.assign(network as Json, { clusterName: 'west' }),
    make: configured({ 'cluster-name': 'east', 'cluster-id': '0' }),
  },
  {
    wrong: 'a mesh of Cilium whose policies are not for the own cluster alone',
    ids: ['cilium-mesh-unscoped'],
    says: /cluster-id is 3, and policy-default-local-cluster is false/,
    make: configured({ 'cluster-name': 'east', 'cluster-id': '3', 'policy-default-local-cluster': 'false' }),
  },
  {
    wrong: 'a plugin in the namespace of a tenant hides that there is none',
    ids: ['network-plugin-impostor', 'network-plugin-missing'],
    async make(cluster) {
      const again = await cluster.removed(cilium);
      const set = daemonSet('cilium', 'quay.io/cilium/cilium:v1.19.6', {
        status: { desiredNumberScheduled: 1, numberReady: 1 },
      });
      const gone = await cluster.made([`${apps}/acme-web/daemonsets`, set]);
      return async () => {
        await gone();
        await again();
      };
    },
  },
  {
    wrong: 'a plugin that is not ready everywhere',
    ids: ['network-plugin-not-everywhere'],
    says: /ready on 2 of 3 nodes/,
    make: (cluster) =>
      cluster.changed(`${cilium}/status`, ({ status }: { status: Json }) => Object.assign(status, { numberReady: 2 })),
  },
  {
    wrong: 'a plugin with a known hole',
    ids: ['network-plugin-advisory'],
    says: /CVE-2026-53935.*upgrade Cilium to 1\.18\.10 or later/,
    make: image('quay.io/cilium/cilium:v1.18.9'),
  },
  {
    wrong: 'a tag with control characters',
    ids: ['network-plugin-version-unknown'],
    make: image('quay.io/cilium/cilium:\u001b[2Jlatest\u202e'),
  },
];

export const network: readonly Seed[] = [
  {
    wrong: 'a ServiceCIDR that is not listed',
    ids: ['range-service-missing'],
    says: /10\.200\.0\.0\/24/,
    make: (cluster) =>
      cluster.made([
        '/apis/networking.k8s.io/v1/servicecidrs',
        { metadata: { name: 'more' }, spec: { cidrs: ['10.200.0.0/24'] } },
      ]),
  },
  {
    wrong: 'pods of a node that are not listed',
    ids: ['range-pod-missing'],
    make: node(['172.16.9.0/24'], '192.168.0.11'),
  },
  { wrong: 'a node that is not listed', ids: ['range-node-missing'], make: node(['10.244.9.0/24'], '203.0.113.9') },
  {
    wrong: 'a second address family that the settings leave out',
    ids: ['range-family-missing'],
    says: /count as outside/,
    make: node(['10.244.9.0/24', 'fd00:9::/64'], '192.168.0.11'),
  },
  {
    wrong: 'no DNS to ask',
    ids: ['dns-without-pods'],
    make: (cluster) => cluster.removed('/api/v1/namespaces/kube-system/pods/coredns'),
  },
  {
    wrong: 'DNS in the namespace of a tenant',
    ids: ['dns-of-tenant', 'namespace-doubtful'],
    settings: ({ sharedServices }) => Object.assign(sharedServices?.[0] as Json, { namespace: 'names' }),
    make: (cluster) =>
      cluster.made(['/api/v1/namespaces', { metadata: { name: 'names', labels: { 'bulkhead.dev/tenant': 'acme' } } }]),
  },
  {
    wrong: 'a DNS cache on the nodes that is not shared',
    ids: ['dns-node-local'],
    make: (cluster) =>
      cluster.made([
        `${apps}/kube-system/daemonsets`,
        daemonSet('node-local-dns', 'registry.k8s.io/dns/k8s-dns-node-cache:1.26.4'),
      ]),
  },
];
