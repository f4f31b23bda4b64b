/**
 * Reads a cluster once and judges everything in it that a tenant has. Keeps of each object no more than a name, where something is found:
 * the pods of a cluster are many.
 */
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { judgeStoredObject, workloadOf } from '../admission/stored-object.ts';
import { judgeStoredPolicy } from '../admission/stored-policy.ts';
import { stampAnnotation } from '../backstop/backstop.ts';
import { baselineOf, defaultDenyName } from '../baseline/baseline.ts';
import { isManaged, isManagedName, managedByLabel, managedByValue } from '../baseline/managed.ts';
import { catalogue } from '../checks/catalogue.ts';
import type { Judged } from '../checks/judge.ts';
import type { DecodedObject } from '../client/decode.ts';
import { type ClusterReader, Unreadable } from '../facts/cluster-reader.ts';
import { namespaceRecord, namespacesPath } from '../facts/namespaces.ts';
import type { Kind } from '../kinds/kind.ts';
import { kinds } from '../kinds/kinds.ts';
import { collectionPaths } from '../kinds/resource-name.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { controllerOf, entry, type KubernetesObject, type StringMap } from '../kubernetes/objects.ts';
import { cutOff } from '../reach/isolation.ts';
import type { Isolation } from '../reach/model.ts';
import { type AuditReport, type CutOffNamespace, type FindingGroup, namesShown } from '../report/audit-report.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import { probeNamespace, probeTenant } from '../tenancy/probe.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { backstopAge, stampedBackstop } from './backstop-age.ts';

interface Row {
  readonly namespace: string;
  readonly tenant: Tenant;
  readonly isolations: Isolation[];
  pods: number;
  readonly lost: { ingress: number; egress: number };
  readonly names: string[];
  losing: number;
}

type Group = { -readonly [Field in keyof FindingGroup]: FindingGroup[Field] } & {
  readonly names: string[];
  readonly seen: Set<string>;
};

/** Of names that are remembered so that none is counted twice. Beyond, pods of one workload may be counted more than once. */
const mostRemembered = 10_000;
/** What `serve` calls itself in metadata.managedFields. */
const fieldManager = 'bulkhead';
const ownNamespace = 'bulkhead-system';

const protectsOf = new Map(catalogue.map(({ id, protects }) => [id, protects]));

