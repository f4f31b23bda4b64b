/**
 * What commands about connections found, in the formats of lint: one finding for each thing that is not as it should be, on the line of the
 * object where it was read from a file.
 */
import { createHash } from 'node:crypto';
import { printable } from '../admission/message.ts';
import type { WrittenObject } from '../files/written-objects.ts';
import { lintGithub, lintJunit, lintSarif } from '../report/lint-formats.ts';
import { lintPage } from '../report/lint-page.ts';
import { failing, type LintFinding, type LintReport, type LintSeverity } from '../report/lint-report.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Settings } from '../tenancy/settings.ts';
import { version } from './build.ts';
import { firstPlace, heldObjects, type Place } from './held-objects.ts';

export const toolFormats = ['name', 'sarif', 'junit', 'github'] as const;
export type ToolFormat = (typeof toolFormats)[number] | 'html';

/** One thing that is said. */
export interface Said extends Place {
  /** Its id. */
  readonly check: string;
  readonly severity: LintSeverity;
  /** Where no file holds the object, it is at the first of these that one holds. */
  readonly otherwise?: readonly Place[];
  readonly headline: string;
  readonly reason: string;
  readonly fix: string;
}

export interface SaidBy {
  /** `explain` */
  readonly command: string;
  /** Objects of files; empty for those of a cluster. */
  readonly written: readonly WrittenObject[];
  readonly settings: Settings;
}

export function printedSaid(format: ToolFormat, said: readonly Said[], by: SaidBy): readonly string[] {
  const report = reportOf(said, by);
  const isFailing = (one: LintFinding): boolean => failing([one], false).length > 0;
  switch (format) {
    case 'name':
      return namesOf(said);
    case 'sarif':
      return [lintSarif(report, false)];
    case 'junit':
      return [lintJunit(report, isFailing, `bulkhead ${by.command}`)];
    case 'github':
      return lintGithub(report);
    case 'html': {
      const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');
      return [lintPage(report, sha256, `What bulkhead ${by.command} found`)];
    }
  }
}

/** The objects, each once, as kubectl takes them in their namespace: `networkpolicy/open`. Where it is about none, the check: `finding/not-read`. */
function namesOf(said: readonly Said[]): readonly string[] {
  const names = said.map(({ object, check }) => {
    const [kind = '', name = ''] = object.split(' ');
    return name === '' ? `finding/${check}` : printable(`${kind.toLowerCase()}/${name.slice(name.indexOf('/') + 1)}`);
  });
  return [...new Set(names)].sort();
}

function reportOf(said: readonly Said[], { command, written, settings }: SaidBy): LintReport {
  const held = heldObjects(written);
  const findings = said.map(
    (one): LintFinding => ({
      ...{ check: one.check, severity: one.severity, ...firstPlace([one, ...(one.otherwise ?? [])], held) },
      ...{ headline: one.headline, reason: printable(one.reason), witness: '', fix: printable(one.fix) },
      docs: docsPage(settings, `how-to/${command}.md`),
      fingerprint: createHash('sha256')
        .update(JSON.stringify([one.check, one.object, one.path, one.reason]))
        .digest('hex')
        .slice(0, 32),
      known: false,
    }),
  );
  const named = new Set(findings.map(({ object }) => object));
  return {
    findings,
    objects: [...held.values()].map(({ shown }) => shown).filter(({ object }) => named.has(object)),
    files: new Set([...held.values()].map(({ shown }) => shown.file)).size,
    skipped: { otherKinds: 0, notObjects: 0, ofPlatform: 0, configuration: 0 },
    ...{ assumedNamespaces: [], gone: 0, version },
  };
}

/** What was not read, or not understood: without it there is no answer. */
export function notUnderstood(
  unread: readonly { readonly policy: string; readonly field: string; readonly reason: string }[],
  problems: readonly string[],
): readonly Said[] {
  const severity = 'error';
  return [
    ...unread.map(
      ({ policy, field, reason }): Said => ({
        ...{ check: 'not-understood', severity, object: policy, path: field, headline: 'is not understood', reason },
        fix: 'write it in a way that Bulkhead reads, or review it by hand',
      }),
    ),
    ...problems.map(
      (reason): Said => ({
        ...{ check: 'not-read', severity, object: '', path: '', headline: 'could not be read', reason },
        fix: 'give the command the right to read it, or correct the file',
      }),
    ),
  ];
}
