/** Judges every object of files as the webhook would, without a cluster, and says where in the files each finding is. For CI. */
import { createHash } from 'node:crypto';
import { printable } from '../admission/message.ts';
import type { Author } from '../admission/written-object.ts';
import { noFiles, readFiles } from '../files/read-files.ts';
import { namespacesOf } from '../files/read-namespaces.ts';
import { asObjects, readTenancy } from '../files/read-tenancy.ts';
import { serviceAccountOf } from '../kubernetes/user.ts';
import { lintGithub, lintJunit, lintSarif } from '../report/lint-formats.ts';
import { lintPage } from '../report/lint-page.ts';
import {
  failing,
  type LintFinding,
  type LintReport,
  lintJson,
  lintNames,
  lintTable,
  lintYaml,
  whereOf,
} from '../report/lint-report.ts';
import { formatProblem } from '../tenancy/problem.ts';
import { version } from './build.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { defineCommand, type Surroundings } from './command.ts';
import { compareWith, readBaseline, writeBaseline } from './lint-baseline.ts';
import { lintCluster } from './lint-cluster.ts';
import { unreadable } from './lint-finding.ts';
import { excludeOption, readInputs } from './lint-inputs.ts';
import { lintTexts } from './lint-objects.ts';
import { Misuse } from './misuse.ts';
import { flag, oneOf, optionalText, texts } from './options.ts';
import { progressOf } from './progress.ts';
import { type Scope, scopeOf, scopeOptions } from './scope.ts';
import { readerOptions, tenancyOptions } from './shared-options.ts';
import { snapshotOptions } from './snapshot-source.ts';

const formats = ['table', 'wide', 'json', 'yaml', 'name', 'sarif', 'junit', 'github', 'html'] as const;

export const command = defineCommand({
  summary: 'judge every object of files, or of a cluster, as the webhook would',
  details:
    'Without files it reads a cluster. ' +
    'Ends with 1 when something new is found that is more than a hint, and with 2 when a part cannot be read. ' +
    'Objects of files are judged as written by a member of the tenant that owns their namespace, and those of a cluster as by audit.',
  operands: { name: 'FILES', help: 'files, folders of files, and - for the standard input' },
  options: {
    ...tenancyOptions,
    tenants: snapshotOptions.tenants,
    ...readerOptions,
    namespaces: optionalText(
      'DIR',
      'read the Namespaces that exist from the YAML files of this folder',
      'those among the files, and the reserved names',
    ),
    filename: { ...texts('FILE', 'judge this file or folder, as one of FILES; repeat for more', 'none'), short: 'f' },
    kustomize: { ...texts('DIR', 'judge what kustomize builds of this folder; repeat for more', 'none'), short: 'k' },
    ...excludeOption,
    ...scopeOptions('objects without one are findings'),
    as: optionalText('NAME', 'judge as written by this user or service account', 'a member of the tenant'),
    'as-group': texts('GROUP', 'judge as written by a member of this group; repeat for more groups', 'none'),
    'as-platform': flag('judge as written by the platform'),
    baseline: optionalText('FILE', 'end with 0 when all findings are in this file', 'every finding is new'),
    'write-baseline': optionalText('FILE', 'write the findings to this file, and end with 0', 'nothing is written'),
    'allow-warnings': flag('end with 0 when nothing is found but warnings and hints'),
    output: { ...oneOf('FORMAT', formats, 'print the findings in this format', 'table'), short: 'o' },
  },
  async run(values, surroundings, operands) {
    const { tenants, config, namespaces: folder } = values;
    const paths = [...values.filename, ...operands];
    const author = authorOf(values);
    const scope = scopeOf(values);
    const known = values.baseline === undefined ? new Map() : await readBaseline(values.baseline);
    const end = (report: LintReport, unread: readonly string[]) => ended(report, unread, values, surroundings);
    if (paths.length + values.kustomize.length === 0) {
      if (author !== 'member' || folder !== undefined)
        throw new Misuse(
          '--as, --as-group, --as-platform and --namespaces are for files: give files, or leave them out',
        );
      const { findings, objects, unread } = await lintCluster(values, surroundings, scope);
      const report = { ...nothing, ...compareWith(known, findings), objects, ...ofScope(scope) };
      return await end({ ...report, isOfCluster: true }, unread);
    }
    if (tenants === undefined)
      throw new Misuse('without tenants no namespace has a known owner: give their folder with --tenants DIR');
    if ((values.kubeconfig ?? values.context) !== undefined)
      throw new Misuse('--kubeconfig and --context are for a cluster: leave them out, or the files');
    // The tenants of a cluster may be objects: what is written for those is judged, and not that they come from files here.
    const tenancy = asObjects(orCannotStart(await readTenancy({ tenants, config }), 2).value);
    const listed = folder === undefined ? noFiles : await readFiles(folder);
    const { value: namespaces } = orCannotStart(namespacesOf(listed, folder ?? ''), 2);

    const inputs = await readInputs(paths, values.kustomize, [tenants, config, folder], values.exclude, surroundings);
    const found = await lintTexts(inputs.files, {
      tenancy,
      listed: namespaces,
      author,
      defaultNamespace: values.namespace,
      scope,
      onProgress: progressOf(surroundings, () => performance.now()),
    });
    surroundings.progress?.('');

    const all = inReadingOrder([...inputs.problems.map((one) => unreadable(one, tenancy.settings)), ...found.findings]);
    const notRead = all.filter(({ check }) => check === 'unreadable');
    scope?.require(notRead.map((one) => `${whereOf(one)}: ${one.reason}`));
    const compared = compareWith(known, all);
    const findings = compared.findings.filter((_, index) => !found.elsewhere.has(all[index] as LintFinding));
    const report: LintReport = {
      ...nothing,
      findings,
      objects: found.objects,
      files: inputs.files.length + inputs.problems.length,
      skipped: {
        otherKinds: found.otherKinds,
        notObjects: found.notObjects,
        ofPlatform: found.ofPlatform,
        configuration: inputs.configuration,
      },
      assumedNamespaces: found.assumedNamespaces,
      gone: compared.gone,
      ...ofScope(scope),
    };
    return await end(
      report,
      inputs.unread.map((one) => formatProblem(one)),
    );
  },
});

