/**
 * The label and annotation keys that no tenant may set, each with what it does and to whom.
 *
 * A key is listed when setting it changes whose an object is, or by whose rules it is treated. Keys that ordinary controllers put on
 * every pod (`pod-template-hash`, `app.kubernetes.io/*`, `statefulset.kubernetes.io/*`, `batch.kubernetes.io/*`,
 * `topology.kubernetes.io/*`) are not, nor are keys that a network plugin only writes to report (`k8s.v1.cni.cncf.io/network-status`),
 * nor those by which a pod only limits itself (`kubernetes.io/egress-bandwidth`). Annotations from which a pod's address is read
 * (`cni.projectcalico.org/podIP`) have a check of their own: pod-addresses. Plain words are listed where a plugin is known to compare
 * them without asking where a label comes from: Cilium does so for most names of its own identities, not for `cluster` or `all`.
 *
 * The settings say which plugin and which mesh the cluster has. Only keys that one of them reads are reserved. Without a word, all are.
 *
 * Some listed keys are also written by add-ons of the platform: OVN-Kubernetes and Kube-OVN (addresses of a pod), KubeVirt (the pods of
 * its machines), Alibaba Cloud's virtual nodes (what a pod was given). Their accounts belong among the platform identities (settings:
 * `platform.identities`). A mutating webhook writes in the name of the requester. The values that the injectors of meshes write by
 * default are free (free-values.ts); others belong among the allowed values (settings: `reserved.allowedValues`), or their keys among
 * the released ones (`reserved.released`): `k8s.aliyun.com/pod-` where Terway has PodNetworkings, the `eci-` keys and
 * `network.alibabacloud.com/` where an eci-profile has selectors that add them. Not listed at all are Kuma's `kuma.io/sidecar-injected`
 * and the ports of its proxy, Consul's `consul.hashicorp.com/connect-inject-status`, `transparent-proxy-status`, `original-pod`,
 * `redirect-traffic-config` and `consul-namespace`.
 */
import type { ReservedKey } from './settings.ts';

export const knownPlugins = [
  'cilium',
  'calico',
  'ovn-kubernetes',
  'antrea',
  'aws-vpc-cni',
  'azure-cni',
  'gke',
  'kube-router',
  'other',
] as const;
export type NetworkPlugin = (typeof knownPlugins)[number];

export const knownMeshes = ['istio', 'istio-ambient', 'linkerd', 'kuma', 'consul', 'none'] as const;
export type Mesh = (typeof knownMeshes)[number];

/** What the settings say about the cluster. Undefined: not known. */
export interface KeyProfile {
  readonly plugin?: NetworkPlugin | undefined;
  readonly mesh?: Mesh | undefined;
}

/** Objects that carry keys. */
export type KeyCarrier = 'namespaces' | 'pods' | 'policies';

export interface KeyGroup extends Pick<ReservedKey, 'protects' | 'effect'> {
  /** Exact keys, beginnings and endings (reserved-keys.ts). */
  readonly keys: readonly string[];
  readonly on: readonly KeyCarrier[];
  readonly source: string;
  /** The plugins that may read it. Left out: whatever the plugin is. */
  readonly plugins?: readonly NetworkPlugin[];
  /** The meshes that read it. Left out: whatever the mesh is. */
  readonly meshes?: readonly Mesh[];
  /** Settings by which the platform lets tenants set it, beside `reserved.released`. */
  readonly settings?: readonly string[];
}

/** Keys of Bulkhead itself. They cannot be released. */
export const ownKeys: readonly string[] = ['bulkhead.dev/'];

/**
 * Which mesh of Kuma a pod joins: its own label, else its annotation, else its namespace's, else `default`. Kuma's injector writes the
 * answer on every pod, as a label (older versions: as an annotation), so on pods the mesh of the namespace is free.
 * Source: kumahq/kuma, webhooks/injector and util.MeshOfByLabelOrAnnotation.
 */
export const kumaMesh = 'kuma.io/mesh';

/** Plain words that were listed once, and may still stand among the released keys. No effect of them is known. */
export const formerKeys: readonly string[] = ['cluster', 'all', 'unmanaged'];

