/** What a change opens and closes: connections gained and lost between two sets of files, or a cluster and the same with files applied. */
import { createHash } from 'node:crypto';
import { printable } from '../admission/message.ts';
import { causeText, portTexts } from '../connectivity/change-text.ts';
import type { Change, End, SharedCause } from '../connectivity/changes.ts';
import { type Comparison, compare } from '../connectivity/compare.ts';
import type { ServiceChange } from '../connectivity/compare-services.ts';
import { namedAsIn, overlaid } from '../connectivity/overlay.ts';
import { readSnapshot } from '../connectivity/read-snapshot.ts';
import { refText } from '../connectivity/snapshot.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import type { WrittenObject } from '../files/written-objects.ts';
import { valueAt } from '../kubernetes/json.ts';
import {
  crossings,
  type DiffCause,
  type DiffChange,
  type DiffReport,
  diffJson,
  diffNames,
  diffTable,
  diffYaml,
  isComplete,
} from '../report/diff-report.ts';
import { lintGithub, lintJunit, lintSarif } from '../report/lint-formats.ts';
import { lintPage } from '../report/lint-page.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { claimedNames } from './claimed-names.ts';
import { defineCommand, type Surroundings } from './command.ts';
import { lintReportOf } from './diff-findings.ts';
import { changesIn, inScope } from './diff-scope.ts';
import { Misuse } from './misuse.ts';
import { withNamespaces } from './object-namespace.ts';
import { flag, oneOf, texts } from './options.ts';
import { progressOf } from './progress.ts';
import { type Scope, scopeOf } from './scope.ts';
import { loadSnapshot, type ReadObjects, readObjects, snapshotOptions } from './snapshot-source.ts';

const formats = ['table', 'wide', 'json', 'yaml', 'name', 'sarif', 'junit', 'github', 'html'] as const;

const options = {
  ...snapshotOptions,
  filename: {
    ...texts('FILE', 'compare the cluster with itself once this file, folder or - is applied; repeat for more', 'none'),
    short: 'f',
  },
  kustomize: {
    ...texts('DIR', 'compare the cluster with itself once what kustomize builds of this folder is applied', 'none'),
    short: 'k',
  },
  prune: flag(
    'with -f or -k: take policies that the files leave out as deleted, in the namespaces that the files name',
  ),
  output: { ...oneOf('FORMAT', formats, 'print the changes in this format', 'table'), short: 'o' },
};

interface Compared {
  readonly comparison: Comparison;
  readonly tenancy: Tenancy;
  readonly problems: readonly string[];
  /** Objects of files by their side. */
  readonly written: Readonly<Record<'old' | 'new', readonly WrittenObject[]>>;
}

export const command = defineCommand({
  summary: 'report which connections a change of files opens and closes, and because of which policy',
  details:
    'Compares the objects of OLD with those of NEW, or with -f or -k a cluster with what it would be with the files applied. ' +
    'Ends with 1 when a connection appears over the border of a tenant: to or from another tenant, addresses outside of the cluster, ' +
    'or the platform where no shared service opens it. Ends with 2 when a policy that changes is not understood, or a part is not read.',
  operands: { name: 'OLD NEW', help: 'two files or folders; - is the standard input' },
  options,
  async run(values, surroundings, operands) {
    const overCluster = values.filename.length + values.kustomize.length > 0;
    if (overCluster && operands.length > 0)
      throw new Misuse('give either OLD and NEW, or files for the cluster with -f or -k');
    if (!overCluster && operands.length !== 2)
      throw new Misuse('give what was and what will be: two files or folders, or files for the cluster with -f or -k');
    if (values.prune && !overCluster) throw new Misuse('--prune goes with -f or -k: NEW is all there is');
    const scope = scopeOf(values);
    const done = overCluster
      ? await againstCluster(values, surroundings, scope)
      : await betweenFiles(operands[0] ?? '', operands[1] ?? '', values, surroundings, scope);
    surroundings.progress?.('');
    scope?.require(done.problems);
    const report = reportOf(
      scope === undefined ? done : { ...done, comparison: inScope(done.comparison, scope) },
      scope,
    );
    for (const line of printed(report, values.output, done)) surroundings.print(line);
    if (!isComplete(report)) return 2;
    return crossings(report).length > 0 ? 1 : 0;
  },
});

type DiffValues = Parameters<typeof loadSnapshot>[1] & { readonly prune: boolean };

async function betweenFiles(
  before: string,
  after: string,
  values: DiffValues,
  surroundings: Surroundings,
  scope: Scope | undefined,
): Promise<Compared> {
  const { value: tenancy } = orCannotStart(await readTenancy(values), 2);
  const old = whole(await readObjects([before], [], values, surroundings));
  const now = whole(await readObjects([after], [], values, surroundings));
  const options = { hasPods: false, withBaseline: !values['no-baseline'] };
  const read = ({ objects }: ReadObjects) => {
    const snapshot = readSnapshot(withNamespaces(objects, tenancy), tenancy, options);
    scope?.know(objects);
    scope?.knowSnapshot(snapshot);
    return snapshot;
  };
  const comparison = compare(read(old), read(now), tenancy, onProgress(surroundings), changesIn(scope));
  const known = new Set(claimedNames(old.objects, tenancy));
  const problems = claimedNames(now.objects, tenancy).filter((one) => !known.has(one));
  return { comparison, tenancy, problems, written: { old: old.written, new: now.written } };
}

