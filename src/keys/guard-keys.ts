/** Keys that switch off or loosen what guards others: Pod Security, other webhooks, the nodes that others share. */
import type { KeyGroup } from './key-group.ts';

export const guardKeys: readonly KeyGroup[] = [
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
];
