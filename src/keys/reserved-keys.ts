/**
 * Label and annotation keys that belong to the platform.
 *
 * An entry that starts with `*.` is an ending: it reserves every key that ends with the rest, dot included. An entry that ends in `/`,
 * `.`, `-` or `:` is a beginning: it reserves every key that starts with it. Any other entry is one exact key.
 * Comparison is exact, by code unit: no letter case, no pattern, no sorted search (GHSA-gjw4-3v3v-rqxg was a sorted search that
 * disagreed with its sort and let listed keys through).
 */

export interface ReservedKeys<Key extends Entry> {
  /**
   * What reserves this key, or undefined. The exact entry wins, then the shortest beginning, then the shortest ending. One of class
   * `own-protection` stands back for every other: what the platform adds below it is refused in every mode.
   */
  reserving(key: string): Key | undefined;
}

interface Entry {
  readonly entry: string;
  readonly protects?: KeyClass;
}

/** Whether the character is `-`, `.`, `/` or `:`. */
function isBoundary(code: number): boolean {
  return (code >= 0x2d && code <= 0x2f) || code === 0x3a;
}

/** Whether an entry reserves every key that starts with it. */
export function isBeginning(entry: string): boolean {
  return !isEnding(entry) && isBoundary(entry.charCodeAt(entry.length - 1));
}

/** Whether an entry is an ending, which reserves every key that ends with the entry without its `*`. */
export function isEnding(entry: string): boolean {
  return entry.startsWith('*.');
}

/** Whether this one entry reserves the key. */
export function covers(entry: string, key: string): boolean {
  if (isEnding(entry)) return key.endsWith(entry.slice(1));
  return isBeginning(entry) ? key.startsWith(entry) : key === entry;
}

/**
 * Compiles the entries once; of two equal ones the first counts. A look-up examines only the first characters of the key, up to the
 * longest beginning, and the last ones, up to the longest ending. It costs one look-up for each boundary character or dot in them. So
 * the cost depends neither on the number of entries nor on the length of a hostile key.
 */
export function compileReservedKeys<Key extends Entry>(entries: readonly Key[]): ReservedKeys<Key> {
  const [exact, beginnings, endings] = [new Map<string, Key>(), new Map<string, Key>(), new Map<string, Key>()];
  for (const one of entries.toReversed()) {
    const { entry } = one;
    if (isEnding(entry)) endings.set(entry.slice(1), one);
    else exact.set(entry, one);
    if (isBeginning(entry)) beginnings.set(entry, one);
  }
  const longestBeginning = lengthOfLongest(beginnings.keys());
  const longestEnding = lengthOfLongest(endings.keys());
  return {
    reserving(key) {
      const whole = exact.get(key);
      if (whole !== undefined) return whole;
      let lenient: Key | undefined;
      const end = Math.min(longestBeginning, key.length);
      for (let length = 1; length <= end; length++) {
        if (!isBoundary(key.charCodeAt(length - 1))) continue;
        const beginning = beginnings.get(key.slice(0, length));
        if (beginning === undefined) continue;
        if (beginning.protects !== 'own-protection') return beginning;
        lenient ??= beginning;
      }
      if (longestEnding === 0) return lenient;
      const tail = key.slice(-longestEnding);
      for (let dot = tail.lastIndexOf('.'); dot !== -1; dot = dot === 0 ? -1 : tail.lastIndexOf('.', dot - 1)) {
        const ending = endings.get(tail.slice(dot));
        if (ending === undefined) continue;
        if (ending.protects !== 'own-protection') return ending;
        lenient ??= ending;
      }
      return lenient;
    },
  };
}

function lengthOfLongest(texts: Iterable<string>): number {
  let longest = 0;
  for (const { length } of texts) longest = Math.max(longest, length);
  return longest;
}

/**
 * What a reserved key affects. `identity`: the owner to whom an object or its traffic is attributed. `others-guard`: guards of the
 * platform or of others, and nodes that others share. `own-protection`: the protection of the tenant alone, such as its part in a mesh.
 */
export type KeyClass = 'identity' | 'others-guard' | 'own-protection';

/** A label or annotation key that tenants may not set: an exact key, a beginning or an ending (reserved-keys.ts). */
export interface ReservedKey {
  readonly entry: string;
  readonly protects: KeyClass;
  /** What it does and to whom, for a refusal that says "this key …". */
  readonly effect: string;
  /** The settings that decide whether tenants may set it. */
  readonly settings: readonly string[];
}
