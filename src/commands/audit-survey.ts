/**
 * Reads a cluster once and judges everything in it that a tenant has. Keeps of each object no more than a name, where something is found:
 * the pods of a cluster are many.
 */
import { createExemptionUse } from '../admission/exemption-use.ts';
import { printable } from '../admission/message.ts';
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { storedNeighbours } from '../admission/stored-neighbour.ts';
import { judgeStoredObject, workloadOf } from '../admission/stored-object.ts';
import { judgeStoredPolicy } from '../admission/stored-policy.ts';
import { judgeStoredUnread } from '../admission/stored-unread.ts';
import { stampAnnotation } from '../backstop/backstop.ts';
import { baselineOf, defaultDenyName } from '../baseline/baseline.ts';
import { isManaged } from '../baseline/managed.ts';
import { catalogue } from '../checks/catalogue.ts';
import { isInEveryMode } from '../checks/check.ts';
import type { Judged } from '../checks/judge.ts';
import { fieldOf } from '../checks/metadata-changes.ts';
import type { DecodedObject } from '../client/decode.ts';
import { type RequestingReader, Unreadable } from '../facts/cluster-reader.ts';
import { namespaceRecord, namespacesPath } from '../facts/namespaces.ts';
import type { Kind } from '../kinds/kind.ts';
import { kinds } from '../kinds/kinds.ts';
import { collectionPaths } from '../kinds/resource-name.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { controllerOf, entry, type StringMap } from '../kubernetes/objects.ts';
import { cutOff } from '../reach/isolation.ts';
import type { Isolation } from '../reach/model.ts';
import { type AuditReport, type CutOffNamespace, type FindingGroup, mostNames } from '../report/audit-report.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import { provisionerMark } from '../tenancy/namespace-grant.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { doubtAboutMark } from './audit-managed.ts';
import { createKeys, doubtsAbout, fixOfKey } from './audit-namespaces.ts';
import { unreadCollections } from './audit-unread.ts';
import { vouchedPods } from './audit-vouched.ts';
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

type Group = { -readonly [Field in keyof Omit<FindingGroup, 'names'>]: FindingGroup[Field] } & {
  readonly names: Set<string>;
};

const ownNamespace = 'bulkhead-system';

const protectsOf = new Map(catalogue.map(({ id, protects }) => [id, protects]));

