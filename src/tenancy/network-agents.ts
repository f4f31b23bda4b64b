/** The accounts of network plugins and meshes, by which their agents write endpoints, identities and addresses (settings: `platform.networkAgents`). */
import type { UserInfo } from '../kubernetes/user.ts';
import { meshGroups } from './mesh-namespaces.ts';
import { agentsWrite } from './policy-groups.ts';
import type { NetworkAgent } from './settings.ts';
import type { Subject } from './tenant.ts';

function accounts(namespace: string, ...names: readonly string[]): readonly Subject[] {
  return names.map((name) => ({ kind: 'ServiceAccount', namespace, name }));
}

function users(...names: readonly string[]): readonly Subject[] {
  return names.map((name) => ({ kind: 'User', name }));
}

const calico = ['calico-node', 'calico-kube-controllers', 'calico-cni-plugin', 'calico-typha'];
const calicoGroups = ['crd.projectcalico.org', 'projectcalico.org', 'policy.networking.k8s.io'];
const ovnGroups = ['k8s.ovn.org', 'k8s.cni.cncf.io', 'policy.networking.k8s.io'];

/**
 * As the projects install themselves: Helm charts, operators and managed clusters. No tenant can become one of them: each name of a
 * namespace is the platform's (parse-settings.ts), and a user name that begins with `system:` or `eks:` is given by the cluster.
 */
export const builtInAgents: readonly NetworkAgent[] = [
  {
    subjects: [
      ...accounts('kube-system', 'cilium', 'cilium-operator'),
      ...accounts('cilium', 'cilium', 'cilium-operator'),
    ],
    groups: ['cilium.io', 'multicluster.x-k8s.io', 'policy.networking.k8s.io'],
    every: false,
  },
  {
    subjects: [...accounts('kube-system', ...calico, 'canal'), ...accounts('calico-system', ...calico)],
    groups: calicoGroups,
    every: false,
  },
  {
    // What Calico's own API server is asked for, it writes to crd.projectcalico.org by its own name.
    subjects: [
      ...accounts('calico-apiserver', 'calico-apiserver'),
      ...accounts('calico-system', 'calico-apiserver'),
      ...accounts('tigera-operator', 'tigera-operator'),
    ],
    groups: calicoGroups,
    every: true,
  },
  {
    subjects: accounts('kube-system', 'antrea-agent', 'antrea-controller'),
    groups: ['crd.antrea.io', 'policy.networking.k8s.io'],
    every: false,
  },
  {
    subjects: [
      ...accounts('ovn-kubernetes', 'ovnkube-cluster-manager', 'ovnkube-control-plane', 'ovnkube-node'),
      ...accounts('openshift-ovn-kubernetes', 'ovn-kubernetes-control-plane', 'ovn-kubernetes-node'),
    ],
    groups: ovnGroups,
    every: false,
  },
  {
    subjects: accounts('kube-system', 'ovn-ovs', 'kube-ovn-app', 'kube-ovn-cni'),
    groups: ['kubeovn.io'],
    every: false,
  },
  // The controller writes labels and states to objects of every kind, most of them cluster-scoped.
  { subjects: accounts('kube-system', 'ovn'), groups: ['kubeovn.io'], every: true },
  { subjects: accounts('openshift-sdn', 'sdn', 'sdn-controller'), groups: ['network.openshift.io'], every: false },
  {
    subjects: [
      ...accounts('kube-system', 'aws-node', 'amazon-network-policy-controller-k8s'),
      ...users('eks:network-policy-controller', 'eks:vpc-resource-controller'),
    ],
    groups: ['networking.k8s.aws', 'vpcresources.k8s.aws'],
    every: false,
  },
  {
    subjects: users('system:controller:glbc', 'system:gcp-controller-manager', 'system:l7-lb-controller'),
    groups: ['networking.gke.io'],
    every: false,
  },
  { subjects: accounts('istio-system', 'istiod'), groups: meshGroups, every: false },
  { subjects: accounts('linkerd', 'linkerd-destination'), groups: ['policy.linkerd.io'], every: false },
  // It makes the default Mesh, and copies of what is written in other clusters.
  { subjects: accounts('kuma-system', 'kuma-control-plane'), groups: ['kuma.io'], every: true },
];

/** What a request of an agent writes. */
export interface AgentWrite {
  readonly group: string;
  /** The plural. */
  readonly resource: string;
  readonly subresource: string;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
}

/** Whether it is an agent's account, and the write is one of its own. */
export type IsAgentsWrite = (user: UserInfo, write: AgentWrite) => boolean;

/**
 * Of its groups an agent writes every status, everything inside namespaces, and of what is cluster-scoped that which agents write.
 *
 * @param nameOf a subject as the API server says it of a request
 */
export function compileAgents(agents: readonly NetworkAgent[], nameOf: (subject: Subject) => string): IsAgentsWrite {
  const byUser = new Map<string, NetworkAgent[]>();
  for (const agent of agents)
    for (const subject of agent.subjects) byUser.set(nameOf(subject), [...(byUser.get(nameOf(subject)) ?? []), agent]);
  return ({ username }, { group, resource, subresource, namespace }) =>
    byUser
      .get(username)
      ?.some(
        ({ groups, every }) =>
          groups.includes(group) &&
          (every || namespace !== '' || subresource === 'status' || agentsWrite(group, resource)),
      ) === true;
}
