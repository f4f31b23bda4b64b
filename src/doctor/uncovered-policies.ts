/** Kinds that open, redirect or reorder traffic and that Bulkhead does not judge (docs/limits.md). They act without any NetworkPolicy. */
import { servedResources } from '../configuration/served-resources.ts';
import { kinds } from '../kinds/kinds.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import type { Examination } from './check.ts';

/** By API group, the plural resources. */
const known: Readonly<Record<string, readonly string[]>> = {
  'policy.networking.k8s.io': ['adminnetworkpolicies', 'baselineadminnetworkpolicies', 'clusternetworkpolicies'],
  'cilium.io': [
    ...['ciliumnetworkpolicies', 'ciliumclusterwidenetworkpolicies', 'ciliumcidrgroups', 'ciliumlocalredirectpolicies'],
    ...['ciliumegressgatewaypolicies', 'ciliumenvoyconfigs', 'ciliumclusterwideenvoyconfigs'],
    // By these the agents know whose an address is.
    ...['ciliumendpoints', 'ciliumendpointslices', 'ciliumidentities', 'ciliumnodes'],
  ],
  'projectcalico.org': [
    'networkpolicies',
    'globalnetworkpolicies',
    'networksets',
    'globalnetworksets',
    'tiers',
    'ippools',
    'hostendpoints',
    'felixconfigurations',
  ],
  'crd.projectcalico.org': [
    ...['networkpolicies', 'globalnetworkpolicies', 'networksets', 'globalnetworksets', 'tiers', 'ippools'],
    ...['hostendpoints', 'felixconfigurations'],
  ],
  'crd.antrea.io': ['networkpolicies', 'clusternetworkpolicies', 'tiers', 'groups', 'clustergroups', 'egresses'],
  'k8s.ovn.org': [
    ...['egressfirewalls', 'egressips', 'adminpolicybasedexternalroutes', 'userdefinednetworks'],
    'clusteruserdefinednetworks',
  ],
  'kubeovn.io': ['subnets', 'vpcs', 'security-groups'],
  // What the agents of Amazon EKS enforce is in PolicyEndpoints.
  'networking.k8s.aws': ['policyendpoints'],
  'k8s.cni.cncf.io': ['network-attachment-definitions', 'multi-networkpolicies'],
  'security.istio.io': ['authorizationpolicies', 'peerauthentications', 'requestauthentications'],
  'networking.istio.io': ['envoyfilters', 'serviceentries', 'sidecars', 'virtualservices', 'destinationrules'],
  'policy.linkerd.io': ['authorizationpolicies', 'serverauthorizations', 'servers'],
  'kuma.io': ['meshtrafficpermissions', 'trafficpermissions'],
};

const never = new AbortController().signal;

export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** Those of the list that the API server serves. What fails is reported. */
export async function servedUncovered({
  get,
  connection,
  notLookedAt,
}: Pick<Examination, 'get' | 'connection' | 'notLookedAt'>): Promise<readonly GroupResource[]> {
  const groups = valueAt(await get('/apis'), 'groups');
  if (!Array.isArray(groups)) return [];
  const found: GroupResource[] = [];
  for (const one of groups.filter(isMap)) {
    const group = String(one.name);
    if (!Object.hasOwn(known, group) || !Array.isArray(one.versions)) continue;
    const versions = one.versions.filter(isMap).map(({ groupVersion }) => String(groupVersion));
    try {
      const served = await servedResources(connection, versions, never);
      for (const resource of known[group] ?? [])
        if (!isCovered(group, resource) && [...served.values()].some((resources) => resources?.has(resource)))
          found.push({ group, resource });
    } catch (error) {
      // The server of an aggregated group may be down.
      notLookedAt(`policy kinds of ${group}`, `discovery: ${error instanceof Error ? error.message : error}`);
    }
  }
  return found;
}

function isCovered(group: string, resource: string): boolean {
  return kinds.some((kind) => kind.group === group && kind.plural === resource);
}
