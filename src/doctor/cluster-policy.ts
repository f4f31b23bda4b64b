/** The border in ClusterNetworkPolicies (network.clusterPolicy): whether it is there where it is wanted, and nowhere else. */
import {
  type ClusterPolicy,
  clusterPoliciesPath,
  clusterPolicyVersion,
  servesClusterPolicies,
} from '../baseline/cluster-policy.ts';
import { borderPriorities, dataPlaneBorder, tenantOfName } from '../baseline/data-plane-border.ts';
import { isManaged } from '../baseline/managed.ts';
import { areTied } from '../reach/admin-ties.ts';
import { type AdminPolicy, readAdminPolicy } from '../reach/dialects/admin-policy.ts';
import type { DoctorCheck, Examination } from './check.ts';

const mostNamed = 5;
const borders: ReadonlySet<number | undefined> = new Set(Object.values(borderPriorities));

export const clusterPolicy: DoctorCheck = {
  about: 'border in ClusterNetworkPolicies',
  findings: {
    'cluster-policy-missing': {
      severity: 'error',
      meaning: 'network.clusterPolicy has no effect: the API server does not serve ClusterNetworkPolicy v1alpha2',
      fix: 'install its definition, with a network plugin that enforces it, or remove the setting',
    },
    'cluster-policy-incomplete': {
      severity: 'error',
      meaning: 'the network does not keep the whole border of a tenant, as ClusterNetworkPolicies are missing',
      fix: 'look at the condition BorderInNetwork of the Tenant, or at the log of Bulkhead',
    },
    'cluster-policy-left': {
      severity: 'warning',
      meaning:
        'ClusterNetworkPolicies of Bulkhead are there, and the settings want none, so they deny what may be agreed later',
      fix: 'delete those with the label app.kubernetes.io/managed-by=bulkhead',
    },
    'cluster-policy-tie': {
      severity: 'warning',
      meaning:
        'ClusterNetworkPolicies of the same pods share a priority, with each other or with the border, and which counts first is not defined',
      fix: `give each of a tier a priority of its own, other than ${borderPriorities.pass} and ${borderPriorities.deny} with network.clusterPolicy`,
    },
  },
  async look(examination) {
    const { tenancy, get, list, found } = examination;
    const { clusterPolicy, enforcement } = tenancy.settings;
    const isWanted = clusterPolicy !== undefined && enforcement === 'enforce';
    if (!servesClusterPolicies(await get(`/apis/${clusterPolicyVersion}`))) {
      if (isWanted)
        found('cluster-policy-missing', { where: 'settings', why: `${clusterPolicyVersion} is not served` });
      return;
    }
    const own = new Set<string>();
    const others: Other[] = [];
    const isRead = await list([clusterPoliciesPath], ({ metadata: { name }, object }) => {
      if (isManaged(object) && tenantOfName(name) !== undefined) own.add(name);
      else others.push({ name, ...readAdminPolicy('ClusterNetworkPolicy', object) });
    });
    for (const some of Map.groupBy(others, ({ tier, priority }) => `${tier} ${priority}`).values()) {
      const [{ tier, priority }] = some as [Other];
      const isOfBorder = isWanted && tier === 'Admin' && borders.has(priority);
      const tied = some.filter((one) => isOfBorder || some.some((two) => one !== two && areTied(one, two)));
      if (tied.length === 0) continue;
      found('cluster-policy-tie', {
        where: `ClusterNetworkPolicies of tier ${tier}: ${listed(tied.map(({ name }) => name))}`,
        why: isOfBorder ? `the border has the priority ${priority}` : `all of them have the priority ${priority}`,
      });
    }
    if (!isRead) return;
    if (isWanted) lookForMissing(own, examination);
    else if (own.size > 0)
      found('cluster-policy-left', { where: 'ClusterNetworkPolicies', why: `these are there: ${listed([...own])}` });
  },
};

interface Other extends AdminPolicy {
  readonly name: string;
}

function lookForMissing(own: ReadonlySet<string>, { tenancy, now, found }: Examination): void {
  for (const tenant of tenancy.tenants.values()) {
    if (tenant.mode !== 'enforce' || !tenancy.declares(tenant)) continue;
    const { passes, denies } = dataPlaneBorder(tenant, tenancy, now);
    const nameOf = ({ metadata }: ClusterPolicy) => metadata.name;
    const missing = [...passes, ...denies].map(nameOf).filter((name) => !own.has(name));
    if (missing.length > 0)
      found('cluster-policy-incomplete', { where: `Tenant ${tenant.name}`, why: `not there: ${listed(missing)}` });
  }
}

function listed(names: readonly string[]): string {
  const more = names.length > mostNamed ? `, and ${names.length - mostNamed} more` : '';
  return `${names.slice(0, mostNamed).join(', ')}${more}`;
}
