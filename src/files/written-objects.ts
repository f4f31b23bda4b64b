/** The objects that kubectl would send of a text, each with its places. */
import { excerpt, isMap, type JsonMap } from '../kubernetes/json.ts';
import type { Located, Place, Problem, Step } from '../tenancy/problem.ts';
import { parseYaml } from './parse-yaml.ts';
import type { TextFile } from './read-files.ts';

export interface WrittenObject {
  readonly object: JsonMap;
  readonly apiVersion: string;
  readonly kind: string;
  readonly file: string;
  /** @param path of a field, as findings have it; empty for the object */
  placeOf(path: string): Place;
}

export interface WrittenObjects {
  readonly objects: readonly WrittenObject[];
  /** Documents without apiVersion and kind, such as values of a Helm chart. */
  readonly others: number;
  /** Why the text cannot be read. */
  readonly problems: readonly Problem[];
}

export function writtenObjects({ path, text }: TextFile): WrittenObjects {
  const ambiguous = ambiguityIn(text, path);
  if (ambiguous !== undefined) return { objects: [], others: 0, problems: [ambiguous] };
  const parsed = parseYaml(text, path, 'kubectl');
  if (!parsed.ok) {
    const problems = text.includes('{{') ? parsed.problems.map(asTemplate) : parsed.problems;
    return { objects: [], others: 0, problems };
  }
  const objects: WrittenObject[] = [];
  let others = 0;
  for (const document of parsed.value) {
    const found = objectsIn(document.value, [], document, path);
    if (found.length === 0 && !isList(document.value)) others++;
    // A list can hold more objects than a call takes arguments.
    for (const one of found) objects.push(one);
  }
  return { objects, others, problems: [] };
}

/** Where kubectl sees another text than a parser of YAML 1.2 does: it cuts at every line that begins with `---`, and drops that line. */
const cutByKubectl = /^---(?![ \t]*(?:#.*)?\r?$)/m;
/** YAML 1.1 ends lines at these too, so a comment ends there. */
const otherLineBreak = /[\u0085\u2028\u2029]|\r(?!\n)/;

function ambiguityIn(text: string, file: string): Problem | undefined {
  const found = (at: number, reason: string, fix: string): Problem => {
    const before = text.slice(0, at).split('\n');
    return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, path: '', reason, fix };
  };
  const cut = cutByKubectl.exec(text);
  if (cut !== null)
    return found(
      cut.index,
      'begins with --- and goes on, and kubectl leaves out such a line',
      'end the line after ---',
    );
  const lineBreak = otherLineBreak.exec(text);
  if (lineBreak === null) return undefined;
  return found(
    lineBreak.index,
    'has a line break that YAML 1.1 and 1.2 read differently',
    'write line feeds, or an escape',
  );
}

function asTemplate(one: Problem): Problem {
  const fix = 'render templates first, as with: helm template CHART | bulkhead lint -';
  return { ...one, reason: 'looks like a template, which is YAML only once it is rendered', fix };
}

/** kubectl takes everything with `items` for a list, whatever its kind says. */
function isList(value: unknown): value is JsonMap & { readonly items: readonly unknown[] } {
  return isMap(value) && Array.isArray(value.items);
}

/** @param steps where the value is in the document */
function objectsIn(value: unknown, steps: readonly Step[], document: Located<unknown>, file: string): WrittenObject[] {
  if (!isMap(value)) return [];
  const { apiVersion, kind } = value;
  if (!isList(value)) return isText(apiVersion) && isText(kind) ? [written(value, apiVersion, kind)] : [];
  const own = isText(apiVersion) && isText(kind) && !kind.endsWith('List') ? [written(value, apiVersion, kind)] : [];
  const inside = value.items.flatMap((item, index) => {
    // Of a NamespaceList, items without a kind are Namespaces.
    const typed =
      isMap(item) && !isText(item.kind) && isText(kind)
        ? { ...item, apiVersion: item.apiVersion ?? apiVersion, kind: kind.replace(/List$/, '') }
        : item;
    return objectsIn(typed, [...steps, 'items', index], document, file);
  });
  return [...own, ...inside];

  function written(object: JsonMap, version: string, kindOf: string): WrittenObject {
    const placeOf = (path: string): Place => document.locate([...steps, ...stepsOf(path, object)], 'value');
    return { object, apiVersion: version, kind: kindOf, file, placeOf };
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/**
 * The steps to a field of an object, of a path such as `spec.ingress[0].from[1]` or `metadata.labels[app.kubernetes.io/name]`. Keys may
 * hold any character, so the object says where each ends. Ends at the last field that is there.
 */
export function stepsOf(path: string, object: unknown): readonly Step[] {
  const steps: Step[] = [];
  let inner = object;
  let rest = path;
  while (rest !== '') {
    const step = Array.isArray(inner) ? indexAt(rest) : isMap(inner) ? keyAt(rest, inner) : undefined;
    if (step === undefined) break;
    steps.push(step.key);
    inner = Array.isArray(inner) ? inner[Number(step.key)] : isMap(inner) ? inner[step.key] : undefined;
    rest = rest.slice(step.length);
  }
  return steps;
}

interface FoundStep {
  readonly key: Step;
  /** Of its text in the path. */
  readonly length: number;
}

function indexAt(rest: string): FoundStep | undefined {
  const [text, digits] = /^\[(\d{1,9})\]/.exec(rest) ?? [];
  return text === undefined ? undefined : { key: Number(digits), length: text.length };
}

/** The longest key that the path goes on with, in one of its three forms. */
function keyAt(rest: string, map: JsonMap): FoundStep | undefined {
  // Most paths end in a key of a map that users fill, and such maps can be large.
  const last = rest.startsWith('[') && rest.endsWith(']') ? rest.slice(1, -1) : undefined;
  if (last !== undefined && Object.hasOwn(map, last)) return { key: last, length: rest.length };
  let found: { key: string; length: number } | undefined;
  for (const key of Object.keys(map)) {
    for (const form of [`[${key}]`, `[${excerpt(key)}]`, `.${key}`, key]) {
      if (!rest.startsWith(form) || (found !== undefined && found.length >= form.length)) continue;
      const next = rest.slice(form.length, form.length + 1);
      if (next === '' || next === '.' || next === '[') found = { key, length: form.length };
    }
  }
  return found;
}
