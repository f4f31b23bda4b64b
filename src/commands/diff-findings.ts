/** Crossings that appear, as findings of lint have them: for tools that show findings on lines of files. */
import { createHash } from 'node:crypto';
import { printable } from '../admission/message.ts';
import type { WrittenObject } from '../files/written-objects.ts';
import { crossings, type DiffCause, type DiffChange, type DiffReport, endText, some } from '../report/diff-report.ts';
import type { LintFinding, LintReport } from '../report/lint-report.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Settings } from '../tenancy/settings.ts';
import { version } from './build.ts';
import { firstPlace, type HeldObjects, heldObjects } from './held-objects.ts';

/** The id of such a finding. */
const check = 'new-crossing';
const membersShown = 3;
const portsShown = 10;
const causesShown = 5;

/** @param written the objects of the files that are judged */
export function lintReportOf(report: DiffReport, written: readonly WrittenObject[], settings: Settings): LintReport {
  const held = heldObjects(written);
  const objects = [...held.values()].map(({ shown }) => shown);
  const findings = [
    ...crossings(report).map((one) => findingOf(one, held, settings)),
    ...report.unread.map(({ policy, field, reason }) => missing(policy, field, reason, held, settings)),
    ...report.problems.map((reason) => missing('', '', reason, held, settings)),
  ];
  const named = new Set(findings.map(({ object }) => object));
  return {
    findings,
    objects: objects.filter(({ object }) => named.has(object)),
    files: new Set(objects.map(({ file }) => file)).size,
    skipped: { otherKinds: 0, notObjects: 0, ofPlatform: 0, configuration: 0 },
    assumedNamespaces: [],
    gone: 0,
    version,
  };
}

/** What was not read or understood: an answer without it is none, for tools that show findings alone too. */
function missing(object: string, path: string, reason: string, held: HeldObjects, settings: Settings): LintFinding {
  return {
    check: 'not-understood',
    severity: 'error',
    ...firstPlace([{ object, path }], held),
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

function findingOf(change: DiffChange, held: HeldObjects, settings: Settings): LintFinding {
  const { from, to, ports, causes } = change;
  // What allows it is at the place of the finding.
  const opener = causes.find(({ file, side, path }) => file !== '' && side === 'new' && path !== '');
  const ends = `${endText(from, membersShown)} to ${endText(to, membersShown)}`;
  const others = causes.filter((one) => one !== opener);
  const why = some(
    others.map(({ text }) => text),
    causesShown,
    'causes',
    '; ',
  );
  const place = opener === undefined ? placeWithoutRule(change, held) : ofCause(opener, held);
  return {
    check,
    severity: 'error',
    ...place,
    headline: 'opens a connection over the border of a tenant',
    reason: `opens ${some(ports, portsShown, 'port ranges', ', ')} from ${ends}${why === '' ? '' : `, as ${why}`}`,
    witness: '',
    fix: 'narrow the peers or the ports, or agree on the crossing and accept this change',
    docs: docsPage(settings, 'how-to/diff.md'),
    fingerprint: createHash('sha256')
      .update(JSON.stringify([check, place.object, from, to, ports]))
      .digest('hex')
      .slice(0, 32),
    known: false,
  };
}

/** Where no new rule allows it: the policy that closed it before as it is now, else a workload that it is about, else where the policy was. */
function placeWithoutRule({ from, to, causes }: DiffChange, held: HeldObjects): ReturnType<typeof firstPlace> {
  const names = [
    ...causes.flatMap(({ policies }) => policies),
    ...[to, from].flatMap(({ members }) => members.map(objectOf)),
  ];
  const found = firstPlace(
    names.map((object) => ({ object, path: '' })),
    held,
  );
  if (held.has(found.object)) return found;
  const cause = causes.find(({ file }) => file !== '') ?? causes[0];
  return cause === undefined ? firstPlace([], held) : ofCause(cause, held);
}

function ofCause({ policies, path, file, line, column }: DiffCause, held: HeldObjects): ReturnType<typeof firstPlace> {
  const { object, apiVersion } = firstPlace([{ object: policies[0] ?? '', path: '' }], held);
  return { object, apiVersion, path: printable(path), file: file || '<cluster>', line, column };
}

/** `acme-web/Deployment/front` as `Deployment acme-web/front`. */
function objectOf(member: string): string {
  const [namespace, kind, name] = member.split('/');
  return `${kind} ${namespace}/${name}`;
}
