/**
 * The label and annotation keys that no tenant may set, whatever the settings say beside them.
 *
 * A key is listed when setting it changes whose an object is, or by whose rules it is treated. Keys that ordinary controllers put on
 * every pod (`pod-template-hash`, `app.kubernetes.io/*`, `statefulset.kubernetes.io/*`, `batch.kubernetes.io/*`,
 * `topology.kubernetes.io/*`) are not, nor are keys that a network plugin only writes to report (`k8s.v1.cni.cncf.io/network-status`),
 * nor those by which a pod only limits itself (`kubernetes.io/egress-bandwidth`). Annotations from which a pod's address is read
 * (`cni.projectcalico.org/podIP`) have a check of their own: pod-addresses.
 *
 * Some listed keys are also written by add-ons of the platform: OVN-Kubernetes and Kube-OVN (addresses of a pod), KubeVirt (the pods of
 * its machines), Alibaba Cloud's virtual nodes (what a pod was given). Their accounts belong among the platform identities (settings:
 * `platform.identities`). A mutating webhook writes in the name of the requester, so its keys belong among the released ones
 * (`reserved.released`): `traffic.sidecar.istio.io/` where Istio CNI is on, `traffic.kuma.io/exclude-` where Kuma is configured to
 * exclude ports, `k8s.aliyun.com/pod-` where Terway has PodNetworkings, the `eci-` keys and `network.alibabacloud.com/` where
 * an eci-profile has selectors that add them. What an injector writes on every pod is free (`freeValues`, and the mesh of the
 * namespace), or not listed at all: Kuma's `kuma.io/sidecar-injected` and the ports of its proxy, Consul's
 * `consul.hashicorp.com/connect-inject-status`, `transparent-proxy-status`, `original-pod`, `redirect-traffic-config` and
 * `consul-namespace`.
 */

/**
 * Which mesh of Kuma a pod joins: its own label, else its annotation, else its namespace's, else `default`. Kuma's injector writes the
 * answer on every pod, as a label (older versions: as an annotation), so on pods the mesh of the namespace is free.
 * Source: kumahq/kuma, webhooks/injector and util.MeshOfByLabelOrAnnotation.
 */
export const kumaMesh = 'kuma.io/mesh';

/** Keys of Bulkhead itself. They cannot be released. */
export const ownKeys: readonly string[] = ['bulkhead.dev/'];

/**
 * On namespaces.
 * The tenant label stands under `bulkhead.dev/` by default and must be let through by whoever asks about a namespace's keys: its
 * value has a rule of its own. `kubernetes.io/metadata.name` is not listed: every namespace carries it, and the API server sets it.
 */
export const namespaceKeys: readonly string[] = [
  ...ownKeys,
  // Pod Security Admission: a label away from privileged pods (TEN-19). https://kubernetes.io/docs/concepts/security/pod-security-admission/
  'pod-security.kubernetes.io/',
  // PodNodeSelector and PodTolerationRestriction: node-selector, defaultTolerations, tolerationsWhitelist (TEN-20).
  'scheduler.alpha.kubernetes.io/',
  // Namespace isolation of Kubernetes before NetworkPolicy v1; still read by some plugins (TEN-21).
  'net.beta.kubernetes.io/',
  // Labels by which admission webhooks of the platform skip a namespace: kubebuilder's convention, and Gatekeeper's.
  'control-plane',
  'admission.gatekeeper.sh/',
  // The same (TEN-22): OPA's kube-mgmt, cert-manager, Knative and Tekton; Sigstore's policy controller, which can be set to check only
  // namespaces with its label; AKS' admissions enforcer, which excludes its label from every webhook configuration.
  'openpolicyagent.org/webhook',
  'cert-manager.io/disable-validation',
  'webhooks.knative.dev/exclude',
  'policy.sigstore.dev/',
  'kubernetes.azure.com/managedby',
  // Kubernetes: ResourceClaims of the namespace get devices that others hold; under its name of 1.33 and of 1.34 (TEN-22).
  // https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#admin-access
  'resource.k8s.io/admin-access',
  'resource.kubernetes.io/admin-access',
  // OpenShift: node-selector, sa.scc.*; PSA label sync; the groups that router policies select; multicast across namespaces (TEN-20).
  'openshift.io/',
  'security.openshift.io/',
  'network.openshift.io/',
  'policy-group.network.openshift.io/',
  'netnamespace.network.openshift.io/',
  // Rancher: which project, and so which owner, a namespace belongs to (TEN-13, CVE-2020-10676).
  'field.cattle.io/',
  // Hierarchical namespaces: parentage, included-namespace (TEN-15); and NAME.tree.hnc.x-k8s.io/depth, by which policies select all
  // descendants of a namespace (TEN-22). https://github.com/kubernetes-sigs/hierarchical-namespaces
  'hnc.x-k8s.io/',
  '*.tree.hnc.x-k8s.io/depth',
  // Istio: injection, revision, ambient capture, waypoint (TEN-21). https://istio.io/latest/docs/reference/config/labels/
  'istio-injection',
  'istio.io/',
  // Istio: the network of the pods, and so the gateway to them (TEN-22).
  'topology.istio.io/',
  // Kuma: injection, and whose mesh the pods join (TEN-22). https://kuma.io/docs/latest/reference/kubernetes-annotations/
  'kuma.io/sidecar-injection',
  kumaMesh,
  // Consul: whether the traffic of pods is captured (TEN-22). https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels
  'consul.hashicorp.com/transparent-proxy',
  // Linkerd: injection and the proxy's skipped ports, inherited by every pod. https://linkerd.io/2/reference/proxy-configuration/
  'linkerd.io/',
  'config.linkerd.io/',
  // Calico: IP pools and other address assignment (TEN-21). https://docs.tigera.io/calico/latest/reference/configure-cni-plugins
  'cni.projectcalico.org/',
  'projectcalico.org/',
  // Calico: the gateway, and so the address, by which traffic leaves the cluster.
  'egress.projectcalico.org/',
  // Cilium: identity labels, IP pools, namespaces shared with other clusters.
  'io.cilium.',
  'io.cilium/',
  'ipam.cilium.io/',
  'clustermesh.cilium.io/',
  // Antrea: IP pools.
  'ipam.antrea.io/',
  // Spiderpool: IP pools. https://spidernet-io.github.io/spiderpool/latest/reference/annotation/
  'ipam.spidernet.io/',
  // Kube-OVN: subnet, VPC; OVN-Kubernetes: user-defined networks, external gateways (TEN-21).
  'ovn.kubernetes.io/',
  'k8s.ovn.org/',
];

