/** Findings of `bulkhead lint`: of a judgement, and of what cannot be judged. */
import { createHash } from 'node:crypto';
import { printable } from '../admission/message.ts';
import type { Judged } from '../checks/judge.ts';
import type { LayerFinding } from '../connectivity/layers/context.ts';
import { stepsOf, type WrittenObject } from '../files/written-objects.ts';
import { canonicalJson, isMap, type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { LintedObject, LintFinding, LintSeverity } from '../report/lint-report.ts';
import { docsPage } from '../tenancy/docs-page.ts';
import type { Problem, Step } from '../tenancy/problem.ts';
import type { Settings } from '../tenancy/settings.ts';

/** Why something is not judged; docs/how-to/lint.md explains each. */
export type NotJudged = 'unreadable' | 'not-understood' | 'missing-namespace' | 'unknown-namespace';

const headlines: Readonly<Record<NotJudged, string>> = {
  unreadable: 'cannot be read',
  'not-understood': 'is not understood, and what is not understood is not admitted',
  'missing-namespace': 'says no namespace',
  'unknown-namespace': 'is in a namespace whose owner is not known',
};

const page = 'how-to/lint.md';

/** `KIND NAMESPACE/NAME`, as denials have it. */
export function linted({ object, apiVersion, kind, file, placeOf }: WrittenObject, namespace: string): LintedObject {
  const name = valueAt(object, 'metadata', 'name');
  const generateName = valueAt(object, 'metadata', 'generateName');
  const shown =
    typeof name === 'string' && name !== '' ? name : `${typeof generateName === 'string' ? generateName : ''}*`;
  const group = apiVersion.includes('/') ? `.${apiVersion.slice(0, apiVersion.lastIndexOf('/'))}` : '';
  return {
    object: printable(`${kind} ${namespace === '' ? '' : `${named(namespace)}/`}${named(shown)}`),
    apiVersion: printable(apiVersion),
    name: printable(`${kind.toLowerCase()}${group}/${named(shown)}`),
    file: printable(file),
    line: placeOf('').line,
  };
}

/** No name of the API is longer. A file can hold any. */
const longestName = 253;

function named(name: string): string {
  return name.length <= longestName ? name : `${name.slice(0, longestName)}...`;
}

/** Of what a finding is known: another text there makes it new. */
export type Compared = 'field' | 'rule' | 'object';

export function findingOf(
  judged: Judged,
  written: WrittenObject,
  object: LintedObject,
  { settings, compared }: { readonly settings: Settings; readonly compared: Compared },
): LintFinding {
  const { check, path, headline, reason, witness = '', fix } = judged;
  const { line, column } = written.placeOf(path);
  return {
    check,
    severity: severityOf(judged),
    object: object.object,
    apiVersion: object.apiVersion,
    file: object.file,
    line,
    column,
    path: printable(path),
    headline: printable(headline),
    reason: printable(reason),
    witness: printable(witness),
    fix: printable(fix),
    docs: docsPage(settings, `checks/${check}.md`),
    fingerprint: fingerprintOf(check, object, path, written, compared),
    known: false,
  };
}

function severityOf({ refuses, refusesInEnforce }: Judged): LintSeverity {
  return refuses ? 'error' : refusesInEnforce ? 'warning' : 'hint';
}

export function notJudged(
  check: NotJudged,
  written: WrittenObject,
  object: LintedObject,
  settings: Settings,
  { path, reason, fix }: { readonly path: string; readonly reason: string; readonly fix: string },
): LintFinding {
  const judged = { check, path, headline: headlines[check], reason, fix, refuses: true, refusesInEnforce: true };
  const found = findingOf(judged, written, object, { settings, compared: 'field' });
  return { ...found, docs: docsPage(settings, page) };
}

/** A hint: both sides may be as their authors meant them. */
export function layerFinding(
  { check, path, reason, other, fix }: LayerFinding,
  written: WrittenObject,
  object: LintedObject,
  settings: Settings,
): LintFinding {
  const headline = 'contradicts a policy of another layer';
  const said = `${reason}; other side: ${other}`;
  const judged = { check, path, headline, reason: said, fix, refuses: false, refusesInEnforce: false };
  const found = findingOf(judged, written, object, { settings, compared: 'rule' });
  return { ...found, docs: docsPage(settings, `layers.md#${check}`) };
}

/** A file, or a part of one, that is not read. */
export function unreadable({ file, line, column, path, reason, fix }: Problem, settings: Settings): LintFinding {
  return {
    check: 'unreadable',
    severity: 'error',
    object: '',
    apiVersion: '',
    file: printable(file),
    line,
    column,
    path: printable(path),
    headline: headlines.unreadable,
    reason: printable(reason),
    witness: '',
    fix: printable(fix) || 'correct the text',
    docs: docsPage(settings, page),
    fingerprint: digest(['unreadable', file, reason]),
    known: false,
  };
}

/** The same for the same text in the same field of the same object, wherever it stands: without lines, files and places in lists. */
function fingerprintOf(
  check: string,
  { object, apiVersion }: LintedObject,
  path: string,
  written: WrittenObject,
  compared: Compared,
): string {
  const steps = stepsOf(path, written.object);
  const value = canonicalJson(comparedIn(written.object, steps, compared));
  const group = apiVersion.slice(0, Math.max(0, apiVersion.lastIndexOf('/')));
  return digest([check, group, object, steps.map((step) => (typeof step === 'number' ? '*' : step)), value]);
}

/**
 * What is open of a policy is the whole rule, for the pods that the policy selects. Of what is not read in parts, all counts but the
 * metadata.
 */
function comparedIn(object: JsonMap, steps: readonly Step[], compared: Compared): unknown {
  if (compared === 'object' || steps.length === 0) {
    const { metadata: _, status: __, ...content } = object;
    return content;
  }
  const index = compared === 'rule' ? steps.findIndex((step) => typeof step === 'number') : -1;
  if (index === -1) return inside(object, steps);
  const rule = inside(object, steps.slice(0, index + 1));
  const around = steps[0] === 'spec' ? inside(object, steps.slice(0, index - 1)) : undefined;
  if (!isMap(around)) return rule;
  // Other rules are lists; selectors, the order and the tier are none.
  return [rule, Object.fromEntries(Object.entries(around).filter(([, value]) => !Array.isArray(value)))];
}

function inside(value: unknown, steps: readonly Step[]): unknown {
  let inner = value;
  for (const step of steps) {
    if (Array.isArray(inner) && typeof step === 'number') inner = inner[step];
    else inner = isMap(inner) && typeof step === 'string' ? inner[step] : undefined;
  }
  return inner ?? null;
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
