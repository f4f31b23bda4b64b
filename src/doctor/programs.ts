/**
 * Network plugins and meshes, by the DaemonSet or Deployment that runs them. Names alone prove little: an object counts only in a
 * namespace of the platform, or in the namespace that its maker installs it into, and never in a namespace of a tenant.
 * State of knowledge: 2026-11.
 */
export interface Program {
  /** As the advisories name it. */
  readonly program: string;
  readonly kind: 'DaemonSet' | 'Deployment';
  /** Of the object. */
  readonly name: string;
  /** The namespaces in which its maker installs it, beside those of the settings. */
  readonly namespaces: readonly string[];
  /** The base name of the image by whose tag its version is known. Left out: its version is not known. */
  readonly image?: string;
  /**
   * Whether it enforces NetworkPolicies: always, never, from a version on, or only with a container of this name beside it, or with a
   * switch among the arguments of that container, or of any. Left out: it is no network plugin.
   */
  readonly enforces?: boolean | { readonly from: string } | Needs;
  /** What it reads its options from, and values of them with which it enforces nothing. */
  readonly options?: Options;
  /** Where that is written. */
  readonly source: string;
}

export interface Options {
  /** The name of a ConfigMap in the namespace of the object. */
  readonly configMap: string;
  /** By key of its data. */
  readonly off: Readonly<Record<string, (value: string) => boolean>>;
}

export interface Needs {
  readonly withContainer?: string;
  /** Of the command line, for example `--run-firewall`, and what holds without it. */
  readonly flag?: { readonly name: string; readonly byDefault: boolean };
}

const inSystem = ['kube-system'];

/** Source: strconv.ParseBool of Go. */
export const isTrue = (text: string): boolean => ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text);

export const programs: readonly Program[] = [
  {
    ...{ program: 'Cilium', kind: 'DaemonSet', name: 'cilium', namespaces: ['kube-system', 'cilium'] },
    ...{ image: 'cilium', enforces: true, source: 'https://docs.cilium.io/en/stable/security/policy/' },
    options: {
      configMap: 'cilium-config',
      off: {
        'enable-policy': (mode) => mode.toLowerCase() === 'never',
        'enable-k8s-networkpolicy': (isOn) => !isTrue(isOn),
        'policy-audit-mode': isTrue,
      },
    },
  },
  {
    ...{ program: 'GKE Dataplane V2', kind: 'DaemonSet', name: 'anetd', namespaces: inSystem },
    ...{ enforces: true, source: 'https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2' },
  },
  {
    ...{ program: 'Calico', kind: 'DaemonSet', name: 'calico-node', namespaces: ['kube-system', 'calico-system'] },
    ...{ image: 'node', enforces: true, source: 'https://docs.tigera.io/calico/latest/network-policy/' },
  },
  {
    ...{ program: 'Calico', kind: 'DaemonSet', name: 'canal', namespaces: inSystem },
    ...{
      image: 'node',
      enforces: true,
      source: 'https://docs.tigera.io/calico/latest/getting-started/kubernetes/flannel/',
    },
  },
  {
    ...{ program: 'Calico', kind: 'DaemonSet', name: 'rke2-canal', namespaces: inSystem },
    ...{ enforces: true, source: 'https://docs.rke2.io/networking/basic_network_options' },
  },
  {
    ...{ program: 'Antrea', kind: 'DaemonSet', name: 'antrea-agent', namespaces: inSystem },
    ...{
      image: 'antrea-agent-ubuntu',
      enforces: true,
      source: 'https://antrea.io/docs/main/docs/antrea-network-policy/',
    },
  },
  {
    ...{ program: 'kube-router', kind: 'DaemonSet', name: 'kube-router', namespaces: inSystem },
    ...{ image: 'kube-router', enforces: { flag: { name: '--run-firewall', byDefault: true } } },
    source: 'https://www.kube-router.io/docs/user-guide/',
  },
  {
    ...{ program: 'OVN-Kubernetes', kind: 'DaemonSet', name: 'ovnkube-node' },
    ...{ namespaces: ['ovn-kubernetes', 'openshift-ovn-kubernetes'], enforces: true },
    source: 'https://ovn-kubernetes.io/features/network-security-controls/network-policy/',
  },
  {
    ...{ program: 'Kube-OVN', kind: 'DaemonSet', name: 'kube-ovn-cni', namespaces: inSystem },
    ...{ image: 'kube-ovn', enforces: true, source: 'https://kubeovn.github.io/docs/stable/en/' },
  },
  {
    ...{ program: 'Weave Net', kind: 'DaemonSet', name: 'weave-net', namespaces: inSystem },
    ...{ enforces: { withContainer: 'weave-npc' }, source: 'https://github.com/weaveworks/weave' },
  },
  {
    ...{ program: 'AWS VPC CNI', kind: 'DaemonSet', name: 'aws-node', namespaces: inSystem },
    enforces: { withContainer: 'aws-eks-nodeagent', flag: { name: '--enable-network-policy', byDefault: false } },
    source: 'https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html',
  },
  {
    ...{ program: 'Azure NPM', kind: 'DaemonSet', name: 'azure-npm', namespaces: inSystem },
    ...{ enforces: true, source: 'https://learn.microsoft.com/azure/aks/use-network-policies' },
  },
  {
    ...{ program: 'kube-network-policies', kind: 'DaemonSet', name: 'kube-network-policies', namespaces: inSystem },
    ...{ enforces: true, source: 'https://github.com/kubernetes-sigs/kube-network-policies' },
  },
  {
    ...{ program: 'kindnet', kind: 'DaemonSet', name: 'kindnet', namespaces: inSystem },
    ...{ image: 'kindnetd', enforces: { from: '20240813' } },
    source: 'https://github.com/kubernetes-sigs/kind/releases/tag/v0.24.0',
  },
  {
    ...{ program: 'flannel', kind: 'DaemonSet', name: 'kube-flannel-ds', namespaces: ['kube-system', 'kube-flannel'] },
    ...{
      enforces: false,
      source:
        'https://github.com/flannel-io/flannel: "Flannel ... doesn\'t control how containers are networked to the host"',
    },
  },
  {
    ...{ program: 'Multus', kind: 'DaemonSet', name: 'kube-multus-ds', namespaces: inSystem },
    ...{ enforces: false, source: 'https://github.com/k8snetworkplumbingwg/multus-cni: it calls other plugins' },
  },
  {
    ...{ program: 'Istio', kind: 'Deployment', name: 'istiod', namespaces: ['istio-system'] },
    ...{ image: 'pilot', source: 'https://istio.io/latest/docs/ops/deployment/architecture/' },
  },
];
