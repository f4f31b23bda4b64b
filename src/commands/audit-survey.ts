/** What an audit says of a cluster: what would be rejected and cut off, and what is not what it seems. */
import { createExemptionUse } from '../admission/exemption-use.ts';
import { printable } from '../admission/message.ts';
import { stampAnnotation } from '../backstop/backstop.ts';
import { baselineOf, defaultDenyName } from '../baseline/baseline.ts';
import type { DecodedObject } from '../client/decode.ts';
import { type RequestingReader, Unreadable } from '../facts/cluster-reader.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { entry, type StringMap } from '../kubernetes/objects.ts';
import { cutOff } from '../reach/isolation.ts';
import type { Isolation } from '../reach/model.ts';
import { type AuditReport, type CutOffNamespace, type FindingGroup, mostNames } from '../report/audit-report.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { doubtsAbout } from './audit-namespaces.ts';
import { vouchedPods } from './audit-vouched.ts';
import { backstopAge, stampedBackstop } from './backstop-age.ts';
import { createRejections, modeOf } from './finding-groups.ts';
import { judgeStored, type Listeners, storedIn } from './judge-stored.ts';
import { labelsIn, type Scope } from './scope.ts';

interface Row {
  readonly namespace: string;
  readonly tenant: Tenant;
  readonly isolations: Isolation[];
  pods: number;
  readonly lost: { ingress: number; egress: number };
  readonly names: string[];
  losing: number;
}

export interface Survey {
  readonly report: AuditReport;
  /** With what is not in the scope. */
  readonly rejected: readonly FindingGroup[];
}

const ownNamespace = 'bulkhead-system';

/**
 * @param scope of what is reported: with it, nothing is that is about the cluster as a whole
 * @param tenantsFrom whether Tenant objects or files were read, as for `bulkhead backstop`
 */
export async function survey(
  reader: RequestingReader,
  tenancy: Tenancy,
  tenantsFrom: 'objects' | 'listed',
  problems: readonly string[] = [],
  scope?: Scope,
): Promise<Survey> {
  const { settings } = tenancy;
  const rows = new Map<string, Row>();
  const rejections = createRejections(tenancy, scope === undefined);
  const planted: string[] = [];
  const accounts: string[] = [];
  const stamps: (string | undefined)[] = [];
  const exemptions = createExemptionUse(tenancy);
  const grantsOfPod = vouchedPods(tenancy);
  const isReported = (namespace: string, object: DecodedObject['object']): boolean =>
    scope === undefined || scope.has(namespace, labelsIn(object));
  const listeners: Listeners = {
    onNamespace({ name }, { object }, tenant) {
      for (const doubt of isReported(name, object) ? doubtsAbout(name, object, tenancy) : [])
        planted.push(`namespace ${name} ${doubt}`);
      if (tenant === 'platform') return;
      const lost = { ingress: 0, egress: 0 };
      rows.set(name, { namespace: name, tenant, isolations: [], pods: 0, lost, names: [], losing: 0 });
    },
    onPod({ metadata: { namespace, name }, object }) {
      for (const text of isReported(namespace, object) ? grantsOfPod(object) : [])
        planted.push(`Pod ${namespace}/${name} ${text}`);
    },
    onObject({ kind, decoded: { metadata, object }, about }, reach, doubt) {
      const row = rows.get(metadata.namespace);
      if (row === undefined) return;
      if (reach !== undefined) row.isolations.push(...reach.isolates);
      if (!isReported(metadata.namespace, object)) return;
      if (doubt !== undefined) planted.push(`${about} ${doubt}`);
      if (kind.kind === 'Pod') countPod(row, metadata.name, object);
    },
    onExempted: exemptions.see,
    ...rejections.listeners,
  };
  const { unread, keys, state } = await judgeStored(storedIn(reader), tenancy, listeners, scope);

  /** Kinds that cannot be listed are reported at the end. */
  async function read(path: string, tell: (object: DecodedObject) => void): Promise<boolean> {
    try {
      await reader.eachServed([path], tell);
      return true;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      unread.push(error.message);
      return false;
    }
  }
  await read(`/api/v1/namespaces/${ownNamespace}/events`, ({ object }) => {
    if (object.reason === 'ReservedKeyWritten') accounts.push(printable(String(object.message)));
  });
  const isRead = await read('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies', ({ object }) => {
    if (entry(labelsOf(object), 'app.kubernetes.io/component') !== 'backstop') return;
    const annotations = valueAt(object, 'metadata', 'annotations');
    stamps.push(
      isMap(annotations) && typeof annotations[stampAnnotation] === 'string' ? annotations[stampAnnotation] : undefined,
    );
  });

  const reported = [...rows.values()].filter(({ namespace }) => scope === undefined || scope.hasNamespace(namespace));
  const losing = reported.filter((row) => row.losing > 0);
  const tenants = new Map(reported.map(({ tenant }) => [tenant.name, tenant]));
  const cut: readonly CutOffNamespace[] = losing.map(({ namespace, tenant, pods, lost, names, losing }) => ({
    ...{ namespace, tenant: tenant.name, mode: modeOf(tenant, tenancy), pods, ...lost, losing, names },
  }));
  const report: AuditReport = {
    problems,
    tenantLabel: settings.tenantLabel,
    namespaces: reported.length,
    ...(scope !== undefined && { scope: scope.text }),
    observes: settings.enforcement === 'observe',
    cutOff: cut,
    opened: [...new Map(losing.map(({ tenant }) => [tenant.name, tenant]))].map(([name, tenant]) => ({
      tenant: name,
      policies: openedFor(tenant, settings),
    })),
    rejected: rejections.reported(),
    tenants: [...tenants.values()]
      .map((tenant) => ({ name: tenant.name, mode: modeOf(tenant, tenancy) }))
      .sort((one, other) => (one.name < other.name ? -1 : 1)),
    keys: keys.list(),
    accounts: scope === undefined ? [...new Set(accounts)].sort() : [],
    planted,
    exemptions: scope === undefined ? exemptions.doubts(state, unread.length === 0) : [],
    unread,
    backstop: isRead ? backstopAge(stamps, stampedBackstop(tenancy, tenantsFrom, state.now).stamp) : 'unread',
    checksPage: docsPage(settings, 'checks'),
  };
  return { report, rejected: rejections.all() };
}

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