/** On pods: labels and annotations alike. */
export const podKeys: readonly string[] = [
  ...ownKeys,
  // Cilium: labels that read as the pod's namespace, cluster or policy identity (POD-06: CVE-2023-39347, GHSA-pfhr-pccp-hwmh).
  'io.cilium.',
  'io.cilium/',
  'io.kubernetes.pod.',
  // Cilium: the sources of its label notation, both ways of writing them, and keys that collide with its reserved identities; a pod labelled `host` or
  // `ingress` loses all policy enforcement (POD-06: cilium#48027, cilium#40791).
  'k8s:',
  'reserved:',
  'reserved.',
  'host',
  'ingress',
  'world',
  'world-ipv4',
  'world-ipv6',
  'health',
  'init',
  'remote-node',
  'kube-apiserver',
  'unmanaged',
  'cluster',
  'all',
  // Cilium: proxy visibility, no-track ports, MAC address, IP pool (POD-07: CVE-2023-41332).
  'policy.cilium.io/',
  'network.cilium.io/no-track-host-ports',
  'cni.cilium.io/',
  'ipam.cilium.io/',
  // Calico: addresses of the pod's choice (POD-07: CVE-2022-28224), and labels under which Calico keeps the namespace and
  // service account of an endpoint.
  'cni.projectcalico.org/ipAddrs',
  'cni.projectcalico.org/ipAddrsNoIpam',
  'cni.projectcalico.org/floatingIPs',
  'cni.projectcalico.org/hwAddr',
  'cni.projectcalico.org/allowedSourcePrefixes',
  'cni.projectcalico.org/ipv4pools',
  'cni.projectcalico.org/ipv6pools',
  'projectcalico.org/',
  'pcns.',
  'pcsa.',
  // Calico: the gateway by which traffic leaves the cluster, also one of another namespace.
  'egress.projectcalico.org/',
  // Antrea: addresses and IP pools.
  'ipam.antrea.io/',
  // Multus: a second network, also one of another namespace, that no NetworkPolicy governs (POD-07).
  'k8s.v1.cni.cncf.io/networks',
  'v1.multus-cni.io/default-network',
  // Kube-OVN and OVN-Kubernetes: subnet, address, gateway (POD-07).
  'ovn.kubernetes.io/',
  'k8s.ovn.org/',
  // Kube-OVN: the same of a second network, under PROVIDER.kubernetes.io (POD-25).
  '*.kubernetes.io/ip_address',
  '*.kubernetes.io/ip_pool',
  '*.kubernetes.io/mac_address',
  '*.kubernetes.io/logical_switch',
  // GKE: second networks, the interface of the default route, and addresses that are not the pod's (POD-25).
  'networking.gke.io/interfaces',
  'networking.gke.io/default-interface',
  'networking.gke.io/disable-source-ip-validation',
  // AKS: the virtual network of a tenant, pod-network and pod-network-instance (POD-25).
  'kubernetes.azure.com/pod-network',
  'kubernetes.azure.com/pod-network-',
  // Alibaba Cloud's Terway: networks, security groups, public addresses. Its elastic containers and its container compute: the same,
  // the address and name servers of a pod, a role of the cloud, whether policies are enforced (POD-25).
  'k8s.aliyun.com/pod-',
  'k8s.aliyun.com/ENI',
  'k8s.aliyun.com/ignore-by-terway',
  'k8s.aliyun.com/eci-vswitch',
  'k8s.aliyun.com/eci-security-group',
  'k8s.aliyun.com/eci-with-eip',
  'k8s.aliyun.com/eci-eip-instanceid',
  'k8s.aliyun.com/eci-ram-role-name',
  'k8s.aliyun.com/eci-private-ip-address',
  'k8s.aliyun.com/eci-fixed-ip',
  'k8s.aliyun.com/eci-enable-ipv6',
  'k8s.aliyun.com/eci-ipv6-bandwidth-enable',
  'k8s.aliyun.com/eci-custom-dnsconfig',
  'k8s.aliyun.com/eci-custom-hosts',
  'k8s.aliyun.com/eci-network-policy-enable',
  'network.alibabacloud.com/',
  'alibabacloud.com/enable-network-policy-agent',
  // Tencent's TKE: which networks (POD-25).
  'tke.cloud.tencent.com/networks',
  // Spiderpool: IP pools (POD-25).
  'ipam.spidernet.io/',
  // Runtimes: the configuration of Kata's machine, gVisor's flags (`network: host` among them), devices of the node such as
  // /dev/net/tun by CRI-O's old and new name (POD-25).
  'io.katacontainers.config.',
  'dev.gvisor.flag.',
  'io.kubernetes.cri-o.Devices',
  'io.kubernetes.cri-o.Devices/',
  'devices.crio.io',
  'devices.crio.io/',
  // Istio: leaving the mesh, or its capture of some ports (POD-08).
  'sidecar.istio.io/inject',
  'sidecar.istio.io/interceptionMode',
  'traffic.sidecar.istio.io/',
  'istio.io/dataplane-mode',
  'istio.io/use-waypoint',
  'istio.io/use-waypoint-namespace',
  'ambient.istio.io/bypass-inbound-capture',
  'ambient.istio.io/dns-capture',
  // Istio: other templates than the sidecar's, another control plane or interception, no mutual TLS (POD-25).
  'inject.istio.io/templates',
  'proxy.istio.io/config',
  'security.istio.io/tlsMode',
  // Linkerd: the same, and whom a pod lets in without an identity (POD-08).
  'linkerd.io/inject',
  'config.linkerd.io/skip-',
  'config.linkerd.io/default-inbound-policy',
  // Kuma: leaving the mesh, joining another, traffic that its proxy does not see, another control plane by the proxy's environment
  // (POD-25).
  'kuma.io/sidecar-injection',
  kumaMesh,
  'kuma.io/transparent-proxying',
  'kuma.io/gateway',
  'kuma.io/direct-access-services',
  'kuma.io/sidecar-env-vars',
  'traffic.kuma.io/exclude-',
  // Consul: the same, and pods that pass as a gateway (POD-25).
  'consul.hashicorp.com/connect-inject',
  'consul.hashicorp.com/transparent-proxy',
  'consul.hashicorp.com/transparent-proxy-exclude-',
  'consul.hashicorp.com/gateway-kind',
  'consul.hashicorp.com/envoy-extra-args',
  // KubeVirt: pods that pass as a virtual machine's (TEN-18: CVE-2025-64435).
  'kubevirt.io',
  'kubevirt.io/',
];

