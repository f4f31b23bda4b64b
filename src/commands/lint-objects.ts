/** Judges the objects of texts, namespaces first, each as the API server would have it judged. */
import type { BesideSource } from '../admission/beside.ts';
import { systemClock } from '../admission/clock.ts';
import type { Sources } from '../admission/live-facts.ts';
import { type Author, judgeWritten, type Written } from '../admission/written-object.ts';
import type { TextFile } from '../files/read-files.ts';
import type { Namespaces } from '../files/read-namespaces.ts';
import { type WrittenObject, writtenObjects } from '../files/written-objects.ts';
import { type ReviewedResource, resourceOfObject } from '../kinds/kind-of-object.ts';
import { type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { LintedObject, LintFinding } from '../report/lint-report.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { findingOf, linted, notJudged, unreadable } from './lint-finding.ts';
import { lintLayers } from './lint-layers.ts';
import { createLintNamespaces, type LintNamespaces } from './lint-namespaces.ts';
import { namespaceOf } from './object-namespace.ts';
import { labelsIn, type Scope } from './scope.ts';

export interface LintedTexts {
  readonly findings: readonly LintFinding[];
  /** Those of objects that are not in the scope. */
  readonly elsewhere: ReadonlySet<LintFinding>;
  /** Those in the scope. */
  readonly objects: readonly LintedObject[];
  readonly otherKinds: number;
  readonly notObjects: number;
  /** Objects inside of namespaces about which the API server does not ask. */
  readonly ofPlatform: number;
  readonly assumedNamespaces: readonly string[];
}

export interface LintContext {
  readonly tenancy: Tenancy;
  readonly listed: Namespaces;
  readonly author: Author;
  /** Of objects that say none. */
  readonly defaultNamespace: string | undefined;
  /** Undefined: everything. */
  readonly scope?: Scope | undefined;
  /** Called for each text that is read, then for each object that is judged. */
  readonly onProgress: (done: number, all: number, what: 'files' | 'objects' | 'comparisons') => void;
}

interface Candidate {
  readonly written: WrittenObject;
  readonly resource: ReviewedResource;
}

export async function lintTexts(files: readonly TextFile[], context: LintContext): Promise<LintedTexts> {
  const { tenancy, listed } = context;
  const { settings } = tenancy;
  const names = settings.policyKinds.map(({ resource }) => resource);
  const namespaces = createLintNamespaces(tenancy, listed);
  const findings: LintFinding[] = [];
  const elsewhere = new Set<LintFinding>();
  const objects: LintedObject[] = [];
  const candidates: Candidate[] = [];
  const all: WrittenObject[] = [];
  let [otherKinds, notObjects, ofPlatform] = [0, 0, 0];
  for (const [index, file] of files.entries()) {
    const read = writtenObjects(file);
    notObjects += read.others;
    for (const one of read.problems) findings.push(unreadable(one, settings));
    for (const written of read.objects) {
      all.push(written);
      const resource = resourceOfObject(written.apiVersion, written.kind, names);
      if (resource === undefined) otherKinds++;
      else candidates.push({ written, resource });
    }
    context.onProgress(index + 1, files.length, 'files');
  }
  let judged = 0;
  const beside = besideAmong(all);
  const judge = async (one: Candidate): Promise<void> => {
    context.onProgress(++judged, candidates.length, 'objects');
    const isReported = isInScope(one, context);
    const linted = await lintObject(one, context, namespaces, beside);
    if (linted === undefined) {
      ofPlatform++;
      return;
    }
    if (isReported) objects.push(linted.object);
    for (const finding of linted.found) {
      findings.push(finding);
      if (!isReported) elsewhere.add(finding);
    }
  };
  // What is inside a namespace is judged by its labels, wherever in the files it is.
  const isNamespace = ({ resource }: Candidate): boolean => resource.family === 'namespace';
  for (const one of candidates.filter(isNamespace)) await judge(one);
  for (const one of candidates.filter((other) => !isNamespace(other))) await judge(one);
  const { defaultNamespace } = context;
  const layers = lintLayers(all, { tenancy, namespaces: namespaces.source, defaultNamespace });
  for (const { finding, sides } of layers) {
    findings.push(finding);
    const isIn = (side: JsonMap): boolean =>
      context.scope?.hasWritten(String(valueAt(side, 'metadata', 'namespace')), labelsIn(side)) ?? true;
    if (!sides.some(isIn)) elsewhere.add(finding);
  }
  const assumedNamespaces = [...namespaces.assumed].filter((name) => context.scope?.hasNamespace(name) ?? true).sort();
  return { findings, elsewhere, objects, otherKinds, notObjects, ofPlatform, assumedNamespaces };
}

/** A Namespace counts as in itself. */
function isInScope({ written, resource }: Candidate, { scope, defaultNamespace }: LintContext): boolean {
  if (scope === undefined) return true;
  const name = valueAt(written.object, 'metadata', 'name');
  const namespace =
    resource.family === 'namespace' ? String(name ?? '') : namespaceOf(resource, written, defaultNamespace);
  return scope.hasWritten(namespace, labelsIn(written.object));
}

interface Linted {
  readonly object: LintedObject;
  readonly found: readonly LintFinding[];
}

const unknownNamespace = [
  'names a namespace that is neither among the files nor listed, and no tenant has reserved its name',
  'add the Namespace to the files, or list it with --namespaces DIR',
] as const;
const refusedNamespace = [
  'names a namespace that the files create and that would be refused, so its owner is not known',
  'correct the Namespace first, or list it with --namespaces DIR if it is there already',
] as const;

/** Undefined: it is inside of a namespace about which the API server does not ask. */
async function lintObject(
  { written, resource }: Candidate,
  { tenancy, author, defaultNamespace }: LintContext,
  namespaces: LintNamespaces,
  beside: BesideSource,
): Promise<Linted | undefined> {
  const { settings } = tenancy;
  const { object } = written;
  const namespace = namespaceOf(resource, written, defaultNamespace);
  const named = linted(written, namespace);
  const refused = (check: Parameters<typeof notJudged>[0], path: string, reason: string, fix: string): Linted => ({
    object: named,
    found: [notJudged(check, written, named, settings, { path, reason, fix })],
  });
  if (resource.scope === 'Namespaced' && namespace === '')
    return refused(
      'missing-namespace',
      'metadata.namespace',
      'is not given, so the owner of the object is not known',
      'write the namespace into the object, or give it with -n NAMESPACE',
    );
  if (namespace !== '' && !namespaces.isSelected(namespace)) return undefined;
  if (namespace !== '' && !namespaces.knows(namespace)) {
    const [reason, fix] = namespaces.refused.has(namespace) ? refusedNamespace : unknownNamespace;
    return refused('unknown-namespace', 'metadata.namespace', reason, fix);
  }
  const name = valueAt(object, 'metadata', 'name');
  const existing = resource.family === 'namespace' && typeof name === 'string' ? namespaces.existing(name) : undefined;
  const asked: Written = { resource, object, namespace, author, storedLabels: existing?.labels };
  const sources: Sources = {
    tenancy,
    namespaces: namespaces.source,
    clock: systemClock,
    now: Date.now(),
    timeBudget: 5000,
    // Policies of tenants are compared with each other once all are judged (lint-layers.ts).
    ...(resource.family === 'unread' && resource.scope !== 'Namespaced' && { beside }),
  };
  const verdict = await judgeWritten(asked, sources);
  if (verdict.refused !== undefined)
    return refused('not-understood', '', verdict.refused, 'correct the object, as the API server would refuse it');
  const found = verdict.judged.filter(({ exemption }) => exemption === undefined);
  // What is refused is not there, and its labels say nothing.
  if (resource.family === 'namespace') {
    if (!found.some(({ refuses }) => refuses)) namespaces.add(verdict.object);
    else if (typeof name === 'string') namespaces.refused.add(name);
  }
  const compared = resource.family === 'policy' ? 'rule' : resource.family === 'unread' ? 'object' : 'field';
  return { object: named, found: found.map((one) => findingOf(one, written, named, { settings, compared })) };
}

/** What is judged together stands for what is stored. */
function besideAmong(all: readonly WrittenObject[]): BesideSource {
  const byKind = Map.groupBy(all, ({ apiVersion, kind }) => `${apiVersion} ${kind}`);
  return {
    list: async ({ first: { apiVersion, kind } }) => ({
      objects: (byKind.get(`${apiVersion} ${kind}`) ?? []).map(({ object }) => object as JsonMap),
    }),
    skip: (skipped) => ({ skipped }),
    hasTime: () => true,
    charge() {},
  };
}
