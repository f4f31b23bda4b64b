/** The objects of the other folders of manifests/, as text with their comments, labelled as kustomize labels them. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Document, parse, parseAllDocuments } from 'yaml';
import { generatedFiles } from '../base/generated-files.ts';
import { definitionFiles } from '../crds/definition-files.ts';
import { generatedFiles as monitoringFiles } from '../overlays/prometheus/generated-files.ts';

const root = join(import.meta.dirname, '..');

interface Kustomization {
  readonly resources?: readonly string[];
  readonly labels?: readonly { readonly pairs: Readonly<Record<string, string>> }[];
  readonly patches?: readonly { readonly patch: string }[];
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

/** @param path below manifests/; a file that is generated comes from its generator, so that one run brings all up to date */
export function source(path: string): string {
  const file = join(root, path);
  made ??= new Map(allMade().map((one) => [one.file, one.text]));
  return made.get(file) ?? readFileSync(file, 'utf8');
}

let made: ReadonlyMap<string, string> | undefined;

function allMade(): readonly { readonly file: string; readonly text: string }[] {
  const definitions = definitionFiles().map(({ file, text }) => ({
    file: join(root, relative('manifests', file)),
    text,
  }));
  return [...generatedFiles(), ...monitoringFiles(), ...definitions];
}

/** What a kustomization of that folder says. */
function kustomization(folder: string): Kustomization {
  return parse(source(`${folder}/kustomization.yaml`));
}

/** The files that a kustomization lists, below manifests/. */
export function resources(folder: string): readonly string[] {
  return (kustomization(folder).resources ?? []).map((path) => join(folder, path));
}

/**
 * The documents of a file, each with the labels that the kustomization gives to all.
 *
 * @param folder of the kustomization, below manifests/
 */
export function labelled(folder: string, path: string): readonly string[] {
  const pairs = (kustomization(folder).labels ?? []).flatMap((one) => Object.entries(one.pairs));
  return parseAllDocuments(source(path)).map((document) => {
    if (!(document instanceof Document)) throw new Error(`${path} is empty`);
    for (const [key, value] of pairs) document.setIn(['metadata', 'labels', key], value);
    return escaped(document.toString({ lineWidth: 0 })).replace(/^---\n/, '');
  });
}

/** The values that the JSON patches of a kustomization add, by their path. */
export function patchValues(folder: string): ReadonlyMap<string, unknown> {
  const operations = (kustomization(folder).patches ?? []).flatMap(({ patch }): readonly Operation[] =>
    // Kubernetes reads YAML 1.1, in which 0440 is octal.
    parse(patch, { version: '1.1' }),
  );
  return new Map(operations.filter(({ op }) => op === 'add').map(({ path, value }) => [path, value]));
}

/** So that Helm prints braces that are meant for others, such as those of Prometheus. */
function escaped(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}');
}
