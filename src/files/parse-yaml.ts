/**
 * YAML (and so JSON) text to plain values that remember their lines.
 *
 * The files are the platform's own, yet often generated, merged and templated: a wrong one must be a problem with a line, never a
 * hang or a crash. Parsing is linear only while documents are shallow and plain, so that is looked at first, token by token:
 * 300,000 anchors in 1 MiB take minutes, 100,000 nested lists end the stack.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseAllDocuments,
  type Tags,
  type YAMLMap,
} from 'yaml';
import { excerpt, isMap as isPlainMap } from '../kubernetes/json.ts';
import { formatSteps, type Loaded, type Locate, type Located, type Place, type Step } from '../tenancy/problem.ts';
import { deepest, excessOf, tooDeep } from './yaml-excess.ts';

/** Values in a document once aliases are replaced by what they stand for: about what fits into 1 MiB without them. */
const mostValues = 300_000;

const writeOut = 'write it out plainly';

/**
 * `plain`: YAML 1.2, for Bulkhead's own documents. `kubectl`: what kubectl sends of a text. It reads YAML 1.1, where `yes` is true, `010`
 * is eight, and `<<` merges maps; but words that look like times stay words.
 */
export type Reading = 'plain' | 'kubectl';

const readings = {
  plain: {},
  kubectl: { version: '1.1', customTags: (tags: Tags): Tags => tags.filter((tag) => !isLeftOut(tag)) },
} as const;

/** Times and their like, and what JSON has not. */
function isLeftOut(tag: Tags[number]): boolean {
  if (typeof tag === 'string') return false;
  return tag.format === 'TIME' || /:(timestamp|binary|omap|pairs|set)$/.test(tag.tag);
}

/** The documents of a text in their order; empty ones are left out. Problems are listed for the first document that has any. */
export function parseYaml(text: string, file: string, reading: Reading = 'plain'): Loaded<readonly Located<unknown>[]> {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const refusal = (place: Place, reason: string, fix: string, path = ''): Loaded<never> => ({
    ok: false,
    problems: [{ ...place, path, reason, fix }],
  });
  const excess = excessOf(text);
  if (excess !== undefined) return refusal({ file, line: excess.line, column: 1 }, excess.reason, writeOut);
  // uniqueKeys compares every key with every other; duplicates are found below. prettyErrors costs as much as the text for each error.
  const parsed = parseAllDocuments(text, {
    ...readings[reading],
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
  });
  const located: Located<unknown>[] = [];
  for (const document of parsed) {
    const [wrong] = [...document.errors, ...document.warnings];
    if (wrong !== undefined) return refusal(placeAt(wrong.pos[0]), `is not YAML as it should be: ${wrong.message}`, '');
    if (reading === 'kubectl' && document.directives?.yaml.version !== '1.1')
      return refusal({ file, line: 1, column: 1 }, 'says that it is not YAML 1.1, and kubectl reads no other', '');
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) continue;
    try {
      const value = new Decoder(document, reading).decode(document.contents, []);
      located.push({ value, locate: locator(document, placeAt, reading) });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return refusal(placeAt(offsetOf(error.node)), error.message, error.fix, formatSteps(error.steps));
    }
  }
  return { ok: true, value: located, warnings: [] };
}

class Unreadable extends Error {
  readonly node: unknown;
  readonly steps: readonly Step[];
  readonly fix: string;

  constructor(node: unknown, steps: readonly Step[], reason: string, fix: string) {
    super(reason);
    this.node = node;
    this.steps = steps;
    this.fix = fix;
  }
}

/** Nodes of one document to plain values, with aliases replaced by what they stand for. */
class Decoder {
  readonly #document: Document;
  readonly #resolved = new Map<Alias, unknown>();
  readonly #reading: Reading;
  #values = 0;

  constructor(document: Document, reading: Reading) {
    this.#document = document;
    this.#reading = reading;
  }

