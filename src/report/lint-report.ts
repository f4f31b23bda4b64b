/** What `bulkhead lint` found, and how it prints it: a table, JSON, YAML, or names. For tools: see lint-formats.ts. */
import { stringify } from 'yaml';
import { type ScopeText, scopeLines } from './scope-text.ts';
import { table } from './table.ts';

/** `error`: the webhook refuses the object, or the pods that come of it. `warning`: it would in mode enforce. `hint`: it only warns. */
export type LintSeverity = 'error' | 'warning' | 'hint';

/** Its fields are those of `findings` in `bulkhead lint -o json`. No text has control characters. */
export interface LintFinding {
  /** The id of a check, or why an object could not be judged. */
  readonly check: string;
  readonly severity: LintSeverity;
  /** As `KIND NAMESPACE/NAME`; empty for a file that cannot be read. */
  readonly object: string;
  readonly apiVersion: string;
  readonly file: string;
  /** From 1; 0: the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** The field; empty for the whole object. */
  readonly path: string;
  readonly headline: string;
  readonly reason: string;
  /** Empty where there is none. */
  readonly witness: string;
  readonly fix: string;
  /** The page of the check. */
  readonly docs: string;
  /** The same for the same text in the same field of the same object, wherever it stands in which file. */
  readonly fingerprint: string;
  /** The baseline has it. */
  readonly known: boolean;
}

export interface LintedObject {
  /** As in findings. */
  readonly object: string;
  readonly apiVersion: string;
  /** As kubectl names it: `networkpolicy.networking.k8s.io/open`. */
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

export interface LintReport {
  /** In the order of files and lines. */
  readonly findings: readonly LintFinding[];
  /** Judged objects. */
  readonly objects: readonly LintedObject[];
  readonly files: number;
  /** What is not judged. */
  readonly skipped: {
    /** Objects of kinds that Bulkhead is not asked about. */
    readonly otherKinds: number;
    /** Documents that are no objects, such as values of a Helm chart. */
    readonly notObjects: number;
    /** Objects inside of namespaces of the platform, about which the API server does not ask. */
    readonly ofPlatform: number;
    /** Files that --config, --tenants and --namespaces name. */
    readonly configuration: number;
  };
  /** Namespaces that are neither among the files nor listed, whose owner is taken from their reserved names. */
  readonly assumedNamespaces: readonly string[];
  /** Findings of the baseline that are gone. */
  readonly gone: number;
  /** What the same objects are called by the program. */
  readonly version: string;
  /** Left out: everything is reported. */
  readonly scope?: ScopeText;
  /** They are objects of a cluster, which have no places. */
  readonly isOfCluster?: true;
}

export const severities: readonly LintSeverity[] = ['error', 'warning', 'hint'];

/** Those that are new and more than a hint. */
export function failing(findings: readonly LintFinding[], allowWarnings: boolean): readonly LintFinding[] {
  return findings.filter(
    ({ severity, known }) => !known && (severity === 'error' || (severity === 'warning' && !allowWarnings)),
  );
}

export function whereOf({ file, line, column }: Pick<LintFinding, 'file' | 'line' | 'column'>): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** The reason with its witness. */
export function whyOf({ reason, witness }: Pick<LintFinding, 'reason' | 'witness'>): string {
  return witness === '' ? reason : `${reason}; for example ${witness}`;
}

function documentOf(report: LintReport, fails: boolean): object {
  const { objects, isOfCluster: _, ...rest } = report;
  const head = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'LintReport', hasFindings: fails, objects: objects.length };
  return { ...head, ...rest };
}

export const lintJson = (report: LintReport, fails: boolean): string =>
  JSON.stringify(documentOf(report, fails), null, 2);

export const lintYaml = (report: LintReport, fails: boolean): string =>
  stringify(documentOf(report, fails), { lineWidth: 0 }).trimEnd();

/** The objects with new findings, each once. */
export function lintNames({ findings, objects }: LintReport): readonly string[] {
  const found = new Set(
    findings.filter(({ known }) => !known).map(({ object, apiVersion }) => `${apiVersion} ${object}`),
  );
  const names = objects.filter(({ object, apiVersion }) => found.has(`${apiVersion} ${object}`));
  return [...new Set(names.map(({ name }) => name))];
}

/** Compilers write places in this way, so editors and terminals make links of them. */
export function lintTable(report: LintReport, isWide: boolean): readonly string[] {
  const shown = report.findings.filter(({ known }) => !known);
  const scope = scopeLines(report.scope);
  if (shown.length === 0) return [...scope, ...summary(report)];
  const placed = (where: string, others: readonly string[]) => (report.isOfCluster ? others : [where, ...others]);
  const heads = placed('WHERE', ['SEVERITY', 'CHECK', 'OBJECT', 'FIELD']);
  const cells = shown.map((one) => placed(whereOf(one), [one.severity, one.check, one.object, one.path]));
  if (isWide) {
    const wide = shown.map((one, index) => [...(cells[index] ?? []), whyOf(one), one.fix, one.docs]);
    return [...scope, ...table([[...heads, 'REASON', 'FIX', 'DOCS'], ...wide]), '', ...summary(report)];
  }
  return [...scope, ...table([heads, ...cells]), '', ...explained(shown), '', ...summary(report)];
}

/** Each reason and fix once, with its check. */
function explained(findings: readonly LintFinding[]): readonly string[] {
  const texts = findings.map((one) => `${one.check}: ${whyOf(one)}\n  fix: ${one.fix}\n  ${one.docs}`);
  return [...new Set(texts)].flatMap((text) => text.split('\n'));
}

function summary(report: LintReport): readonly string[] {
  const { findings, objects, files, skipped, assumedNamespaces, gone } = report;
  const fresh = findings.filter(({ known }) => !known);
  const counts = severities.flatMap((severity) => {
    const number = fresh.filter((one) => one.severity === severity).length;
    return number === 0 ? [] : [count(number, severity)];
  });
  const known = findings.length - fresh.length;
  const inBaseline = known === 0 && gone === 0 ? [] : [`Baseline: ${known} known, ${gone} gone.`];
  const left = [
    ...(skipped.otherKinds === 0 ? [] : [`${count(skipped.otherKinds, 'object')} of other kinds`]),
    ...(skipped.ofPlatform === 0 ? [] : [`${count(skipped.ofPlatform, 'object')} in namespaces of the platform`]),
    ...(skipped.notObjects === 0 ? [] : [`${count(skipped.notObjects, 'document')} without an object`]),
    ...(skipped.configuration === 0 ? [] : [`${count(skipped.configuration, 'file')} of the configuration`]),
  ];
  const assumed =
    assumedNamespaces.length === 0
      ? []
      : [`Owner taken from the reserved name, as the namespace is not listed: ${some(assumedNamespaces)}.`];
  return [
    `${count(objects.length, 'object')} in ${report.isOfCluster ? 'the cluster' : count(files, 'file')}: ${counts.length === 0 ? 'nothing found' : counts.join(', ')}.`,
    ...inBaseline,
    ...(left.length === 0 ? [] : [`Not judged: ${left.join(', ')}.`]),
    ...assumed,
  ];
}

/** Names that are shown of many. */
const namesShown = 5;

function some(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).join(', ');
  return names.length > namesShown ? `${shown} and ${names.length - namesShown} more` : shown;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