/** @param tenantsFrom whether Tenant objects or files were read, as for `bulkhead backstop` */
export async function survey(
  reader: ClusterReader,
  tenancy: Tenancy,
  tenantsFrom: 'objects' | 'listed',
): Promise<AuditReport> {
  const { settings } = tenancy;
  const rows = new Map<string, Row>();
  const groups = new Map<string, Group>();
  const keys = new Map<string, { count: number; readonly names: string[]; readonly managers: Set<string> }>();
  const planted: string[] = [];
  const unread: string[] = [];
  const accounts: string[] = [];
  const stamps: (string | undefined)[] = [];
  const namespaces = createNamespaceStore(() => tenancy);
  const state = { tenancy, namespaces, now: Date.now() };
  const modeOf = (tenant: Tenant): string => (tenancy.declares(tenant) ? tenant.mode : 'unknown');

  /** What cannot be listed is told at the end; the namespaces alone are needed. */
  async function read(paths: readonly [string, ...string[]], tell: (object: DecodedObject) => void): Promise<boolean> {
    try {
      await reader.eachServed(paths, tell);
      return true;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      unread.push(error.message);
      return false;
    }
  }

  function found(tenant: Tenant, name: string, findings: readonly Judged[]): void {
    for (const { check, path, fix, protects = protectsOf.get(check) ?? 'identity' } of findings) {
      if (protects === 'intent') continue;
      const always = protects === 'identity';
      const key = `${check} ${tenant.name} ${always}`;
      const known = groups.get(key);
      const mode = modeOf(tenant);
      const group = known ?? {
        check,
        tenant: tenant.name,
        mode,
        always,
        count: 0,
        names: [],
        path,
        fix,
        seen: new Set(),
      };
      if (known === undefined) groups.set(key, group);
      if (group.seen.has(name)) continue;
      if (group.seen.size < mostRemembered) group.seen.add(name);
      group.count++;
      if (group.names.length < namesShown) group.names.push(name);
    }
  }

  await reader.each(namespacesPath, (object) => {
    const record = namespaceRecord(object);
    namespaces.set(record);
    const tenant = tenancy.ownerByLabels(record.labels);
    const { name } = record;
    if (record.terminating) return;
    const doubt = doubtAbout(name, entry(record.labels, settings.tenantLabel), tenant, tenancy);
    if (doubt !== undefined) planted.push(`namespace ${name} ${doubt}`);
    if (tenant === 'platform') return;
    const lost = { ingress: 0, egress: 0 };
    rows.set(name, { namespace: name, tenant, isolations: [], pods: 0, lost, names: [], losing: 0 });
    for (const finding of judgeStoredObject(namespaceKind, object.object, record, state)) {
      const { reserved, path } = finding;
      if (reserved === undefined) {
        found(tenant, `Namespace ${name}`, [finding]);
        continue;
      }
      const key = keys.get(reserved) ?? { count: 0, names: [], managers: new Set<string>() };
      key.count++;
      if (key.names.length < namesShown) key.names.push(name);
      for (const manager of managersOf(object.object, path)) key.managers.add(manager);
      keys.set(reserved, key);
    }
  });
  for (const kind of audited)
    await read(collectionPaths(kind), ({ metadata, object }) => {
      const { name, namespace } = metadata;
      const row = rows.get(namespace);
      const record = namespaces.lookup(namespace);
      if (row === undefined || record === undefined) return;
      const about = `${kind.kind} ${namespace}/${name}`;
      if (isGuarded(kind) && pretends(object))
        planted.push(`${about} has a name or a label of Bulkhead, which has not written it`);
      if (kind.family === 'policy') {
        const reach = kind.read(object);
        row.isolations.push(...reach.isolates);
        found(row.tenant, about, judgeStoredPolicy(kind, object, state, reach)?.findings ?? []);
        return;
      }
      if (kind.family === 'pod') countPod(row, name, object);
      // Whoever controls it is judged itself; what Bulkhead puts in place is its own.
      if (
        kind.family === 'workload' ? controllerOf(object) !== undefined : kind.family === 'quota' && isManaged(object)
      )
        return;
      const counted = (kind.family === 'pod' ? workloadOf(object) : undefined) ?? about;
      found(row.tenant, counted, judgeStoredObject(kind, object, record, state));
    });
  await read([`/api/v1/namespaces/${ownNamespace}/events`], ({ object }) => {
    if (object.reason === 'ReservedKeyWritten') accounts.push(String(object.message));
  });
  const admission = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
  const isRead = await read([admission], ({ object }) => {
    if (entry(labelsOf(object), 'app.kubernetes.io/component') !== 'backstop') return;
    const annotations = valueAt(object, 'metadata', 'annotations');
    stamps.push(
      isMap(annotations) && typeof annotations[stampAnnotation] === 'string' ? annotations[stampAnnotation] : undefined,
    );
  });

  const losing = [...rows.values()].filter((row) => row.losing > 0);
  const tenants = new Map([...rows.values()].map(({ tenant }) => [tenant.name, tenant]));
  const cut: readonly CutOffNamespace[] = losing.map(({ namespace, tenant, pods, lost, names, losing }) => ({
    ...{ namespace, tenant: tenant.name, mode: modeOf(tenant), pods, ingress: lost.ingress, egress: lost.egress },
    ...{ losing, names },
  }));
  return {
    tenantLabel: settings.tenantLabel,
    namespaces: rows.size,
    observes: settings.enforcement === 'observe',
    cutOff: cut,
    opened: [...new Map(losing.map(({ tenant }) => [tenant.name, openedFor(tenant, settings)]))],
    groups: [...groups.values()].sort(byCheck),
    tenants: [...tenants.values()].map((tenant): [string, string] => [tenant.name, modeOf(tenant)]).sort(),
    keys: [...keys].map(([key, { count, names, managers }]) => ({ key, count, names, managers: [...managers].sort() })),
    accounts: [...new Set(accounts)].sort(),
    planted,
    unread,
    backstop: isRead ? backstopAge(stamps, stampedBackstop(tenancy, tenantsFrom, state.now).stamp) : undefined,
    checksPage: docsPage(settings, 'checks'),
  };
}