/** @param tenantsFrom whether Tenant objects or files were read, as for `bulkhead backstop` */
export async function survey(
  reader: RequestingReader,
  tenancy: Tenancy,
  tenantsFrom: 'objects' | 'listed',
  problems: readonly string[] = [],
): Promise<AuditReport> {
  const { settings } = tenancy;
  const rows = new Map<string, Row>();
  const groups = new Map<string, Group>();
  const keys = createKeys(settings);
  const planted: string[] = [];
  const unread: string[] = [];
  const accounts: string[] = [];
  const stamps: (string | undefined)[] = [];
  const namespaces = createNamespaceStore(() => tenancy);
  const exemptions = createExemptionUse(tenancy);
  const grantsOfPod = vouchedPods(tenancy);
  const state = { tenancy, namespaces, now: Date.now(), onExempted: exemptions.see };
  const neighbour = storedNeighbours(state);
  const modeOf = (tenant: Tenant): string => (tenancy.declares(tenant) ? tenant.mode : 'unknown');

  /** Kinds that cannot be listed are reported at the end; only the namespaces are required. */
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

  /** @param only the fix, where it is not that of the finding */
  function found(tenant: Tenant, name: string, findings: readonly Judged[], only?: string): void {
    for (const { check, path, fix: own, protects = protectsOf.get(check) ?? 'identity' } of findings) {
      if (protects === 'intent') continue;
      const always = isInEveryMode(protects);
      const key = `${check} ${tenant.name} ${always} ${only}`;
      const fix = only ?? own;
      const known = groups.get(key);
      const mode = modeOf(tenant);
      const begun = { check, tenant: tenant.name, mode, always, count: 0, names: new Set<string>(), path, fix };
      const group = known ?? begun;
      if (known === undefined) groups.set(key, group);
      if (group.names.has(name)) continue;
      if (group.names.size < mostNames) group.names.add(name);
      group.count++;
    }
  }

  await reader.each(namespacesPath, (object) => {
    const record = namespaceRecord(object);
    namespaces.set(record);
    const tenant = tenancy.ownerByLabels(record.labels);
    const { name } = record;
    if (record.terminating) return;
    for (const doubt of doubtsAbout(name, object.object, tenancy)) planted.push(`namespace ${name} ${doubt}`);
    if (tenant === 'platform') return;
    const lost = { ingress: 0, egress: 0 };
    rows.set(name, { namespace: name, tenant, isolations: [], pods: 0, lost, names: [], losing: 0 });
    for (const finding of judgeStoredObject(namespaceKind, object.object, record, state)) {
      const { reserved, path } = finding;
      // A label that is for other namespaces is among the planted.
      const isTrusted = reserved !== undefined && settings.trustedLabels.has(reserved);
      if (isTrusted && path === fieldOf({ map: 'labels', key: reserved })) continue;
      if (reserved !== undefined && keys.add(name, object.object, reserved, path)) continue;
      // A mark that is wrong is among the planted.
      if (path === fieldOf({ map: 'annotations', key: provisionerMark })) continue;
      found(tenant, `Namespace ${name}`, [finding], reserved === undefined || isTrusted ? undefined : fixOfKey);
    }
  });
  for (const kind of audited.filter((one) => one.family !== 'neighbour' || settings[one.module].judged))
    await read(collectionPaths(kind), ({ metadata, object }) => {
      const { name, namespace } = metadata;
      if (kind.family === 'pod')
        for (const text of grantsOfPod(object)) planted.push(`Pod ${namespace}/${name} ${text}`);
      const [row, record] = [rows.get(namespace), namespaces.lookup(namespace)];
      if (row === undefined || record === undefined) return;
      const about = `${kind.kind} ${namespace}/${name}`;
      // Of a Tenant that cannot be read, Bulkhead keeps what an earlier version asked for.
      const doubt =
        isGuarded(kind) && tenancy.declares(row.tenant)
          ? doubtAboutMark(kind, object, row.tenant, settings)
          : undefined;
      if (doubt !== undefined) planted.push(`${about} ${doubt}`);
      if (kind.family === 'policy') {
        const reach = kind.read(object);
        row.isolations.push(...reach.isolates);
        return found(row.tenant, about, judgeStoredPolicy(kind, object, state, reach)?.findings ?? []);
      }
      if (kind.family === 'neighbour') return found(row.tenant, about, neighbour(kind, object, record));
      if (kind.family === 'pod') countPod(row, name, object);
      // The controller of an object is judged itself; managed objects are Bulkhead's own.
      if (
        kind.family === 'workload'
          ? controllerOf(object) !== undefined
          : kind.family === 'quota' && isManaged(object) && doubt === undefined
      )
        return;
      const counted = (kind.family === 'pod' ? workloadOf(object) : undefined) ?? about;
      found(row.tenant, counted, judgeStoredObject(kind, object, record, state));
    });
  for (const { path, ...written } of await unreadCollections(reader, (failure) => unread.push(failure)))
    await read([path], ({ metadata: { name, namespace }, object }) => {
      const [row, record] = [rows.get(namespace), namespaces.lookup(namespace)];
      if (row === undefined || record === undefined) return;
      found(row.tenant, `${written.kind} ${namespace}/${name}`, judgeStoredUnread(written, object, record, state));
    });
  await read([`/api/v1/namespaces/${ownNamespace}/events`], ({ object }) => {
    if (object.reason === 'ReservedKeyWritten') accounts.push(printable(String(object.message)));
  });
  const isRead = await read(['/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'], ({ object }) => {
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
    problems,
    tenantLabel: settings.tenantLabel,
    namespaces: rows.size,
    observes: settings.enforcement === 'observe',
    cutOff: cut,
    opened: [...new Map(losing.map(({ tenant }) => [tenant.name, tenant]))].map(([name, tenant]) => ({
      tenant: name,
      policies: openedFor(tenant, settings),
    })),
    rejected: [...groups.values()].map((group) => ({ ...group, names: [...group.names] })).sort(byCheck),
    tenants: [...tenants.values()]
      .map((tenant) => ({ name: tenant.name, mode: modeOf(tenant) }))
      .sort((one, other) => (one.name < other.name ? -1 : 1)),
    keys: keys.list(),
    accounts: [...new Set(accounts)].sort(),
    planted,
    exemptions: exemptions.doubts(state, unread.length === 0),
    unread,
    backstop: isRead ? backstopAge(stamps, stampedBackstop(tenancy, tenantsFrom, state.now).stamp) : 'unread',
    checksPage: docsPage(settings, 'checks'),
  };
}

const [namespaceKind] = kinds.filter(({ family }) => family === 'namespace') as [Kind];
const order = new Map(catalogue.map(({ id }, index) => [id, index]));

function byCheck(one: FindingGroup, other: FindingGroup): number {
  return (order.get(one.check) ?? 0) - (order.get(other.check) ?? 0) || (one.tenant < other.tenant ? -1 : 1);
}

const auditedFamilies: ReadonlySet<Kind['family']> = new Set(['policy', 'pod', 'quota', 'workload', 'neighbour']);
/** Those inside namespaces, the policies first: they say which pods are isolated. */
const audited = kinds
  .filter(({ family, judgedAs }) => judgedAs === undefined && auditedFamilies.has(family))
  .filter((kind) => kind.family !== 'policy' || kind.listedBy === undefined)
  .toSorted((one, other) => Number(other.family === 'policy') - Number(one.family === 'policy'));

/** Kinds of which Bulkhead puts objects in place. */
const isGuarded = ({ family }: Kind): boolean => family === 'policy' || family === 'quota';

function countPod(row: Row, name: string, pod: Readonly<Record<string, unknown>>): void {
  const lost = cutOff(pod, row.isolations);
  if (lost === undefined) return;
  row.pods++;
  if (lost.length === 0) return;
  row.losing++;
  for (const direction of lost) row.lost[direction]++;
  if (row.names.length < mostNames) row.names.push(name);
}

function labelsOf(object: Readonly<Record<string, unknown>>): StringMap | undefined {
  const labels = valueAt(object, 'metadata', 'labels');
  return isMap(labels) ? (labels as StringMap) : undefined;
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
