/**
 * The API groups in which network plugins, meshes and clouds say who may talk to whom. What no kind of the table of kinds reads there is
 * refused to tenants (checks unknown-policy-kind and platform-kinds), so a group stands here as soon as one of its kinds can open,
 * redirect or reorder traffic.
 */
export interface PolicyGroup {
  readonly group: string;
  /**
   * What the agents of the network write, by plural resource. Not sent for review when an agent writes it: without it pods get no
   * network, or addresses do not move when a node fails (docs/decisions/0034).
   */
  readonly agentsWrite: readonly string[];
  /** Of these, what network.policyKinds may give to tenants as well. */
  readonly tenantsMayWrite?: readonly string[];
}

/** IPAM and what Felix reports: the same names in the group of the datastore and in that of Calico's own API server. */
const calicoAgentsWrite = [
  ...['blockaffinities', 'ipamblocks', 'ipamhandles', 'ipamconfigs', 'ipamconfigurations', 'ippools'],
  ...['clusterinformations', 'felixconfigurations', 'kubecontrollersconfigurations', 'caliconodestatuses'],
  ...['hostendpoints', 'workloadendpoints', 'bgpconfigurations', 'tiers'],
];

export const policyGroups: readonly PolicyGroup[] = [
  {
    group: 'cilium.io',
    agentsWrite: [
      ...['ciliumendpoints', 'ciliumendpointslices', 'ciliumidentities', 'ciliumnodes', 'ciliumbgpnodeconfigs'],
      // Of toGroups, the operator makes sets of addresses.
      ...['ciliumpodippools', 'ciliumcidrgroups'],
    ],
  },
  { group: 'projectcalico.org', agentsWrite: calicoAgentsWrite },
  { group: 'crd.projectcalico.org', agentsWrite: calicoAgentsWrite },
  { group: 'policy.networking.k8s.io', agentsWrite: [] },
  // The address of an Egress is written to its spec, and the node of an EgressIP is written without the subresource.
  { group: 'crd.antrea.io', agentsWrite: ['antreaagentinfos', 'antreacontrollerinfos', 'tiers', 'egresses'] },
  { group: 'k8s.ovn.org', agentsWrite: ['egressips'] },
  {
    group: 'kubeovn.io',
    agentsWrite: ['ips', 'vips', 'ippools', 'subnets', 'vpcs', 'vlans', 'provider-networks'],
  },
  { group: 'k8s.cni.cncf.io', agentsWrite: ['ipamclaims'] },
  { group: 'networking.k8s.aws', agentsWrite: ['policyendpoints', 'clusterpolicyendpoints'] },
  { group: 'vpcresources.k8s.aws', agentsWrite: ['cninodes'] },
  { group: 'networking.gke.io', agentsWrite: ['networks', 'nodetopologies', 'servicenetworkendpointgroups'] },
  { group: 'network.openshift.io', agentsWrite: ['clusternetworks', 'hostsubnets', 'netnamespaces'] },
  { group: 'networking.istio.io', agentsWrite: [] },
  { group: 'security.istio.io', agentsWrite: [] },
  { group: 'extensions.istio.io', agentsWrite: [] },
  { group: 'policy.linkerd.io', agentsWrite: [] },
  {
    group: 'kuma.io',
    agentsWrite: [
      ...['dataplanes', 'dataplaneinsights', 'meshinsights', 'serviceinsights', 'zoneinsights'],
      ...['zoneingresses', 'zoneingressinsights', 'zoneegresses', 'zoneegressinsights'],
    ],
  },
  { group: 'consul.hashicorp.com', agentsWrite: [] },
  { group: 'multicluster.x-k8s.io', agentsWrite: ['serviceimports'], tenantsMayWrite: ['serviceimports'] },
];

export const policyGroupNames: ReadonlySet<string> = new Set(policyGroups.map(({ group }) => group));

const byGroup: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  policyGroups.map(({ group, agentsWrite }) => [group, new Set(agentsWrite)]),
);

export function agentsWriteIn(group: string): readonly string[] {
  return [...(byGroup.get(group) ?? [])];
}

/** @param resource the plural, without a subresource */
export function agentsWrite(group: string, resource: string): boolean {
  return byGroup.get(group)?.has(resource) === true;
}

/** @param resource the plural, without a subresource */
export function onlyAgentsWrite(group: string, resource: string): boolean {
  const known = policyGroups.find((one) => one.group === group);
  return agentsWrite(group, resource) && known?.tenantsMayWrite?.includes(resource) !== true;
}