  decode(node: unknown, steps: readonly Step[]): unknown {
    this.#values += 1;
    if (steps.length > deepest) throw new Unreadable(node, [], tooDeep, writeOut);
    if (this.#values > mostValues)
      throw new Unreadable(node, [], 'stands for more values than fit into memory', writeOut);
    if (isAlias(node)) return this.decode(this.#resolve(node, steps), steps);
    if (isSeq(node)) return node.items.map((item, index) => this.decode(item, [...steps, index]));
    if (isMap(node)) return this.#map(node.items, steps);
    const value = isScalar(node) ? node.value : null;
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value;
    throw new Unreadable(
      node,
      steps,
      'is neither text nor a number, true, false or null',
      'write it as text, in quotes',
    );
  }

  /** Once for each alias: the document is searched for its anchor. */
  #resolve(alias: Alias, steps: readonly Step[]): unknown {
    const known = this.#resolved.get(alias);
    if (known !== undefined) return known;
    const node = alias.resolve(this.#document);
    if (node === undefined)
      throw new Unreadable(alias, steps, `no anchor before it is called ${excerpt(alias.source)}`, '');
    this.#resolved.set(alias, node);
    return node;
  }

  #map(pairs: readonly Pair[], steps: readonly Step[]): Readonly<Record<string, unknown>> {
    const entries = new Map<string, unknown>();
    const written = new Set<string>();
    for (const { key, value } of pairs) {
      if (isMerge(key)) {
        this.#merge(this.decode(value, [...steps, '<<']), entries, key);
        continue;
      }
      const name = keyOf(key, this.#reading);
      if (name === undefined) throw new Unreadable(key, steps, 'has a key that is not text', 'write it in quotes');
      const path = [...steps, name];
      if (written.has(name))
        throw new Unreadable(key, path, `the key ${excerpt(name)} is there twice`, 'keep one of the two');
      written.add(name);
      entries.set(name, this.decode(value, path));
    }
    // Defines own properties, also for __proto__.
    return Object.fromEntries(entries);
  }

  /** As kubectl does: what is merged replaces the keys before it, and of several maps the first counts. */
  #merge(given: unknown, entries: Map<string, unknown>, key: unknown): void {
    for (const one of [given].flat().reverse()) {
      if (!isPlainMap(one)) throw new Unreadable(key, [], 'merges something that is not a map', writeOut);
      for (const [name, value] of Object.entries(one)) entries.set(name, value);
    }
  }
}

function locator(document: Document, placeAt: (offset: number) => Place, reading: Reading): Locate {
  const indexes = new Map<YAMLMap, ReadonlyMap<string | undefined, Pair>>();
  /** What is merged is found where it is written: in the map that is merged, in the order in which the decoder takes it. */
  const indexOf = (map: YAMLMap): ReadonlyMap<string | undefined, Pair> => {
    const known = indexes.get(map);
    if (known !== undefined) return known;
    const index = new Map<string | undefined, Pair>();
    for (const pair of map.items) {
      if (!isMerge(pair.key)) index.set(keyOf(pair.key, reading), pair);
      else for (const merged of mergedBy(pair)) for (const [name, inner] of indexOf(merged)) index.set(name, inner);
    }
    indexes.set(map, index);
    return index;
  };
  /** The last counts. */
  const mergedBy = ({ value }: Pair): readonly YAMLMap[] => {
    const given = isAlias(value) ? value.resolve(document) : value;
    const all = isSeq(given) ? given.items : [given];
    return all
      .map((one) => (isAlias(one) ? one.resolve(document) : one))
      .filter((one) => isMap(one))
      .reverse();
  };
  const pairOf = (map: YAMLMap, name: string): Pair | undefined => {
    return indexOf(map).get(name);
  };
  return (steps, part) => {
    let node: unknown = document.contents;
    let offset = offsetOf(node);
    for (const [index, step] of steps.entries()) {
      const within = isAlias(node) ? node.resolve(document) : node;
      if (isSeq(within) && typeof step === 'number') {
        node = within.items[step];
      } else if (isMap(within) && typeof step === 'string') {
        const pair = pairOf(within, step);
        if (pair === undefined) break;
        node = pair.value;
        const inner = steps.length - 1 > index || part === 'key' || isEmpty(node) || isMap(node) || isSeq(node);
        offset = offsetOf(inner ? pair.key : node);
        continue;
      } else break;
      if (node === undefined) break;
      offset = offsetOf(node);
    }
    return placeAt(offset);
  };
}

/** Numbers and the like as they were written: the API server knows only keys of text. kubectl writes them as JSON does. */
function keyOf(key: unknown, reading: Reading): string | undefined {
  if (!isScalar(key)) return undefined;
  if (typeof key.value === 'string') return key.value;
  if (reading === 'plain') return key.source;
  return typeof key.value === 'number' || typeof key.value === 'boolean' ? String(key.value) : undefined;
}

/** The key `<<` of YAML 1.1, not in quotes. */
function isMerge(key: unknown): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}

function isEmpty(node: unknown): boolean {
  return !isScalar(node) || (node.value === null && node.source === '');
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}