/** The plugins of clouds can run with the policies of Cilium or Calico, and GKE's Dataplane V2 is Cilium. */
const cilium: readonly NetworkPlugin[] = ['cilium', 'aws-vpc-cni', 'azure-cni', 'gke'];
const calico: readonly NetworkPlugin[] = ['calico', 'aws-vpc-cni', 'azure-cni', 'gke'];
/** Ambient mode and sidecars live in one cluster. */
const istio: readonly Mesh[] = ['istio', 'istio-ambient'];

/**
 * The tenant label stands under `bulkhead.dev/` by default and must be let through by whoever asks about a namespace's keys: its
 * value has a rule of its own. `kubernetes.io/metadata.name` is not listed: every namespace carries it, and the API server sets it.
 * Policies do not list Bulkhead's own keys: the tenant label and the mark of what is managed have checks of their own. Nor do they
 * list switches that only write logs, where the plugin keeps them apart.
 */
export const keyGroups: readonly KeyGroup[] = [
  {
    keys: ownKeys,
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'is how Bulkhead knows whose an object is and what it manages',
    source: 'Bulkhead',
  },

  // Other guards, and nodes that others share.
  {
    keys: ['pod-security.kubernetes.io/'],
    on: ['namespaces'],
    protects: 'others-guard',
    effect: 'sets which pods Pod Security admits, and privileged ones reach the nodes that others share',
    source: 'https://kubernetes.io/docs/concepts/security/pod-security-admission/ (TEN-19)',
    settings: ['podSecurity.clusterDefault'],
  },
  {
    keys: ['scheduler.alpha.kubernetes.io/'],
    on: ['namespaces'],
    protects: 'others-guard',
    effect: 'chooses nodes and tolerations for every pod of the namespace, and so reaches the nodes of others',
    source: 'admission plugins PodNodeSelector and PodTolerationRestriction (TEN-20)',
  },
  {
    keys: ['net.beta.kubernetes.io/'],
    on: ['namespaces'],
    protects: 'others-guard',
    effect: 'switches the isolation of the namespace for plugins that still read it',
    source: 'NetworkPolicy before v1 (TEN-21)',
  },
  {
    keys: [
      'control-plane',
      'admission.gatekeeper.sh/',
      'openpolicyagent.org/webhook',
      'cert-manager.io/disable-validation',
      'webhooks.knative.dev/exclude',
      'kubernetes.azure.com/managedby',
    ],
    on: ['namespaces'],
    protects: 'others-guard',
    effect: 'makes admission webhooks of the platform skip the namespace',
    source:
      'kubebuilder, Gatekeeper, kube-mgmt, cert-manager, Knative and Tekton, and the admissions enforcer of AKS (TEN-22)',
  },
  {
    keys: ['policy.sigstore.dev/'],
    on: ['namespaces'],
    protects: 'others-guard',
    effect: 'decides whether the policy controller of Sigstore verifies the images of the namespace',
    source: 'policy controller of Sigstore (TEN-22)',
  },
  {
    keys: ['resource.k8s.io/admin-access', 'resource.kubernetes.io/admin-access'],
    on: ['namespaces'],
    protects: 'others-guard',
    effect: 'lets the ResourceClaims of the namespace take devices that others hold',
    source:
      'KEP-5018, its names of 1.33 and of 1.34: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#admin-access (TEN-22)',
  },
  {
    keys: ['openshift.io/', 'security.openshift.io/'],
    on: ['namespaces'],
    protects: 'others-guard',
    effect: 'chooses nodes, user ids and Pod Security for the pods of the namespace on OpenShift',
    source: 'OpenShift: node-selector, sa.scc.*, synchronization of Pod Security labels (TEN-20)',
  },
  {
    keys: ['io.katacontainers.config.', 'dev.gvisor.flag.'],
    on: ['pods'],
    protects: 'others-guard',
    effect: 'changes the sandbox that keeps the pod from the node, which others share',
    source: 'Kata Containers, and gVisor, whose flag `network: host` is one (POD-25)',
  },
  {
    keys: ['io.kubernetes.cri-o.Devices', 'io.kubernetes.cri-o.Devices/', 'devices.crio.io', 'devices.crio.io/'],
    on: ['pods'],
    protects: 'others-guard',
    effect: 'gives the pod devices of the node, which others share',
    source: 'CRI-O: its old and new name, /dev/net/tun among the devices (POD-25)',
  },
  {
    keys: [
      'k8s.aliyun.com/ignore-by-terway',
      'k8s.aliyun.com/eci-network-policy-enable',
      'alibabacloud.com/enable-network-policy-agent',
    ],
    on: ['pods'],
    protects: 'others-guard',
    effect: 'decides whether network policies hold for the pod',
    source: 'Alibaba Cloud: Terway, elastic containers, container compute (POD-25)',
  },
  {
    keys: ['k8s.ovn.org/'],
    on: ['policies'],
    protects: 'others-guard',
    effect: 'can make OVN-Kubernetes let packets through without following their connections',
    source: 'OVN-Kubernetes: acl-stateless, acl-logging (NP-20)',
    plugins: ['ovn-kubernetes'],
  },
  {
    keys: ['ovn.kubernetes.io/'],
    on: ['policies'],
    protects: 'others-guard',
    effect: 'can make Kube-OVN enforce the policy for TCP, UDP and SCTP alone',
    source: 'Kube-OVN: network_policy_enforcement, logging (NP-20)',
  },

  // Whose a namespace is, and by which networks and policies it counts as another's.
  {
    keys: ['network.openshift.io/', 'policy-group.network.openshift.io/', 'netnamespace.network.openshift.io/'],
    on: ['namespaces'],
    protects: 'identity',
    effect: 'puts the namespace into a network or group by which others let it in',
    source: 'OpenShift: multicast, groups of router policies, joined networks (TEN-20)',
  },
  {
    keys: ['field.cattle.io/'],
    on: ['namespaces'],
    protects: 'identity',
    effect: 'moves the namespace into a project of Rancher, and so to other owners',
    source: 'CVE-2020-10676 (TEN-13)',
  },
  {
    keys: ['hnc.x-k8s.io/', '*.tree.hnc.x-k8s.io/depth'],
    on: ['namespaces'],
    protects: 'identity',
    effect: 'makes the namespace a descendant of another, whose policies then select it',
    source: 'https://github.com/kubernetes-sigs/hierarchical-namespaces (TEN-15, TEN-22)',
  },

  // Cilium.
  {
    keys: ['io.cilium.', 'io.cilium/'],
    on: ['namespaces', 'pods', 'policies'],
    protects: 'identity',
    effect: 'is a name in which Cilium keeps the namespace, cluster and labels that a pod counts as',
    source: 'CVE-2023-39347, GHSA-pfhr-pccp-hwmh (POD-06)',
    plugins: cilium,
  },
  {
    keys: ['io.kubernetes.pod.'],
    on: ['pods'],
    protects: 'identity',
    effect: 'can make Cilium take the pod for one of another namespace',
    source: 'CVE-2023-39347 (POD-06)',
    plugins: cilium,
  },
  {
    keys: ['k8s:', 'reserved:', 'reserved.'],
    on: ['pods'],
    protects: 'identity',
    effect: 'is a name of the labels by which Cilium tells its own identities',
    source: 'Cilium: sources of labels, in both ways of writing them (POD-06)',
    plugins: cilium,
  },
  {
    keys: ['host'],
    on: ['pods'],
    protects: 'identity',
    effect: 'makes Cilium 1.20 take the pod for its node, and enforce no policy on it',
    source: 'cilium#48027 (POD-06)',
    plugins: cilium,
  },
  {
    keys: ['ingress'],
    on: ['pods'],
    protects: 'identity',
    effect: 'makes Cilium before its fix of 2025-07 give the pod an identity that only its node knows',
    source: 'cilium#40791 (POD-06)',
    plugins: cilium,
  },
  {
    keys: ['remote-node'],
    on: ['pods'],
    protects: 'identity',
    effect: 'can make Cilium give the pod an identity of the kind that other nodes have',
    source: 'Cilium: ScopeForLabels compares the name alone (POD-06)',
    plugins: cilium,
  },
  {
    keys: ['init'],
    on: ['pods'],
    protects: 'identity',
    effect: 'can leave the pod under the policies for pods whose labels Cilium does not know yet',
    source: 'Cilium: Endpoint.UpdateLabels compares the name alone (POD-06)',
    plugins: cilium,
  },
  {
    keys: ['health', 'kube-apiserver', 'world', 'world-ipv4', 'world-ipv6'],
    on: ['pods'],
    protects: 'identity',
    effect: 'is one by which Cilium tells its own identities, without asking where the label comes from',
    source: 'Cilium: Labels.HasLabelWithKey (POD-06)',
    plugins: cilium,
  },
  {
    keys: ['policy.cilium.io/'],
    on: ['pods', 'policies'],
    protects: 'identity',
    effect: 'changes how Cilium follows and tells apart connections and policies',
    source: 'CVE-2023-41332, no-track-port (POD-07), labels of policies (NP-20)',
    plugins: cilium,
  },
  {
    keys: ['network.cilium.io/no-track-host-ports'],
    on: ['pods'],
    protects: 'identity',
    effect: 'has Cilium forget connections to these ports, by which it tells answers from requests',
    source: 'Cilium (POD-07)',
    plugins: cilium,
  },
  {
    keys: ['cni.cilium.io/'],
    on: ['pods'],
    protects: 'identity',
    effect: 'gives the pod a MAC address of its choice, also that of another',
    source: 'Cilium (POD-07)',
    plugins: cilium,
  },
  {
    keys: ['ipam.cilium.io/'],
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'gives pods addresses from a pool of their choice, also one kept for others',
    source: 'Cilium (POD-07)',
    plugins: cilium,
  },
  {
    keys: ['clustermesh.cilium.io/'],
    on: ['namespaces'],
    protects: 'identity',
    effect: 'shares the namespace with other clusters, where it counts as theirs',
    source: 'Cilium',
    plugins: cilium,
  },

  // Calico.
  {
    keys: ['cni.projectcalico.org/'],
    on: ['namespaces'],
    protects: 'identity',
    effect: 'gives pods addresses from a pool of their choice, also one kept for others',
    source: 'https://docs.tigera.io/calico/latest/reference/configure-cni-plugins (TEN-21)',
    plugins: calico,
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
    plugins: calico,
  },
  {
    keys: ['projectcalico.org/'],
    on: ['namespaces', 'pods', 'policies'],
    protects: 'identity',
    effect: 'is a name in which Calico keeps the namespace and service account of a pod',
    source: 'Calico (POD-06, TEN-21, NP-20)',
    plugins: calico,
  },
  {
    keys: ['pcns.', 'pcsa.'],
    on: ['pods'],
    protects: 'identity',
    effect: 'is a name in which Calico keeps the labels of the namespace and service account of a pod',
    source: 'Calico (POD-06)',
    plugins: calico,
  },
  {
    keys: ['egress.projectcalico.org/'],
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'chooses the gateway, also that of others, by whose address pods leave the cluster',
    source: 'Calico (POD-07)',
    plugins: calico,
  },

  // Other networks.
  {
    keys: ['ipam.antrea.io/'],
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'gives pods addresses from a pool of their choice, also one kept for others',
    source: 'Antrea (TEN-21, POD-07)',
    plugins: ['antrea'],
  },
  {
    keys: ['ipam.spidernet.io/'],
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'gives pods addresses from a pool of their choice, also one kept for others',
    source: 'https://spidernet-io.github.io/spiderpool/latest/reference/annotation/ (POD-25)',
  },
  {
    keys: ['ovn.kubernetes.io/'],
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'chooses the subnet, the address and the gateway of pods, also those of others',
    source: 'Kube-OVN, which runs beside other plugins as well (TEN-21, POD-07)',
  },
  {
    keys: ['k8s.ovn.org/'],
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'chooses the network, the address and the gateway of pods, also those of others',
    source: 'OVN-Kubernetes: user-defined networks, external gateways (TEN-21, POD-07)',
    plugins: ['ovn-kubernetes'],
  },
  {
    keys: [
      '*.kubernetes.io/ip_address',
      '*.kubernetes.io/ip_pool',
      '*.kubernetes.io/mac_address',
      '*.kubernetes.io/logical_switch',
    ],
    on: ['pods'],
    protects: 'identity',
    effect: 'chooses the address of the pod in a second network, also that of another',
    source: 'Kube-OVN: PROVIDER.kubernetes.io (POD-25)',
  },
  {
    keys: ['k8s.v1.cni.cncf.io/networks', 'v1.multus-cni.io/default-network'],
    on: ['pods'],
    protects: 'identity',
    effect: 'puts the pod into another network, also one of others, that no NetworkPolicy governs',
    source: 'Multus (POD-07)',
  },
  {
    keys: [
      'networking.gke.io/interfaces',
      'networking.gke.io/default-interface',
      'networking.gke.io/disable-source-ip-validation',
    ],
    on: ['pods'],
    protects: 'identity',
    effect: 'gives the pod another network, or addresses that are not its own',
    source: 'GKE (POD-25)',
    plugins: ['gke', 'cilium', 'calico'],
  },
  {
    keys: ['kubernetes.azure.com/pod-network', 'kubernetes.azure.com/pod-network-'],
    on: ['pods'],
    protects: 'identity',
    effect: 'puts the pod into a virtual network of its choice, also that of another',
    source: 'AKS: pod-network, pod-network-instance (POD-25)',
    plugins: ['azure-cni', 'cilium', 'calico'],
  },
  {
    keys: [
      'k8s.aliyun.com/pod-',
      'k8s.aliyun.com/ENI',
      'k8s.aliyun.com/eci-vswitch',
      'k8s.aliyun.com/eci-security-group',
      'k8s.aliyun.com/eci-with-eip',
      'k8s.aliyun.com/eci-eip-instanceid',
      'k8s.aliyun.com/eci-private-ip-address',
      'k8s.aliyun.com/eci-fixed-ip',
      'k8s.aliyun.com/eci-enable-ipv6',
      'k8s.aliyun.com/eci-ipv6-bandwidth-enable',
      'k8s.aliyun.com/eci-custom-dnsconfig',
      'k8s.aliyun.com/eci-custom-hosts',
      'network.alibabacloud.com/',
    ],
    on: ['pods'],
    protects: 'identity',
    effect: 'chooses networks, security groups, addresses or name servers of the pod, also those of others',
    source: 'Alibaba Cloud: Terway, elastic containers, container compute (POD-25)',
  },
  {
    keys: ['k8s.aliyun.com/eci-ram-role-name'],
    on: ['pods'],
    protects: 'identity',
    effect: 'gives the pod a role of the cloud, also that of another',
    source: 'Alibaba Cloud: elastic containers (POD-25)',
  },
  {
    keys: ['tke.cloud.tencent.com/networks'],
    on: ['pods'],
    protects: 'identity',
    effect: 'puts the pod into another network, also one of others, that no NetworkPolicy governs',
    source: "Tencent's TKE (POD-25)",
  },
  {
    keys: ['kubevirt.io', 'kubevirt.io/'],
    on: ['pods'],
    protects: 'identity',
    effect: 'makes KubeVirt take the pod for one of a virtual machine, also that of another',
    source: 'CVE-2025-64435 (TEN-18)',
  },

  // Meshes, as far as others are concerned.
  {
    keys: ['topology.istio.io/'],
    on: ['namespaces'],
    protects: 'identity',
    effect: 'tells Istio in which network the pods are, and so which gateway gets their traffic',
    source: 'Istio (TEN-22)',
    meshes: istio,
  },
  {
    keys: [kumaMesh],
    on: ['namespaces', 'pods'],
    protects: 'identity',
    effect: 'chooses the mesh of Kuma that pods join, also that of others',
    source: 'https://kuma.io/docs/latest/reference/kubernetes-annotations/ (TEN-22, POD-25)',
    meshes: ['kuma'],
  },
  {
    keys: ['kuma.io/gateway'],
    on: ['pods'],
    protects: 'identity',
    effect: 'makes Kuma take the pod for a gateway, which gets the routes and certificates of others',
    source: 'Kuma (POD-25)',
    meshes: ['kuma'],
  },
  {
    keys: ['consul.hashicorp.com/gateway-kind'],
    on: ['pods'],
    protects: 'identity',
    effect: 'makes Consul take the pod for a gateway, which gets the traffic of others',
    source: 'Consul (POD-25)',
    meshes: ['consul'],
  },

  // Meshes, as far as the tenant alone is concerned.
  {
    keys: ['istio-injection', 'istio.io/'],
    on: ['namespaces'],
    protects: 'own-protection',
    effect: 'can take the pods of the namespace out of the mesh, or to another control plane or waypoint',
    source: 'https://istio.io/latest/docs/reference/config/labels/ (TEN-21)',
    meshes: istio,
  },
  {
    keys: ['sidecar.istio.io/inject', 'sidecar.istio.io/interceptionMode', 'traffic.sidecar.istio.io/'],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take the pod, or some of its traffic, out of the mesh, whose policies then do not hold',
    source: 'https://istio.io/latest/docs/reference/config/annotations/ (POD-08)',
    meshes: istio,
  },
  {
    keys: ['inject.istio.io/templates', 'proxy.istio.io/config', 'security.istio.io/tlsMode'],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can give the pod another proxy or control plane, or traffic without mutual TLS',
    source: 'https://istio.io/latest/docs/reference/config/annotations/ (POD-25)',
    meshes: istio,
  },
  {
    keys: [
      'istio.io/dataplane-mode',
      'istio.io/use-waypoint',
      'istio.io/use-waypoint-namespace',
      'ambient.istio.io/bypass-inbound-capture',
      'ambient.istio.io/dns-capture',
    ],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take the pod, or some of its traffic, out of the ambient mesh or past its waypoint',
    source: 'https://istio.io/latest/docs/reference/config/labels/ (POD-08)',
    meshes: ['istio-ambient'],
  },
  {
    keys: ['linkerd.io/', 'config.linkerd.io/'],
    on: ['namespaces'],
    protects: 'own-protection',
    effect: 'can take the pods of the namespace, or some of their traffic, out of the mesh',
    source: 'https://linkerd.io/2/reference/proxy-configuration/, inherited by every pod (TEN-21)',
    meshes: ['linkerd'],
  },
  {
    keys: ['linkerd.io/inject', 'config.linkerd.io/skip-', 'config.linkerd.io/default-inbound-policy'],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take the pod, or some of its traffic, out of the mesh, or let clients in without an identity',
    source: 'https://linkerd.io/2/reference/proxy-configuration/ (POD-08)',
    meshes: ['linkerd'],
  },
  {
    keys: ['kuma.io/sidecar-injection'],
    on: ['namespaces', 'pods'],
    protects: 'own-protection',
    effect: 'can take pods out of the mesh, whose policies then do not hold',
    source: 'https://kuma.io/docs/latest/reference/kubernetes-annotations/ (TEN-22, POD-25)',
    meshes: ['kuma'],
  },
  {
    keys: [
      'kuma.io/transparent-proxying',
      'kuma.io/direct-access-services',
      'kuma.io/sidecar-env-vars',
      'traffic.kuma.io/exclude-',
    ],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take some traffic of the pod out of the mesh, or its proxy to another control plane',
    source: 'https://kuma.io/docs/latest/reference/kubernetes-annotations/ (POD-25)',
    meshes: ['kuma'],
  },
  {
    keys: ['consul.hashicorp.com/transparent-proxy'],
    on: ['namespaces', 'pods'],
    protects: 'own-protection',
    effect: 'can make the traffic of pods bypass the mesh',
    source: 'https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels (TEN-22, POD-25)',
    meshes: ['consul'],
  },
  {
    keys: [
      'consul.hashicorp.com/connect-inject',
      'consul.hashicorp.com/transparent-proxy-exclude-',
      'consul.hashicorp.com/envoy-extra-args',
    ],
    on: ['pods'],
    protects: 'own-protection',
    effect: 'can take the pod, or some of its traffic, out of the mesh, or change its proxy',
    source: 'https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels (POD-25)',
    meshes: ['consul'],
  },
];

/** The built-in keys that hold on one kind of object, in a cluster of this profile. */
export function builtInKeys(carrier: KeyCarrier, profile: KeyProfile = {}): readonly ReservedKey[] {
  return keyGroups
    .filter((group) => group.on.includes(carrier) && isRead(group, profile))
    .flatMap(({ keys, protects, effect, plugins, meshes, settings = [] }) => {
      const deciding = [
        ...(plugins === undefined ? [] : ['network.plugin']),
        ...(meshes === undefined ? [] : ['mesh', 'reserved.allowedValues']),
        ...settings,
      ];
      return keys.map((entry) => ({
        entry,
        protects,
        effect,
        settings: ownKeys.includes(entry) ? [] : [...deciding, 'reserved.released'],
      }));
    });
}

/** A plugin that has no name here may read every key. */
function isRead({ plugins, meshes }: KeyGroup, { plugin = 'other', mesh }: KeyProfile): boolean {
  return (
    (plugins === undefined || plugin === 'other' || plugins.includes(plugin)) &&
    (meshes === undefined || mesh === undefined || meshes.includes(mesh))
  );
}
