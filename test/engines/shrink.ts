/** Shrinks JSON values while a property of them still holds. */

/**
 * Removes elements of lists and fields of maps, one at a time and from the outside in, while the property still holds.
 *
 * @param mayGo whether an element or a field may be taken away
 * @returns a value from which nothing can be taken away
 */
export async function smaller<Value>(
  value: Value,
  holds: (candidate: Value) => Promise<boolean>,
  mayGo: (key: string | number) => boolean = () => true,
): Promise<Value> {
  let best = value;
  for (let found = true; found; ) {
    found = false;
    for (const path of partsOf(best, [])) {
      if (!mayGo(path.at(-1) ?? 0)) continue;
      const candidate: Value = JSON.parse(JSON.stringify(best));
      if (!remove(candidate, path) || !(await holds(candidate))) continue;
      best = candidate;
      found = true;
      break;
    }
  }
  return best;
}

type Path = readonly (string | number)[];

function* partsOf(value: unknown, path: Path): Iterable<Path> {
  if (typeof value !== 'object' || value === null) return;
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  for (const key of keys) yield [...path, key];
  for (const key of keys) yield* partsOf(Reflect.get(value, key), [...path, key]);
}

function remove(value: unknown, path: Path): boolean {
  const [key, ...rest] = path;
  if (typeof value !== 'object' || value === null || key === undefined) return false;
  if (rest.length > 0) return remove(Reflect.get(value, key), rest);
  if (Array.isArray(value)) return value.splice(Number(key), 1).length > 0;
  return Reflect.deleteProperty(value, key);
}
