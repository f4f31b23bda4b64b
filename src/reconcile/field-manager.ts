import { isMap, valueAt } from '../kubernetes/json.ts';

/** The field manager of everything that Bulkhead writes. */
export const fieldManager = 'bulkhead';

/**
 * The client that wrote the object last, its status apart: the newest of metadata.managedFields. Of those of one second it is another
 * than Bulkhead, which has just answered it. Undefined: they do not say.
 */
export function lastManagerOf(object: Readonly<Record<string, unknown>>): string | undefined {
  const written = valueAt(object, 'metadata', 'managedFields');
  let last: { readonly manager: string; readonly time: string } | undefined;
  for (const one of Array.isArray(written) ? written : []) {
    if (!isMap(one) || (one.subresource !== undefined && one.subresource !== '')) continue;
    const { manager, time } = one;
    if (typeof manager !== 'string' || typeof time !== 'string') continue;
    if (last === undefined || time > last.time || (time === last.time && last.manager === fieldManager))
      last = { manager, time };
  }
  return last?.manager;
}