async function againstCluster(
  values: DiffValues,
  surroundings: Surroundings,
  scope: Scope | undefined,
): Promise<Compared> {
  const files = whole(await readObjects(values.filename, values.kustomize, values, surroundings));
  const { tenancy, problems, ...cluster } = await loadSnapshot(
    'diff',
    { ...values, filename: [], kustomize: [] },
    surroundings,
    scope,
  );
  const snapshot = namedAsIn(files.objects, cluster.snapshot);
  const after = overlaid(snapshot, files.objects, tenancy, {
    withBaseline: !values['no-baseline'],
    prunes: values.prune,
  });
  scope?.know(files.objects);
  scope?.knowSnapshot(after);
  const comparison = compare(snapshot, after, tenancy, onProgress(surroundings), changesIn(scope));
  const claimed = claimedNames(files.objects, tenancy);
  return { comparison, tenancy, problems: [...problems, ...claimed], written: { old: [], new: files.written } };
}

/** What cannot be read may open anything, so there is no answer without it. */
function whole(read: ReadObjects): ReadObjects {
  if (read.problems.length > 0) throw new CannotStart(read.problems.join('\n'), 2);
  return read;
}

function onProgress(surroundings: Surroundings): (done: number, all: number) => void {
  const show = progressOf(surroundings, () => performance.now());
  return (done, all) => show(done, all, 'comparisons');
}

function reportOf({ comparison, problems, written }: Compared, scope: Scope | undefined): DiffReport {
  const places = { old: byRef(written.old), new: byRef(written.new) };
  const { changes, workloads, readings, services, unread, layer7 } = comparison;
  return {
    changes: changes.map((one) => changeOf(one, places)),
    ...{ workloads, readings, problems },
    ...(scope !== undefined && { scope: scope.text }),
    services: services.map(printableService),
    layer7: layer7.map(({ policy, change }) => ({ policy: printable(policy), change })),
    unread: unread.map((one) => ({
      ...{ policy: printable(one.policy), field: printable(one.field), reason: printable(one.reason) },
    })),
  };
}

function printableService({ service, selector, ports, workloads }: ServiceChange): ServiceChange {
  const all = (texts: readonly string[]) => texts.map((text) => printable(text));
  return {
    service: printable(service),
    selector: { old: printable(selector.old), new: printable(selector.new) },
    ports: { old: all(ports.old), new: all(ports.new) },
    workloads: { old: all(workloads.old), new: all(workloads.new) },
  };
}

type Places = Readonly<Record<'old' | 'new', ReadonlyMap<string, WrittenObject>>>;

function byRef(written: readonly WrittenObject[]): ReadonlyMap<string, WrittenObject> {
  return new Map(
    written.map((one) => {
      const [namespace, name] = [valueAt(one.object, 'metadata', 'namespace'), valueAt(one.object, 'metadata', 'name')];
      return [refText({ kind: one.kind, namespace: String(namespace ?? ''), name: String(name) }), one];
    }),
  );
}

function changeOf({ change, isCrossing, from, to, ports, causes }: Change, places: Places): DiffChange {
  return {
    ...{ change, isCrossing, from: endOf(from), to: endOf(to), ports: portTexts(ports) },
    causes: causes.map((one) => causeOf(one, places)),
  };
}

function endOf({ group, tenants, members }: End): DiffChange['from'] {
  return { tenant: printable(group), tenants: tenants.map(printable), members: [...members].map(printable).sort() };
}

function causeOf(cause: SharedCause, places: Places): DiffCause {
  const policies = cause.policies.map(refText);
  const object = policies.map((one) => places[cause.side].get(one)).find((one) => one !== undefined);
  const place = object?.placeOf(cause.path);
  return {
    text: printable(causeText(cause)),
    policies: policies.map(printable),
    direction: cause.direction,
    side: cause.side,
    path: cause.path,
    file: printable(object?.file ?? ''),
    line: place?.line ?? 0,
    column: place?.column ?? 0,
  };
}

function printed(report: DiffReport, format: (typeof formats)[number], done: Compared): readonly string[] {
  switch (format) {
    case 'table':
    case 'wide':
      return diffTable(report, format === 'wide');
    case 'json':
      return [diffJson(report)];
    case 'yaml':
      return [diffYaml(report)];
    case 'name':
      return diffNames(report);
    case 'sarif':
      return [lintSarif(asFindings(report, done), false)];
    case 'junit':
      return [lintJunit(asFindings(report, done), () => true, 'bulkhead diff')];
    case 'github':
      return lintGithub(asFindings(report, done));
    case 'html': {
      const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');
      return [lintPage(asFindings(report, done), sha256, 'What bulkhead diff found')];
    }
  }
}

function asFindings(report: DiffReport, { tenancy, written }: Compared) {
  const settings: Settings = tenancy.settings;
  return lintReportOf(report, written.new, settings);
}
