/**
 * Label and annotation keys that belong to the platform.
 *
 * An entry that ends in `/`, `.`, `-` or `:` is a beginning and reserves every key that starts with it; any other entry is one exact key.
 * Comparison is exact, by code unit: no letter case, no pattern, no sorted search (GHSA-gjw4-3v3v-rqxg was a sorted search that
 * disagreed with its sort and let listed keys through).
 */
export interface ReservedKeys {
  readonly entries: readonly string[];
  /** The entry that reserves this key, or undefined. The exact entry wins, then the shortest beginning. */
  reserving(key: string): string | undefined;
}

const boundaries: ReadonlySet<string> = new Set(['/', '.', '-', ':']);

/** Whether an entry reserves every key that starts with it. */
export function isBeginning(entry: string): boolean {
  return boundaries.has(entry.slice(-1));
}

/**
 * Compiles the entries once. A look-up costs at most one set look-up for each boundary character among the first characters of the
 * key, as many as the longest beginning has: independent of the number of entries, and of the length of a hostile key.
 */
export function compileReservedKeys(entries: readonly string[]): ReservedKeys {
  const all = new Set(entries);
  const beginnings = new Set(entries.filter(isBeginning));
  const longest = Math.max(0, ...[...beginnings].map((beginning) => beginning.length));
  return {
    entries: [...all],
    reserving(key) {
      if (all.has(key)) return key;
      const end = Math.min(longest, key.length);
      for (let length = 1; length <= end; length++) {
        if (!boundaries.has(key.charAt(length - 1))) continue;
        const beginning = key.slice(0, length);
        if (beginnings.has(beginning)) return beginning;
      }
      return undefined;
    },
  };
}
