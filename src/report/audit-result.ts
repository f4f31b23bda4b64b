/** The whole of an audit: what would be rejected, where a cluster was read, and who reaches whom. */
import { stringify } from 'yaml';
import type { Picture } from '../connectivity/picture.ts';
import { type AuditReport, auditLines, hasFindings } from './audit-report.ts';
import { hasViolations, pictureLines } from './picture-report.ts';

export interface AuditResult {
  /** Undefined: files were read, which `bulkhead lint` judges. */
  readonly report: AuditReport | undefined;
  /** What could not be read for the picture. */
  readonly problems: readonly string[];
  readonly connectivity: Picture;
}

/** Whether there is something to do, or the audit is incomplete. */
export function isToDo({ report, problems, connectivity }: AuditResult): boolean {
  return (report !== undefined && hasFindings(report)) || problems.length > 0 || hasViolations(connectivity);
}

/** `AuditReport` as one document. */
function documentOf(result: AuditResult): object {
  const { report, problems, connectivity } = result;
  return {
    ...{ apiVersion: 'bulkhead.dev/v1alpha1', kind: 'AuditReport', hasFindings: isToDo(result) },
    ...(report ?? {}),
    problems: [...(report?.problems ?? []), ...problems],
    connectivity,
  };
}

export const resultJson = (result: AuditResult): string => JSON.stringify(documentOf(result), null, 2);

export const resultYaml = (result: AuditResult): string => stringify(documentOf(result)).trimEnd();

/** Files have nothing else to show, so they show all. */
export function resultLines({ report, problems, connectivity }: AuditResult, isWide: boolean): readonly string[] {
  return [
    ...(report === undefined ? [] : [...auditLines(report), '']),
    ...problems.map((one) => `not read: ${one}`),
    ...pictureLines(connectivity, isWide),
  ];
}
