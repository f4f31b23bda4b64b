/** Keys that Calico reads. The plugins of clouds can run with its policies. */
import type { KeyGroup, NetworkPlugin } from './key-group.ts';

const plugins: readonly NetworkPlugin[] = ['calico', 'aws-vpc-cni', 'azure-cni', 'gke'];

export const calicoKeys: readonly KeyGroup[] = [
  {
    keys: ['cni.projectcalico.org/'],
    on: ['namespaces'],
    protects: 'identity',
    effect: 'gives pods addresses from a pool of their choice, also one kept for others',
    source: 'https://docs.tigera.io/calico/latest/reference/configure-cni-plugins (TEN-21)',
    plugins,
  },
  {
    keys: [
      'cni.projectcalico.org/ipAddrs',
      'cni.projectcalico.org/ipAddrsNoIpam',
      'cni.projectcalico.org/floatingIPs',
      'cni.projectcalico.org/hwAddr',
      'cni.projectcalico.org/allowedSourcePrefixes',
      'cni.projectcalico.org/ipv4pools',
      'cni.projectcalico.org/ipv6pools',
    ],
    on: ['pods'],
    protects: 'identity',
    effect: 'gives the pod addresses of its choice, also those of others',
    source: 'CVE-2022-28224 (POD-07)',
    plugins,
  },
  {
    keys: ['projectcalico.org/'],
    on: ['namespaces', 'pods', 'policies'],
    protects: 'identity',
    effect: 'is a name in which Calico keeps the namespace and service account of a pod',
    source: 'Calico (POD-06, TEN-21, NP-20)',
    plugins,
  },
  {
    keys: ['pcns.', 'pcsa.'],
    on: ['pods'],
    protects: 'identity',
    effect: 'is a name in which Calico keeps the labels of the namespace and service account of a pod',
    source: 'Calico (POD-06)',
    plugins,
  },
  {
    keys: ['egress.projectcalico.org/'],
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'chooses the gateway, also that of others, by whose address pods leave the cluster',
    source: 'Calico (POD-07)',
    plugins,
  },
];
