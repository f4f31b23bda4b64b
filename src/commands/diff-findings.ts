/** Crossings that appear, as findings of lint have them: for tools that show findings on lines of files. */
import { createHash } from 'node:crypto';
import { printable } from '../admission/message.ts';
import type { WrittenObject } from '../files/written-objects.ts';
import { valueAt } from '../kubernetes/json.ts';
import { crossings, type DiffChange, type DiffReport, endText } from '../report/diff-report.ts';
import type { LintedObject, LintFinding, LintReport } from '../report/lint-report.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Settings } from '../tenancy/settings.ts';
import { version } from './build.ts';
import { linted } from './lint-finding.ts';

/** The id of such a finding. */
const check = 'new-crossing';
const membersShown = 3;

/** @param written the objects of the files that are judged */
export function lintReportOf(report: DiffReport, written: readonly WrittenObject[], settings: Settings): LintReport {
  const policies = new Set(crossings(report).flatMap(({ causes }) => causes.flatMap((one) => one.policies)));
  const objects = written.map((one) => linted(one, String(valueAt(one.object, 'metadata', 'namespace') ?? '')));
  return {
    findings: [
      ...crossings(report).map((one) => findingOf(one, objects, settings)),
      ...report.unread.map(({ policy, field, reason }) => missing(policy, field, reason, written, settings)),
      ...report.problems.map((reason) => missing('', '', reason, written, settings)),
    ],
    objects: objects.filter(({ object }) => policies.has(object)),
    files: new Set(objects.map(({ file }) => file)).size,
    skipped: { otherKinds: 0, notObjects: 0, ofPlatform: 0, configuration: 0 },
    assumedNamespaces: [],
    gone: 0,
    version,
  };
}

/** What was not read or understood: an answer without it is none, for tools that show findings alone too. */
function missing(
  object: string,
  path: string,
  reason: string,
  written: readonly WrittenObject[],
  settings: Settings,
): LintFinding {
  const one = written.find(
    (at) => linted(at, String(valueAt(at.object, 'metadata', 'namespace') ?? '')).object === object,
  );
  const place = one?.placeOf(path);
  return {
    check: 'not-understood',
    severity: 'error',
    object,
    apiVersion: one?.apiVersion ?? '',
    file: one === undefined ? '<cluster>' : printable(one.file),
    line: place?.line ?? 0,
    column: place?.column ?? 0,
    path,
    headline: 'could not be compared',
    reason: printable(reason),
    witness: '',
    fix: 'write it in a way that Bulkhead reads, or review the change by hand',
    docs: docsPage(settings, 'how-to/diff.md'),
    fingerprint: createHash('sha256')
      .update(JSON.stringify(['not-understood', object, path, reason]))
      .digest('hex')
      .slice(0, 32),
    known: false,
  };
}

function findingOf(change: DiffChange, objects: readonly LintedObject[], settings: Settings): LintFinding {
  const { from, to, ports, causes } = change;
  // A cause with a place, where there is one.
  const cause = causes.find(({ file }) => file !== '') ?? causes[0];
  const object = cause?.policies[0] ?? '';
  const ends = `${endText(from, membersShown)} to ${endText(to, membersShown)}`;
  // The rule that allows it is at the place of the finding.
  const others = causes.filter((one) => one !== cause || one.path === '' || one.side === 'old');
  const why = others.map(({ text }) => text).join('; ');
  return {
    check,
    severity: 'error',
    object,
    apiVersion: objects.find((one) => one.object === object)?.apiVersion ?? '',
    file: cause?.file || '<cluster>',
    line: cause?.line ?? 0,
    column: cause?.column ?? 0,
    path: printable(cause?.path ?? ''),
    headline: 'opens a connection over the border of a tenant',
    reason: `opens ${ports.join(', ')} from ${ends}${why === '' ? '' : `, as ${why}`}`,
    witness: '',
    fix: 'narrow the peers or the ports, or agree on the crossing and accept this change',
    docs: docsPage(settings, 'how-to/diff.md'),
    fingerprint: createHash('sha256')
      .update(JSON.stringify([check, object, from, to, ports]))
      .digest('hex')
      .slice(0, 32),
    known: false,
  };
}
