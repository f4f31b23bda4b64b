/**
 * What an audit says of each namespace of a tenant, as `Report` objects of openreports.io/v1alpha1, which dashboards read. Tenants may read
 * those of their namespaces, so no report names an object of another namespace. Without times: the same findings are the same report.
 */
import type { Picture } from '../picture/picture.ts';
import type { PictureNamespace } from '../picture/picture-namespaces.ts';
import type { AuditReport, FindingGroup } from './audit-report.ts';

export interface Report {
  readonly apiVersion: 'openreports.io/v1alpha1';
  readonly kind: 'Report';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly source: string;
  readonly scope: { readonly apiVersion: 'v1'; readonly kind: 'Namespace'; readonly name: string };
  readonly summary: Readonly<Record<'pass' | 'fail' | 'warn' | 'error' | 'skip', number>>;
  readonly results: readonly ReportResult[];
}

export interface ReportResult {
  readonly source: string;
  readonly policy: string;
  readonly category: string;
  readonly result: 'pass' | 'fail' | 'warn' | 'skip';
  readonly severity: 'high' | 'medium' | 'info';
  readonly message: string;
  readonly resources?: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[];
}

export const reportName = 'bulkhead-audit';
export const reportLabel = 'app.kubernetes.io/managed-by';

/** A report is a few hundred bytes for each; the API server takes 1.5 MiB. */
const mostResults = 200;
const source = 'bulkhead';

/** One for each namespace of a tenant, in the order of their names. */
export function openReportsOf(
  { rejected, checksPage, observes }: Pick<AuditReport, 'rejected' | 'checksPage' | 'observes'>,
  { namespaces, selectNothing, openNothing }: Picture,
): readonly Report[] {
  const results = new Map<string, ReportResult[]>();
  for (const { name, tenant, open, pods } of namespaces)
    if (tenant !== platform) results.set(name, [...isolationOf({ open, pods })]);
  const add = (ref: Reference, result: Omit<ReportResult, 'source' | 'category' | 'resources'>): void => {
    const { kind, namespace, name } = ref;
    const where = kind === 'Namespace' ? name : namespace;
    const object = { kind, ...(namespace !== undefined && { namespace }), name };
    results.get(where ?? '')?.push({ source, category: 'Tenant border', ...result, resources: [object] });
  };
  for (const group of rejected)
    for (const name of group.names)
      add(referenceOf(name), { policy: group.check, ...verdictOf(group, checksPage, observes) });
  const hints = { result: 'warn', severity: 'info' } as const;
  for (const name of selectNothing)
    add(referenceOf(name), { ...hints, policy: 'selects-nothing', message: 'The policy selects no pods.' });
  for (const name of openNothing)
    add(referenceOf(name), { ...hints, policy: 'opens-nothing', message: 'None of the peers of the policy exist.' });
  return [...results].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([name, own]) => reportOf(name, own));
}

const platform = '(platform)';

function isolationOf({ open, pods }: Pick<PictureNamespace, 'open' | 'pods'>): readonly ReportResult[] {
  return (['ingress', 'egress'] as const).map((direction) => ({
    ...{ source, category: 'Isolation', policy: `isolated-${direction}` },
    ...(open[direction] === 0
      ? { result: 'pass', severity: 'info', message: `Policies isolate all ${pods} pods for ${direction}.` }
      : {
          ...{ result: 'fail', severity: 'high' },
          message: `No policy isolates ${open[direction]} of ${pods} pods for ${direction}.`,
        }),
  }));
}

function verdictOf(
  { always, mode, check }: FindingGroup,
  page: string,
  observes: boolean,
): Pick<ReportResult, 'result' | 'severity' | 'message'> {
  const isRejected = !observes && (always || mode === 'enforce');
  const when = isRejected ? 'if it were written now' : observes ? 'if the settings enforced it' : 'in mode enforce';
  return {
    ...(isRejected ? { result: 'fail', severity: 'high' } : { result: 'warn', severity: 'medium' }),
    message: `Would be rejected ${when}: ${page.replace(/\/$/, '')}/${check}.md`,
  };
}

interface Reference {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** `KIND NAMESPACE/NAME` or `KIND NAME` */
function referenceOf(text: string): Reference {
  const space = text.indexOf(' ');
  const slash = text.indexOf('/', space);
  const kind = text.slice(0, space);
  if (slash < 0) return { kind, namespace: undefined, name: text.slice(space + 1) };
  return { kind, namespace: text.slice(space + 1, slash), name: text.slice(slash + 1) };
}

function reportOf(namespace: string, all: readonly ReportResult[]): Report {
  const hidden = all.length - mostResults;
  const more: ReportResult = {
    ...{ source, category: 'Tenant border', policy: 'more', result: 'skip', severity: 'info' },
    message: `${hidden} more results are not shown; bulkhead audit shows all.`,
  };
  const count = (result: string) => all.filter((one) => one.result === result).length;
  return {
    ...{ apiVersion: 'openreports.io/v1alpha1', kind: 'Report' },
    metadata: { name: reportName, namespace, labels: { [reportLabel]: reportName } },
    source,
    scope: { apiVersion: 'v1', kind: 'Namespace', name: namespace },
    summary: { pass: count('pass'), fail: count('fail'), warn: count('warn'), error: 0, skip: hidden > 0 ? 1 : 0 },
    results: hidden > 0 ? [...all.slice(0, mostResults), more] : all,
  };
}
