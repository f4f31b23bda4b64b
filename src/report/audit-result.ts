/** The whole of an audit: what would be rejected, where a cluster was read, and who reaches whom. */
import { stringify } from 'yaml';
import type { Picture } from '../picture/picture.ts';
import { requirements } from '../picture/requirements.ts';
import {
  type AuditReport,
  auditLines,
  fileLines,
  hasFindings,
  nothingChecked,
  olderBackstop,
  type Rejections,
} from './audit-report.ts';
import { hasViolations, pictureLines, unreadText } from './picture-report.ts';
import { type ScopeText, scopeLines } from './scope-text.ts';

export interface AuditResult {
  /** Undefined: files were read. */
  readonly report: AuditReport | undefined;
  /** Of files. */
  readonly rejections?: Rejections | undefined;
  /** What could not be read for the picture. */
  readonly problems: readonly string[];
  readonly connectivity: Picture;
  /** Undefined: everything is reported. */
  readonly scope?: ScopeText | undefined;
}

/** Whether there is something to do, or the audit is incomplete. */
export function isToDo(result: AuditResult): boolean {
  const { report, connectivity } = result;
  return (
    (report !== undefined && hasFindings(report)) ||
    rejectedIn(result).length > 0 ||
    hasViolations(connectivity) ||
    !isComplete(result)
  );
}

export function rejectedIn({ report, rejections }: AuditResult): Rejections['rejected'] {
  return (report ?? rejections)?.rejected ?? [];
}

/** Whether all was read and understood: what was not may open anything. */
export function isComplete({ report, problems, connectivity }: AuditResult): boolean {
  return (report?.unread.length ?? 0) + problems.length + connectivity.unread.length === 0;
}

/** What is wrong beside connections, each a sentence. */
export function warningsOf({ report, problems, connectivity }: AuditResult): readonly string[] {
  return [
    ...(report?.problems ?? []),
    ...[...problems, ...(report?.unread ?? [])].map((one) => `Not read: ${one}`),
    ...connectivity.unread.map(unreadText),
    ...(report?.planted ?? []).map((one) => `Not what it seems: ${one}`),
    ...(report?.namespaces === 0 ? [nothingChecked(report)] : []),
    ...(report?.backstop === 'older' && report.scope === undefined ? [olderBackstop] : []),
  ];
}

/** `AuditReport` as one document. */
function documentOf(result: AuditResult): object {
  const { report, rejections, problems, connectivity, scope } = result;
  return {
    ...{ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'AuditReport' },
    ...{ hasFindings: isToDo(result), isComplete: isComplete(result) },
    ...(scope !== undefined && { scope }),
    ...(report ?? rejections ?? {}),
    problems: [...(report?.problems ?? []), ...problems],
    requirements,
    connectivity,
  };
}

export const resultJson = (result: AuditResult): string => JSON.stringify(documentOf(result), null, 2);

export const resultYaml = (result: AuditResult): string => stringify(documentOf(result)).trimEnd();

export function resultLines(result: AuditResult, isWide: boolean): readonly string[] {
  const { report, rejections, problems, connectivity, scope } = result;
  return [
    ...scopeLines(scope),
    ...(report === undefined ? [] : [...auditLines(report), '']),
    ...(rejections === undefined ? [] : [...fileLines(rejections), '']),
    ...problems.map((one) => `not read: ${one}`),
    ...pictureLines(connectivity, isWide),
  ];
}
