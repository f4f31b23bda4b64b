/** Reads a cluster in use once, or files, and reports who reaches whom and all that Bulkhead would reject and cut off. Changes nothing. */
import { printable, printableIn } from '../admission/message.ts';
import { readCluster } from '../facts/cluster-reader.ts';
import { pictureOf } from '../picture/picture.ts';
import { nothingKnown, readProtection } from '../picture/protection.ts';
import type { AuditReport } from '../report/audit-report.ts';
import { type AuditResult, isComplete, isToDo, resultJson, resultLines, resultYaml } from '../report/audit-result.ts';
import { openReportsOf } from '../report/open-reports.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import { pageOf } from './audit-page.ts';
import { type Survey, survey } from './audit-survey.ts';
import { CannotStart } from './cannot-start.ts';
import { locationOf } from './cluster-location.ts';
import { inCluster } from './cluster-tenancy.ts';
import { defineCommand, type Surroundings } from './command.ts';
import { createRejections } from './finding-groups.ts';
import { judgeStored } from './judge-stored.ts';
import { Misuse } from './misuse.ts';
import { flag, oneOf } from './options.ts';
import { progressOf } from './progress.ts';
import { protectionOfCluster } from './protection-source.ts';
import { saidByAudit } from './said-findings.ts';
import { type Scope, scopeOf } from './scope.ts';
import { type LoadedSnapshot, loadSnapshot, type SnapshotValues, snapshotOptions } from './snapshot-source.ts';
import { storedFiles } from './stored-files.ts';
import { printedSaid, type SaidBy, toolFormats } from './tool-formats.ts';
import { writeReports } from './write-reports.ts';

const formats = ['table', 'wide', 'json', 'yaml', ...toolFormats, 'html'] as const;

export const command = defineCommand({
  summary: 'report, read-only, who reaches whom, and everything that would be rejected or cut off',
  details:
    'Reads a cluster, or files with -f or -k. ' +
    'Ends with 1 when something is found, or when nothing could be checked. ' +
    'Ends with 2 when a part could not be read, or when a policy is not understood.',
  options: {
    ...snapshotOptions,
    output: { ...oneOf('FORMAT', formats, 'print the report in this format', 'table'), short: 'o' },
    'write-reports': flag(
      'write what is found as a Report of openreports.io into each namespace of a tenant, and end with 0 whatever is found',
    ),
  },
  async run(values, surroundings) {
    const isOfFiles = values.filename.length + values.kustomize.length > 0;
    if (isOfFiles && values.tenants === undefined)
      throw new Misuse('without tenants no namespace has a known owner: give their folder with --tenants DIR');
    if (isOfFiles && (values.kubeconfig ?? values.context) !== undefined)
      throw new Misuse('--kubeconfig and --context are for a cluster: leave them out, or -f and -k');
    const writes = values['write-reports'];
    if (isOfFiles && writes) throw new Misuse('--write-reports is for a cluster: leave it out, or -f and -k');
    const scope = scopeOf(values);
    if (scope !== undefined && writes)
      throw new Misuse('--write-reports writes the reports of all namespaces: leave it out, or -n and -l');
    const found = isOfFiles ? undefined : await surveyed(values, surroundings, scope);
    const report = found?.report;
    const loaded = await loadSnapshot('audit', values, surroundings, scope);
    const { snapshot, tenancy, protecting } = loaded;
    const judged = isOfFiles ? await judgedFiles(loaded, scope) : undefined;
    const problems = [...loaded.problems, ...(judged?.problems ?? [])];
    scope?.require(problems.map((one) => printable(one)));
    const said = new Set([...(report?.problems ?? []), ...(report?.unread ?? [])]);
    const { settings } = tenancy;
    const unread = [...new Set([...(report?.unread ?? []), ...problems])];
    const read = isOfFiles
      ? { ...nothingKnown, ...readProtection(protecting, snapshot.mesh, settings), problems }
      : await protectionOfCluster(values, snapshot, settings, unread, surroundings);
    const protection = { ...read, rejected: (found ?? judged)?.rejected ?? [] };
    const onProgress = progressOf(surroundings, () => performance.now());
    const result: AuditResult = {
      report,
      rejections: judged?.rejections,
      problems: problems.filter((one) => !said.has(one)).map((one) => printable(one)),
      connectivity: pictureOf(snapshot, tenancy, Date.now(), protection, scope, (done, all) =>
        onProgress(done, all, 'parts of the report'),
      ),
      scope: scope?.text,
    };
    surroundings.progress?.('');
    if (writes && report !== undefined) return await write(result, report, values, surroundings);
    for (const line of await printed(result, values.output, {
      command: 'audit',
      written: [...loaded.written, ...loaded.reviewed],
      settings,
    }))
      surroundings.print(line);
    if (!isComplete(result)) return 2;
    return isToDo(result) ? 1 : 0;
  },
});

/** Nothing is written of what was read in part: a pod that was not read would count as isolated. */
async function write(
  result: AuditResult,
  report: AuditReport,
  values: SnapshotValues,
  { print, environment }: Surroundings,
): Promise<0> {
  const unread = [...report.unread, ...result.problems];
  if (unread.length > 0)
    throw new CannotStart(['no report is written, as these could not be read:', ...unread].join('\n'));
  const reader = readCluster(locationOf('audit', values, environment));
  try {
    const reports = openReportsOf(report, result.connectivity);
    const { written, unchanged, deleted, failed } = await writeReports(reader, reports);
    print(`reports: ${written - failed.length} written, ${unchanged} unchanged, ${deleted} deleted`);
    if (failed.length > 0) throw new CannotStart(failed.map(printable).join('\n'));
    return 0;
  } finally {
    reader.close();
  }
}

async function printed(result: AuditResult, format: (typeof formats)[number], by: SaidBy): Promise<readonly string[]> {
  switch (format) {
    case 'json':
      return [resultJson(printableIn(result))];
    case 'yaml':
      return [resultYaml(printableIn(result))];
    case 'html':
      return [await pageOf(printableIn(result))];
    case 'name':
    case 'sarif':
    case 'junit':
    case 'github':
      return printedSaid(format, saidByAudit(result), by);
    default:
      return resultLines(result, format === 'wide').map(printable);
  }
}

/** What would be rejected, and what cannot be judged. */
async function judgedFiles({ reviewed, snapshot, tenancy }: LoadedSnapshot, scope: Scope | undefined) {
  const { objects, problems } = storedFiles(reviewed, snapshot, tenancy);
  const found = createRejections(tenancy, scope === undefined);
  await judgeStored(objects, tenancy, found.listeners, scope);
  const { settings } = tenancy;
  const rejections = {
    observes: settings.enforcement === 'observe',
    rejected: found.reported(),
    checksPage: docsPage(settings, 'checks'),
  };
  return { rejections, rejected: found.all(), problems };
}

function surveyed(values: SnapshotValues, surroundings: Surroundings, scope: Scope | undefined): Promise<Survey> {
  const tenantsFrom = values.tenants === undefined ? 'objects' : 'listed';
  return inCluster('audit', values, surroundings, (reader, tenancy, problems) =>
    survey(reader, tenancy, tenantsFrom, problems, scope),
  );
}
