/**
 * Kinds of the policy groups that are the platform's by name, and what one object of them does beyond the border of a tenant. Sources:
 * the references of Cilium 1.20, Calico 3.32, Antrea 2.4, OVN-Kubernetes 1.2, Kube-OVN 1.14 and network-policy-api 0.3.
 */
export interface PlatformKind {
  /** Follows the name of the resource in a refusal. */
  readonly does: string;
  /** Whether network.policyKinds may give it to tenants, in their namespaces. */
  readonly grantable: boolean;
}

/** Plural resources of a group, with what they do. */
type Kinds = Readonly<Record<string, string>>;

const clusterPolicy = 'selects pods of every namespace, and takes precedence over the policies of tenants';

const calico: Kinds = {
  globalnetworkpolicies: clusterPolicy,
  stagedglobalnetworkpolicies: 'becomes a GlobalNetworkPolicy, which selects pods of every namespace',
  globalnetworksets: 'gives addresses the labels by which policies of every namespace select',
  tiers: 'decides the order in which policies of every namespace count',
  hostendpoints: 'is the address of a node, to which policies of every namespace apply',
  profiles: 'allows traffic of pods that no policy selects, in every namespace that names it',
  ippools: 'decides where pods of every namespace get their addresses',
  felixconfigurations: 'decides how nodes enforce all policies',
  kubecontrollersconfigurations: 'decides which labels and endpoints Calico makes of objects of every namespace',
  clusterinformations: 'tells every node how the datastore of Calico is to be read',
  bgpconfigurations: 'decides which addresses nodes announce',
  bgppeers: 'decides with whom nodes exchange routes',
  bgpfilters: 'decides which routes nodes exchange',
  blockaffinities: 'decides which node has a block of pod addresses',
  ipamblocks: 'says which pod has which address',
  ipamhandles: 'says which pod has which address',
  ipreservations: 'keeps addresses from pods of every namespace',
  workloadendpoints: 'says which addresses and labels a pod has, which policies of every namespace select by',
};

const kinds: Readonly<Record<string, Kinds>> = {
  'cilium.io': {
    ciliumclusterwidenetworkpolicies: clusterPolicy,
    ciliumcidrgroups: 'is a set of addresses that policies of every namespace open',
    ciliumegressgatewaypolicies: 'sends traffic of pods of every namespace out by another address',
    ciliumclusterwideenvoyconfigs: 'takes over traffic to services of every namespace',
    ciliumnodeconfigs: 'decides how nodes enforce all policies',
    ciliumendpoints: 'says which identity an address has, by which policies of every namespace decide',
    ciliumendpointslices: 'says which identity addresses have, by which policies of every namespace decide',
    ciliumidentities: 'says which labels an identity has, by which policies of every namespace decide',
    ciliumnodes: 'says which addresses and keys a node has',
    ciliumpodippools: 'decides where pods of every namespace get their addresses',
    ciliumloadbalancerippools: 'decides which addresses services of every namespace get',
    ciliuml2announcementpolicies: 'announces addresses of services of every namespace',
    ciliumbgpclusterconfigs: 'decides with whom nodes exchange routes',
    ciliumbgpnodeconfigs: 'decides with whom a node exchanges routes',
    ciliumbgppeerconfigs: 'decides with whom nodes exchange routes',
    ciliumbgpadvertisements: 'decides which routes nodes announce',
  },
  'projectcalico.org': calico,
  'crd.projectcalico.org': calico,
  'policy.networking.k8s.io': {
    clusternetworkpolicies: clusterPolicy,
    adminnetworkpolicies: clusterPolicy,
    baselineadminnetworkpolicies: 'decides about pods of every namespace that no policy of a tenant isolates',
  },
  'crd.antrea.io': {
    clusternetworkpolicies: clusterPolicy,
    clustergroups: 'is a set of pods and addresses that policies of every namespace name',
    tiers: 'decides the order in which policies of every namespace count',
    egresses: 'sends traffic of pods of every namespace out by another address',
    externalippools: 'decides which addresses services and pods of every namespace get',
    trafficcontrols: 'mirrors or redirects traffic of pods of every namespace',
  },
  'k8s.ovn.org': {
    egressips: 'sends traffic of pods of every namespace out by another address',
    adminpolicybasedexternalroutes: 'routes traffic of pods of every namespace',
    clusteruserdefinednetworks: 'joins pods of several namespaces in one network',
  },
  'kubeovn.io': {
    subnets: 'is the network of whole namespaces, and decides which others reach it',
    vpcs: 'joins networks of several namespaces',
    ips: 'says which pod has which address',
  },
  'networking.k8s.aws': {
    policyendpoints: 'is what nodes enforce of the policies of a pod',
    clusterpolicyendpoints: 'is what nodes enforce of the policies of pods of every namespace',
    clusternetworkpolicies: clusterPolicy,
  },
};

/** What an object of these does inside a namespace follows from its fields, in part (checks/platform-kinds.ts). */
const grantable: Readonly<Record<string, Kinds>> = {
  'cilium.io': {
    ciliumlocalredirectpolicies:
      'takes over traffic that pods of every tenant on a node send to a service or an address',
    ciliumenvoyconfigs: 'runs listeners in the proxy of the nodes, which reach what the proxy reaches',
  },
};

/** By `RESOURCE.GROUP`. */
export const platformKinds: ReadonlyMap<string, PlatformKind> = new Map([
  ...entriesOf(kinds, false),
  ...entriesOf(grantable, true),
]);

function entriesOf(groups: typeof kinds, isGrantable: boolean): readonly (readonly [string, PlatformKind])[] {
  return Object.entries(groups).flatMap(([group, resources]) =>
    Object.entries(resources).map(
      ([resource, does]) => [`${resource}.${group}`, { does, grantable: isGrantable }] as const,
    ),
  );
}

/** @param resource the plural, without a subresource */
export function platformKindOf(group: string, resource: string): PlatformKind | undefined {
  return platformKinds.get(`${resource}.${group}`);
}
