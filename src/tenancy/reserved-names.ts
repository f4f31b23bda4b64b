/** Names of namespaces that are reserved to a tenant: whole names, and prefixes, which end in `-` as no name does. */
import { isMap } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import type { Step } from './problem.ts';
import { fitsPattern } from './schema/fits-pattern.ts';
import { labelName, namePrefix } from './schema/names.ts';

/** Each whole name and prefix, with its field in the document of the tenant. */
export type ReservedNames = ReadonlyMap<string, readonly Step[]>;

/** Names and prefixes beyond these are counted. */
const mostShown = 3;

/** What a document asks for, also where the rest of it cannot be read. */
export function reservedIn(spec: unknown): ReservedNames {
  const reserved = new Map<string, readonly Step[]>();
  const namespaces = isMap(spec) ? entry(spec, 'namespaces') : undefined;
  if (!isMap(namespaces)) return reserved;
  const add = (value: unknown, schema: typeof labelName | typeof namePrefix, steps: readonly Step[]) => {
    if (typeof value === 'string' && fitsPattern(value, schema) && !reserved.has(value))
      reserved.set(value, ['spec', 'namespaces', ...steps]);
  };
  const addAll = (field: string, schema: typeof labelName | typeof namePrefix) => {
    const values = entry(namespaces, field);
    if (Array.isArray(values)) for (const [index, value] of values.entries()) add(value, schema, [field, index]);
  };
  add(entry(namespaces, 'prefix'), namePrefix, ['prefix']);
  addAll('prefixes', namePrefix);
  addAll('names', labelName);
  return reserved;
}

export function isPrefix(reserved: string): boolean {
  return reserved.endsWith('-');
}

/**
 * The parts of a namespace name that a reserved prefix can be, shortest first. Every prefix ends in `-`, so only those parts count.
 * A name has at most 63 characters (RFC 1123 label); further characters of a forged name are ignored.
 */
export function prefixesOf(namespaceName: string): string[] {
  const prefixes: string[] = [];
  const name = namespaceName.slice(0, 63);
  for (let dash = name.indexOf('-'); dash !== -1; dash = name.indexOf('-', dash + 1))
    prefixes.push(name.slice(0, dash + 1));
  return prefixes;
}

/** Everything that reserves a namespace name, where it is reserved: the name itself, and its prefixes. */
export function reservationsOf(namespaceName: string): string[] {
  return [namespaceName, ...prefixesOf(namespaceName)];
}

/** Whether a whole name or a prefix reserves the namespace name. */
export function covers(reserved: string, namespaceName: string): boolean {
  return isPrefix(reserved) ? namespaceName.startsWith(reserved) : namespaceName === reserved;
}

/**
 * `begins with acme- or ac-, or is payments`; empty where nothing is reserved.
 *
 * @param verbs for prefixes, and for whole names
 */
export function describeReserved(
  reserved: Iterable<string>,
  [begins, is]: readonly [string, string] = ['begins with', 'is'],
): string {
  const [prefixes, names]: [string[], string[]] = [[], []];
  for (const one of reserved) (isPrefix(one) ? prefixes : names).push(one);
  const parts = [
    ...(prefixes.length === 0 ? [] : [`${begins} ${alternatives(prefixes)}`]),
    ...(names.length === 0 ? [] : [`${is} ${alternatives(names)}`]),
  ];
  return parts.join(', or ');
}

function alternatives(items: readonly string[]): string {
  const shown = items.length > mostShown ? [...items.slice(0, mostShown), `${items.length - mostShown} more`] : items;
  return shown.join(' or ');
}