/**
 * Values of reserved keys that every requester may set, by key. An injector writes them on each pod of the mesh, in the name of the
 * requester; one only tightens. Only the platform removes such a key or gives it another value.
 */
export const freeValues: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['security.istio.io/tlsMode', new Set(['istio'])],
  ['inject.istio.io/templates', new Set(['sidecar'])],
  ['kuma.io/sidecar-injection', new Set(['enabled', 'true'])],
  ['kuma.io/transparent-proxying', new Set(['enabled'])],
  ['consul.hashicorp.com/connect-inject', new Set(['true'])],
  ['consul.hashicorp.com/transparent-proxy', new Set(['true'])],
  ['policy.sigstore.dev/include', new Set(['true'])],
  ['k8s.aliyun.com/eci-network-policy-enable', new Set(['true'])],
  ['network.alibabacloud.com/enable-network-policy-agent', new Set(['true'])],
  ['alibabacloud.com/enable-network-policy-agent', new Set(['true'])],
]);

/**
 * On network policies, labels and annotations alike (NP-20). Bulkhead's own keys are not among them: the tenant label and the mark of
 * what is managed have checks of their own. Nor are switches that only write logs, where the plugin keeps them apart.
 */
export const policyKeys: readonly string[] = [
  // OVN-Kubernetes: acl-stateless has packets let through without following their connections; acl-logging.
  'k8s.ovn.org/',
  // Kube-OVN: network_policy_enforcement `lax` holds TCP, UDP and SCTP back and nothing else; logging.
  'ovn.kubernetes.io/',
  // Cilium: labels of its own notation, by which policies are found and told apart.
  'policy.cilium.io/',
  'io.cilium.',
  'io.cilium/',
  // Calico: metadata that it keeps of policies of its own.
  'projectcalico.org/',
];