const nothing = {
  ...{ files: 0, skipped: { otherKinds: 0, notObjects: 0, ofPlatform: 0, configuration: 0 } },
  ...{ assumedNamespaces: [], version },
};

const ofScope = (scope: Scope | undefined): Pick<LintReport, 'scope'> =>
  scope === undefined ? {} : { scope: scope.text };

interface EndOptions {
  readonly 'allow-warnings': boolean;
  readonly output: (typeof formats)[number];
  readonly baseline: string | undefined;
  readonly 'write-baseline': string | undefined;
}

/** @param unread without it there is no answer */
async function ended(
  report: LintReport,
  unread: readonly string[],
  { 'allow-warnings': allows, output, baseline, 'write-baseline': file }: EndOptions,
  { print }: Surroundings,
): Promise<0 | 1> {
  const failures = new Set(failing(report.findings, allows));
  for (const line of printed(report, output, failures, baseline !== undefined)) print(line);
  if (unread.length > 0) throw new CannotStart(unread.map((one) => printable(one)).join('\n'), 2);
  if (file !== undefined) {
    await writeBaseline(file, report.findings);
    return 0;
  }
  return failures.size > 0 ? 1 : 0;
}

function printed(
  report: LintReport,
  format: (typeof formats)[number],
  failures: ReadonlySet<LintFinding>,
  hasBaseline: boolean,
): readonly string[] {
  switch (format) {
    case 'table':
    case 'wide':
      return lintTable(report, format === 'wide');
    case 'json':
      return [lintJson(report, failures.size > 0)];
    case 'yaml':
      return [lintYaml(report, failures.size > 0)];
    case 'name':
      return lintNames(report);
    case 'sarif':
      return [lintSarif(report, hasBaseline)];
    case 'junit':
      return [lintJunit(report, (finding) => failures.has(finding))];
    case 'github':
      return lintGithub(report);
    case 'html':
      return [lintPage(report, (text) => createHash('sha256').update(text).digest('base64'))];
  }
}

interface AuthorOptions {
  readonly as: string | undefined;
  readonly 'as-group': readonly string[];
  readonly 'as-platform': boolean;
}

/** With the groups that the API server gives to users that are impersonated. */
function authorOf({ as: username, 'as-group': groups, 'as-platform': isPlatform }: AuthorOptions): Author {
  const isNamed = username !== undefined || groups.length > 0;
  if (isNamed && isPlatform) throw new Misuse('--as-platform goes with neither --as nor --as-group');
  if (!isNamed) return isPlatform ? 'platform' : 'member';
  const account = serviceAccountOf({ username: username ?? '', groups });
  const own = account === undefined ? [] : ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`];
  return { username: username ?? '', groups: [...groups, ...own, 'system:authenticated'] };
}

function inReadingOrder(findings: readonly LintFinding[]): readonly LintFinding[] {
  return findings.toSorted(
    (one, other) =>
      (one.file < other.file ? -1 : one.file > other.file ? 1 : 0) ||
      one.line - other.line ||
      one.column - other.column,
  );
}
