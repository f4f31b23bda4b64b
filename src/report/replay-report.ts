/** What `bulkhead replay` found, and how it prints it. */
import { stringify } from 'yaml';
import type { Replayed, ReplayedFlow } from '../connectivity/replay.ts';
import { type ScopeText, scopeLines } from './scope-text.ts';
import { table } from './table.ts';

/** Its fields are those of `bulkhead replay -o json`. No text has control characters. */
export interface ReplayReport extends Replayed {
  /** Left out: everything is reported. */
  readonly scope?: ScopeText;
  /** Lines that are flows without a verdict, replies, or neither TCP, UDP nor SCTP. */
  readonly other: number;
  readonly broken: { readonly lines: number; readonly examples: readonly BrokenLine[] };
  /** Files of which no line could be read, although they have some. */
  readonly unreadFiles: readonly UnreadFile[];
  /** What of the policies could not be read. */
  readonly problems: readonly string[];
}

export interface UnreadFile {
  readonly file: string;
  readonly reason: string;
}

/** Whether every file and every policy about the flows was read and understood. */
export function isComplete({ unreadFiles, unread, problems }: ReplayReport): boolean {
  return unreadFiles.length + unread.length + problems.length === 0;
}

export interface BrokenLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

function documentOf(report: ReplayReport): object {
  const hasFindings = report.dropped.length > 0;
  const head = {
    apiVersion: 'bulkhead.dev/v1alpha1',
    kind: 'ReplayReport',
    hasFindings,
    isComplete: isComplete(report),
  };
  return { ...head, ...report };
}

export const replayJson = (report: ReplayReport): string => JSON.stringify(documentOf(report), null, 2);

export const replayYaml = (report: ReplayReport): string => stringify(documentOf(report), { lineWidth: 0 }).trimEnd();

export function replayTable(report: ReplayReport): readonly string[] {
  const { flows, dropped, opened, unused, unknown, beyond, other, broken, problems, unread, unreadFiles } = report;
  const notes = [
    ...broken.examples.map(({ file, line, reason }) => `Broken: ${file}:${line}: the line ${reason}`),
    ...(unknown.flows === 0 ? [] : [`Unknown ends in ${count(unknown.flows, 'flow')}: ${some(unknown.ends)}.`]),
    ...(beyond === 0 ? [] : [`${count(beyond, 'flow')} more of either kind, not listed.`]),
    ...unreadFiles.map(({ file, reason }) => `Not read: ${file}: ${reason}.`),
    ...problems.map((one) => `Not read: ${one}`),
    ...unread.map(({ policy, field, reason }) => `Not understood: ${policy} ${field}: ${reason}`),
    ...(isComplete(report)
      ? []
      : ['The answer is not complete: more flows may be dropped or allowed than the report says.']),
  ];
  return [
    ...scopeLines(report.scope),
    ...section('WOULD BE DROPPED', dropped),
    ...section('WOULD BE ALLOWED', opened),
    ...unusedTable(unused),
    ...notes,
    `${count(flows, 'flow')}: ${dropped.length} would be dropped, ${opened.length} would be allowed that were dropped; ` +
      `${count(unused.length, 'rule')} unused. Left out: ${count(other, 'line')} of other kinds, ${broken.lines} broken.`,
  ];
}

function section(title: string, lines: readonly ReplayedFlow[]): readonly string[] {
  if (lines.length === 0) return [];
  const rows = lines.map(({ from, to, port, flows, because }) => [from, to, port, String(flows), because || '-']);
  return [...table([[title, 'TO', 'PORT', 'FLOWS', 'BECAUSE'], ...rows]), ''];
}

function unusedTable(unused: Replayed['unused']): readonly string[] {
  if (unused.length === 0) return [];
  const rows = unused.map(({ policy, path, ports, isWhole }) => [
    policy,
    path,
    isWhole ? 'the whole rule' : ports.join(', '),
  ]);
  return [...table([['UNUSED RULE OF', 'FIELD', 'PORTS'], ...rows]), ''];
}

const endsShown = 10;

function some(texts: readonly string[]): string {
  const shown = texts.slice(0, endsShown).join(', ');
  return texts.length > endsShown ? `${shown} and more` : shown;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