const [namespaceKind] = kinds.filter(({ family }) => family === 'namespace') as [Kind];
const order = new Map(catalogue.map(({ id }, index) => [id, index]));

function byCheck(one: FindingGroup, other: FindingGroup): number {
  return (order.get(one.check) ?? 0) - (order.get(other.check) ?? 0) || (one.tenant < other.tenant ? -1 : 1);
}

/** Those inside namespaces, the policies first: they say which pods are isolated. */
const audited = kinds
  .filter(({ family, judgedAs }) => judgedAs === undefined && ['policy', 'pod', 'quota', 'workload'].includes(family))
  .toSorted((one, other) => Number(other.family === 'policy') - Number(one.family === 'policy'));

/** Kinds of which Bulkhead puts objects in place. */
function isGuarded({ family }: Kind): boolean {
  return family === 'policy' || family === 'quota';
}

function countPod(row: Row, name: string, pod: Readonly<Record<string, unknown>>): void {
  const lost = cutOff(pod, row.isolations);
  if (lost === undefined) return;
  row.pods++;
  if (lost.length === 0) return;
  row.losing++;
  for (const direction of lost) row.lost[direction]++;
  if (row.names.length < namesShown) row.names.push(name);
}

/** What speaks against the tenant label of a namespace, or against its having none. */
function doubtAbout(name: string, label: string | undefined, owner: Owner, tenancy: Tenancy): string | undefined {
  const reserved = tenancy.reservation(name);
  if (label === probeTenant) return name === probeNamespace ? undefined : 'has the label of the probe of Bulkhead';
  if (owner === 'platform')
    return reserved === undefined || reserved === 'platform'
      ? undefined
      : `has no tenant label, and its name is reserved for ${reserved.name}: label it, or Bulkhead does not guard it`;
  if (!tenancy.declares(owner)) return `has the label of ${owner.name}, which is no tenant that is declared`;
  if (owner.prefix !== undefined)
    return reserved === owner ? undefined : `has the label of ${owner.name}, and no prefix of that tenant covers it`;
  // Once the label is guarded, it can be relied on.
  return tenancy.settings.enforcement === 'observe'
    ? `has the label of ${owner.name}, which has no prefix: make sure that it is that tenant's`
    : undefined;
}

function labelsOf(object: Readonly<Record<string, unknown>>): StringMap | undefined {
  const labels = valueAt(object, 'metadata', 'labels');
  return isMap(labels) ? (labels as StringMap) : undefined;
}

/** Whether it has a name or the mark of what Bulkhead puts in place, and Bulkhead is not among those who have written it. */
function pretends(object: KubernetesObject): boolean {
  const { name = '', labels, managedFields } = object.metadata ?? {};
  if (!isManagedName(name) && entry(labels, managedByLabel) !== managedByValue) return false;
  return !(managedFields ?? []).some((one) => isMap(one) && one.manager === fieldManager);
}

/** Who manages a field such as `metadata.labels[KEY]`, by the names that the clients chose. */
function managersOf(object: KubernetesObject, path: string): readonly string[] {
  const [, map = '', key = ''] = /^metadata\.(labels|annotations)\[(.*)\]$/s.exec(path) ?? [];
  return (object.metadata?.managedFields ?? []).flatMap((one) =>
    isMap(one) &&
    typeof one.manager === 'string' &&
    valueAt(one.fieldsV1, 'f:metadata', `f:${map}`, `f:${key}`) !== undefined
      ? one.manager
      : [],
  );
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
