/**
 * The label and annotation keys that no tenant may set, whatever the settings say beside them.
 *
 * A key is listed when setting it changes whose an object is, or by whose rules it is treated. Keys that ordinary controllers put on
 * every pod (`pod-template-hash`, `app.kubernetes.io/*`, `statefulset.kubernetes.io/*`, `batch.kubernetes.io/*`,
 * `topology.kubernetes.io/*`) are not, nor are keys that a network plugin only writes to report (`cni.projectcalico.org/podIP`,
 * `k8s.v1.cni.cncf.io/network-status`), nor those by which a pod only limits itself (`kubernetes.io/egress-bandwidth`).
 *
 * Some listed keys are also written by add-ons of the platform: Istio's injector (`traffic.sidecar.istio.io/`, when Istio CNI is on),
 * OVN-Kubernetes and Kube-OVN (addresses of a pod), KubeVirt (the pods of its machines). Where such an add-on runs, its service account
 * belongs among the platform identities, or its keys among the released ones (settings: `platform.identities`, `reserved.released`).
 */

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
  // OpenShift: node-selector, sa.scc.*; PSA label sync; the groups that router policies select; multicast across namespaces (TEN-20).
  'openshift.io/',
  'security.openshift.io/',
  'network.openshift.io/',
  'policy-group.network.openshift.io/',
  'netnamespace.network.openshift.io/',
  // Rancher: which project, and so which owner, a namespace belongs to (TEN-13, CVE-2020-10676).
  'field.cattle.io/',
  // Hierarchical namespaces: parentage, included-namespace (TEN-15).
  'hnc.x-k8s.io/',
  // Istio: injection, revision, ambient capture, waypoint (TEN-21). https://istio.io/latest/docs/reference/config/labels/
  'istio-injection',
  'istio.io/',
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
  // Istio: leaving the mesh, or its capture of some ports (POD-08).
  'sidecar.istio.io/inject',
  'sidecar.istio.io/interceptionMode',
  'traffic.sidecar.istio.io/',
  'istio.io/dataplane-mode',
  'istio.io/use-waypoint',
  'istio.io/use-waypoint-namespace',
  'ambient.istio.io/bypass-inbound-capture',
  'ambient.istio.io/dns-capture',
  // Linkerd: the same, and whom a pod lets in without an identity (POD-08).
  'linkerd.io/inject',
  'config.linkerd.io/skip-',
  'config.linkerd.io/default-inbound-policy',
  // KubeVirt: pods that pass as a virtual machine's (TEN-18: CVE-2025-64435).
  'kubevirt.io',
  'kubevirt.io/',
];

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
