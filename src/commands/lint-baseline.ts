/** Findings that are known already: only what is new fails. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isMap } from '../kubernetes/json.ts';
import type { LintFinding } from '../report/lint-report.ts';
import { CannotStart } from './cannot-start.ts';

/** How often each fingerprint is known. */
export type Baseline = ReadonlyMap<string, number>;

const head = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'LintBaseline' };

/** @throws CannotStart */
export async function readBaseline(file: string): Promise<Baseline> {
  let document: unknown;
  try {
    document = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CannotStart(`${file} cannot be read: ${why}. Write a baseline with --write-baseline ${file}`, 2);
  }
  const findings = isMap(document) && document.kind === head.kind ? document.findings : undefined;
  if (!Array.isArray(findings)) throw new CannotStart(`${file} is not a LintBaseline`, 2);
  const counts = new Map<string, number>();
  for (const one of findings) {
    const { fingerprint, count } = isMap(one) ? one : {};
    if (typeof fingerprint !== 'string' || typeof count !== 'number' || !(count > 0))
      throw new CannotStart(`${file}: each finding has a fingerprint and a count`, 2);
    counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + count);
  }
  return counts;
}

/** Of more findings with one fingerprint than the baseline has, the last ones are new. */
export function compareWith(baseline: Baseline, findings: readonly LintFinding[]) {
  const left = new Map(baseline);
  const compared = findings.map((one): LintFinding => {
    const count = left.get(one.fingerprint) ?? 0;
    if (count > 0) left.set(one.fingerprint, count - 1);
    return { ...one, known: count > 0 };
  });
  return { findings: compared, gone: [...left.values()].reduce((sum, count) => sum + count, 0) };
}

/** @throws CannotStart */
export async function writeBaseline(file: string, findings: readonly LintFinding[]): Promise<void> {
  const rows = new Map<string, { check: string; object: string; path: string; fingerprint: string; count: number }>();
  for (const { check, object, path, fingerprint } of findings) {
    const row = rows.get(fingerprint) ?? { check, object, path, fingerprint, count: 0 };
    row.count++;
    rows.set(fingerprint, row);
  }
  // In an order that moves of files do not change, so that a diff shows what is new.
  const key = ({ object, check, fingerprint }: { object: string; check: string; fingerprint: string }) =>
    `${object} ${check} ${fingerprint}`;
  const sorted = [...rows.values()].toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
  const draft = `${file}.new`;
  try {
    await writeFile(draft, `${JSON.stringify({ ...head, findings: sorted }, null, 2)}\n`);
    await rename(draft, file);
  } catch (error) {
    throw new CannotStart(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`, 2);
  }
}
