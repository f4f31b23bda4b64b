/** Values as JSON.parse returns them, before any validation. */

/** A JSON object. Fields of the API may be read by name; keys that a user chose only with `entry` (objects.ts). */
export type JsonMap = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value under this key; undefined where it is missing. */
export function fieldOf(value: unknown, key: string): unknown {
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The value under these keys, one in the other; undefined where one of them is missing. */
export function valueAt(value: unknown, ...keys: readonly string[]): unknown {
  let inner = value;
  for (const key of keys) inner = isMap(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined;
  return inner;
}

const nothing: JsonMap = {};

/** A list itself, and an empty one in place of everything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The map under this key; an empty one where there is none. */
export function mapIn(value: unknown, key: string): JsonMap {
  const inner = fieldOf(value, key);
  return isMap(inner) ? inner : nothing;
}

/** Whether an optional field is set: JSON `null` means the same as a missing field. */
export function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** JSON with the keys of every map in order: the same value gives the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isMap(part) ? Object.fromEntries(Object.entries(part).toSorted(byKey)) : part,
  );
}

function byKey([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}

/** The first key that is not one of the known fields. */
export function unknownField(map: JsonMap, known: ReadonlySet<string>): string | undefined {
  for (const key in map) if (!known.has(key)) return key;
  return undefined;
}

/**
 * A value as a refusal shows it: text in quotes, at most 60 characters, control characters made visible; of a list or map
 * only what it is, since it may be huge or nested without end.
 */
export function excerpt(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  if (Array.isArray(value)) return 'a list';
  return isMap(value) ? 'a map' : String(value);
}
