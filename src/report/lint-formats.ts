/** What `bulkhead lint` prints for tools: SARIF for code hosts, JUnit for CI servers, and the annotations of GitHub. */
import { type LintFinding, type LintReport, type LintSeverity, whereOf, whyOf } from './lint-report.ts';

const levels: Readonly<Record<LintSeverity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  hint: 'note',
};

/** SARIF 2.1.0. Findings of the baseline are there, as unchanged and suppressed. */
export function lintSarif({ findings, version }: LintReport, hasBaseline: boolean): string {
  const ids = [...new Set(findings.map(({ check }) => check))].sort();
  const rules = ids.map((id) => {
    const { headline = '', docs = '' } = findings.find(({ check }) => check === id) ?? {};
    return {
      id,
      shortDescription: { text: headline || id },
      // Must be absolute.
      ...(/^https?:/.test(docs) && { helpUri: docs }),
    };
  });
  const results = findings.map((one) => ({
    ruleId: one.check,
    ruleIndex: ids.indexOf(one.check),
    level: levels[one.severity],
    message: { text: `${subjectOf(one)}${whyOf(one)}; fix: ${one.fix}` },
    locations: [locationOf(one)],
    partialFingerprints: { 'bulkhead/v1': one.fingerprint },
    ...(hasBaseline && { baselineState: one.known ? 'unchanged' : 'new' }),
    ...(one.known && { suppressions: [{ kind: 'external', justification: 'in the baseline' }] }),
  }));
  const run = {
    tool: { driver: { name: 'bulkhead', version, rules } },
    columnKind: 'utf16CodeUnits',
    results,
  };
  return JSON.stringify({ $schema: sarifSchema, version: '2.1.0', runs: [run] }, null, 2);
}

const sarifSchema = 'https://json.schemastore.org/sarif-2.1.0.json';

function locationOf({ file, line, column, object }: LintFinding) {
  const region = line === 0 ? {} : { region: { startLine: line, startColumn: column } };
  const isInside = !file.startsWith('/') && !file.startsWith('../');
  const uri = `${file.startsWith('/') ? 'file://' : ''}${file.split('/').map(encodeURIComponent).join('/')}`;
  return {
    physicalLocation: { artifactLocation: { uri, ...(isInside && { uriBaseId: '%SRCROOT%' }) }, ...region },
    ...(object !== '' && { logicalLocations: [{ fullyQualifiedName: object }] }),
  };
}

function subjectOf({ object, path }: LintFinding): string {
  const parts = [object, path].filter((part) => part !== '');
  return parts.length === 0 ? '' : `${parts.join(': ')} `;
}

/** One case for each judged object and for each file that cannot be read. Hints and findings of the baseline are output. */
export function lintJunit(
  report: LintReport,
  isFailing: (finding: LintFinding) => boolean,
  suite = 'bulkhead lint',
): string {
  const cases = new Map<string, { readonly file: string; readonly name: string; readonly findings: LintFinding[] }>();
  for (const { file, line, object } of report.objects)
    cases.set(`${file} ${object}`, { file, name: `${object} (line ${line})`, findings: [] });
  for (const one of report.findings) {
    const key = `${one.file} ${one.object}`;
    const known = cases.get(key) ?? { file: one.file, name: one.object || 'the file', findings: [] };
    cases.set(key, known);
    known.findings.push(one);
  }
  const all = [...cases.values()];
  const failed = all.filter(({ findings }) => findings.some(isFailing)).length;
  const counts = `tests="${all.length}" failures="${failed}" errors="0" skipped="0"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${suite}" ${counts}>`,
    `  <testsuite name="${suite}" ${counts}>`,
    ...all.flatMap(({ file, name, findings }) => testCase(file, name, findings, isFailing)),
    '  </testsuite>',
    '</testsuites>',
  ].join('\n');
}

function testCase(
  file: string,
  name: string,
  findings: readonly LintFinding[],
  isFailing: (finding: LintFinding) => boolean,
): readonly string[] {
  const begin = `    <testcase classname="${xml(file)}" name="${xml(name)}" file="${xml(file)}"`;
  if (findings.length === 0) return [`${begin}/>`];
  const [failures, others] = [findings.filter(isFailing), findings.filter((one) => !isFailing(one))];
  // Readers take one failure for each case.
  const failure = failures.length === 0 ? [] : [`      <failure ${failureOf(failures)}</failure>`];
  const output = others.length === 0 ? [] : [`      <system-out>${xml(textOf(others))}</system-out>`];
  return [`${begin}>`, ...failure, ...output, '    </testcase>'];
}

function failureOf(failures: readonly LintFinding[]): string {
  const checks = [...new Set(failures.map(({ check }) => check))].join(', ');
  const [first] = failures;
  return `type="${xml(checks)}" message="${xml(first === undefined ? '' : whyOf(first))}">${xml(textOf(failures))}`;
}

function textOf(findings: readonly LintFinding[]): string {
  return findings
    .map((one) => {
      const place = `${whereOf(one)}: ${one.severity} ${one.check}${one.known ? ' (in the baseline)' : ''}`;
      return `${place}: ${one.path} ${whyOf(one)}\n  fix: ${one.fix}\n  ${one.docs}`;
    })
    .join('\n');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 has neither control characters nor the two that are never characters. */
function xml(text: string): string {
  return text
    .replace(/[&<>"']/g, (one) => entities[one] ?? one)
    .replace(/[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}

const commands: Readonly<Record<LintSeverity, string>> = { error: 'error', warning: 'warning', hint: 'notice' };

/** Workflow commands of GitHub, which shows them on the lines of a pull request. Those of the baseline are left out. */
export function lintGithub({ findings }: LintReport): readonly string[] {
  return findings
    .filter(({ known }) => !known)
    .map((one) => {
      const place = one.line === 0 ? '' : `,line=${one.line},col=${one.column}`;
      const properties = `file=${property(one.file)}${place},title=${property(one.check)}`;
      const message = `${subjectOf(one)}${whyOf(one)}\nfix: ${one.fix}\n${one.docs}`;
      return `::${commands[one.severity]} ${properties}::${data(message)}`;
    });
}

/** As the toolkit of GitHub's actions escapes the text of a command. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
