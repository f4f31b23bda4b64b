/**
 * What the baselines would cut off in a cluster that is in use, and which stored policies would be rejected today. Reads namespaces, policies
 * and pods once, and keeps no more of a pod than a number: the pods of a cluster are many.
 */
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { judgeStoredPolicy, type NonCompliantPolicy } from '../admission/stored-policy.ts';
import { baselineOf, defaultDenyName } from '../baseline/baseline.ts';
import { locateCluster } from '../client/location.ts';
import { type ClusterReader, readCluster, Unreadable } from '../facts/cluster-reader.ts';
import { namespaceRecord, namespacesPath } from '../facts/namespaces.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import { policyKinds } from '../kinds/policy-kind.ts';
import { collectionPaths } from '../kinds/resource-name.ts';
import { cutOff } from '../reach/isolation.ts';
import type { Isolation } from '../reach/model.ts';
import { table } from '../report/table.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { defineCommand } from './command.ts';
import { kubeconfigOption, tenancyOptions } from './shared-options.ts';

/** A namespace of a tenant: how many pods it has, how many of them lose what, and the names of the first of those. */
interface Row {
  readonly namespace: string;
  readonly tenant: Tenant;
  readonly isolations: Isolation[];
  pods: number;
  readonly lost: { ingress: number; egress: number };
  readonly names: string[];
  losing: number;
}

const namesShown = 3;

export const command = defineCommand({
  summary: 'report, read-only, which pods the baseline would cut off and which policies would be rejected',
  options: { ...tenancyOptions, kubeconfig: kubeconfigOption },
  async run(values, { print, environment }) {
    const { value: fromFiles } = orCannotStart(await readTenancy(values));
    const location = locateCluster(values.kubeconfig, environment);
    if (location === undefined) throw new CannotStart('audit needs a cluster to look at: give --kubeconfig FILE');
    const reader = readCluster(location);
    try {
      const tell = (_: unknown, message: string): void => print(message);
      const log = { info: () => {}, warn: tell, error: tell };
      const tenancy = values.tenants === undefined ? await reader.tenancy(fromFiles.settings, log) : fromFiles;
      const { rows, nonCompliant } = await survey(reader, tenancy);
      for (const line of [...report(rows, tenancy), ...reportNonCompliant(nonCompliant, tenancy)]) print(line);
      return 0;
    } catch (error) {
      throw error instanceof Unreadable ? new CannotStart(error.message) : error;
    } finally {
      reader.close();
    }
  },
});

interface Survey {
  /** Every namespace that would get a baseline. */
  readonly rows: readonly Row[];
  readonly nonCompliant: readonly NonCompliantPolicy[];
}

async function survey(reader: ClusterReader, tenancy: Tenancy): Promise<Survey> {
  const rows = new Map<string, Row>();
  const nonCompliant: NonCompliantPolicy[] = [];
  const namespaces = createNamespaceStore(() => tenancy);
  const now = Date.now();
  await reader.each(namespacesPath, (object) => {
    const record = namespaceRecord(object);
    const { name, labels, terminating } = record;
    namespaces.set(record);
    const tenant = tenancy.ownerByLabels(labels);
    if (terminating || tenant === 'platform') return;
    const lost = { ingress: 0, egress: 0 };
    rows.set(name, { namespace: name, tenant, isolations: [], pods: 0, lost, names: [], losing: 0 });
  });
  for (const kind of policyKinds)
    await reader.eachServed(collectionPaths(kind), ({ metadata, object }) => {
      const reach = kind.read(object);
      rows.get(metadata.namespace)?.isolations.push(...reach.isolates);
      const found = judgeStoredPolicy(kind, object, { tenancy, namespaces, now }, reach);
      if (found !== undefined) nonCompliant.push(found);
    });
  await reader.each('/api/v1/pods', ({ metadata, object }) => {
    const row = rows.get(metadata.namespace);
    const lost = row && cutOff(object, row.isolations);
    if (row === undefined || lost === undefined) return;
    row.pods++;
    if (lost.length === 0) return;
    row.losing++;
    for (const direction of lost) row.lost[direction]++;
    if (row.names.length < namesShown) row.names.push(metadata.name);
  });
  return { rows: [...rows.values()], nonCompliant };
}

/** The mode of a tenant that nobody has declared is unknown, and no baseline is begun for it. */
function report(rows: readonly Row[], tenancy: Tenancy): readonly string[] {
  const { settings } = tenancy;
  const modeOf = (tenant: Tenant): string => (tenancy.declares(tenant) ? tenant.mode : 'unknown');
  const losing = rows.filter((row) => row.losing > 0);
  const of = `of the ${rows.length} namespaces with the label ${settings.tenantLabel}`;
  if (losing.length === 0) return [`No pod would be cut off: policies isolate every pod ${of} in both directions.`];
  const cells = losing.map(({ namespace, tenant, pods, lost, names, losing }) => [
    ...[namespace, tenant.name, modeOf(tenant), String(pods), String(lost.ingress), String(lost.egress)],
    names.join(', ') + (losing > names.length ? ` and ${losing - names.length} more` : ''),
  ]);
  const tenants = new Map(losing.map(({ tenant }) => [tenant.name, tenant]));
  return [
    ...table([['NAMESPACE', 'TENANT', 'MODE', 'PODS', 'INGRESS', 'EGRESS', 'WHICH'], ...cells]),
    '',
    `${losing.length} ${of}. INGRESS, EGRESS: pods that no policy isolates in that direction today.`,
    'In mode enforce the baseline isolates them. What it leaves open, beside what other policies open:',
    ...[...tenants.values()].map((tenant) => `  ${tenant.name}: ${openedFor(tenant, settings) || 'nothing'}`),
  ];
}

/** One line for each finding: what would be refused, or warned about, if the policy were written now. */
function reportNonCompliant(nonCompliant: readonly NonCompliantPolicy[], { settings }: Tenancy): readonly string[] {
  if (nonCompliant.length === 0) return ['', 'No stored policy would be rejected today.'];
  const cells = nonCompliant.flatMap(({ kind, namespace, name, tenant, findings }) =>
    findings.map(({ check, path }) => [namespace, tenant.name, tenant.mode, kind, name, check, path]),
  );
  return [
    '',
    ...table([['NAMESPACE', 'TENANT', 'MODE', 'KIND', 'NAME', 'CHECK', 'WHERE'], ...cells]),
    '',
    `${nonCompliant.length} stored ${nonCompliant.length === 1 ? 'policy' : 'policies'} would be rejected today. They stay in force; ${docsPage(settings, 'checks')} says how to correct what each check finds.`,
  ];
}

/** The policies of a tenant's baseline that open something, and in which directions. */
function openedFor(tenant: Tenant, settings: Tenancy['settings']): string {
  return baselineOf('', tenant, settings)
    .flatMap(({ kind, metadata, spec }) => {
      if (kind !== 'NetworkPolicy' || metadata.name === defaultDenyName) return [];
      return [`${metadata.name} (${spec.policyTypes?.join(' and ').toLowerCase()})`];
    })
    .join(', ');
}
