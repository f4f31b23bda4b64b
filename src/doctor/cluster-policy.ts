/** The border in ClusterNetworkPolicies (network.clusterPolicy): whether it is there where it is wanted, and nowhere else. */
import {
  type ClusterPolicy,
  clusterPoliciesPath,
  clusterPolicyVersion,
  servesClusterPolicies,
} from '../baseline/cluster-policy.ts';
import { borderPriorities, dataPlaneBorder, tenantOfName } from '../baseline/data-plane-border.ts';
import { isManaged } from '../baseline/managed.ts';
import { valueAt } from '../kubernetes/json.ts';
import { commonDomain, domainFor, type Selector } from '../kubernetes/label-selector.ts';
import { parseSelector } from '../kubernetes/parse-selector.ts';
import type { DoctorCheck, Examination } from './check.ts';

const mostNamed = 5;

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
      fix: `give each of tier Admin a priority of its own, other than ${borderPriorities.pass} and ${borderPriorities.deny} with network.clusterPolicy`,
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
      else if (valueAt(object, 'spec', 'tier') === 'Admin') {
        const subject = parseSelector(valueAt(object, 'spec', 'subject', 'namespaces') ?? {});
        others.push({
          name,
          priority: valueAt(object, 'spec', 'priority'),
          subject: subject.ok ? subject.value : new Map(),
        });
      }
    });
    for (const [priority, some] of Map.groupBy(others, (one) => one.priority)) {
      const isOfBorder = isWanted && (priority === borderPriorities.pass || priority === borderPriorities.deny);
      const tied = some.filter(
        (one) => isOfBorder || some.some((two) => one !== two && meet(one.subject, two.subject)),
      );
      if (tied.length === 0) continue;
      found('cluster-policy-tie', {
        where: `ClusterNetworkPolicies of tier Admin: ${listed(tied.map(({ name }) => name))}`,
        why: isOfBorder ? `the border has the priority ${priority}` : `all of them have the priority ${priority}`,
      });
    }
    if (!isRead) return;
    if (isWanted) lookForMissing(own, examination);
    else if (own.size > 0)
      found('cluster-policy-left', { where: 'ClusterNetworkPolicies', why: `these are there: ${listed([...own])}` });
  },
};

interface Other {
  readonly name: string;
  readonly priority: unknown;
  readonly subject: Selector;
}

/** Whether one namespace may be selected by both. */
function meet(one: Selector, other: Selector): boolean {
  for (const [key, domain] of one) {
    const { absent, finite, values } = commonDomain(domain, domainFor(other, key));
    if (!absent && finite && values.size === 0) return false;
  }
  return true;
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
