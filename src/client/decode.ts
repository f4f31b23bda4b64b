/** The API server's lists and watches, decoded as far as following them needs. */
import { isMap, valueAt } from '../kubernetes/json.ts';

export type Fields = Readonly<Record<string, unknown>>;

export interface DecodedMetadata {
  readonly name: string;
  /** Empty for kinds without namespaces. */
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** An object as the API server sends it, and the fields that every kind has. */
export interface DecodedObject {
  readonly metadata: DecodedMetadata;
  readonly object: Fields;
}

/** What a page of a list says beside its items (meta/v1 ListMeta). */
export interface ListMeta {
  readonly resourceVersion: string;
  /** The token for the next page; empty on the last one. */
  readonly next: string;
}

export type WatchEvent =
  | { readonly type: 'CHANGED' | 'DELETED'; readonly resourceVersion: string; readonly object: DecodedObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  /** `status` is a meta/v1 Status. */
  | { readonly type: 'ERROR'; readonly status: unknown };

/** What a list says of itself, or undefined when it is none. */
export function decodeListMeta(body: unknown): ListMeta | undefined {
  const resourceVersion = valueAt(body, 'metadata', 'resourceVersion');
  if (typeof resourceVersion !== 'string') return undefined;
  const next = valueAt(body, 'metadata', 'continue');
  return { resourceVersion, next: typeof next === 'string' ? next : '' };
}

/** One line of a watch (meta/v1 WatchEvent), or undefined when it is not one. */
export function decodeEvent(line: string): WatchEvent | undefined {
  const event = parseJson(line);
  const type = valueAt(event, 'type');
  const object = valueAt(event, 'object');
  if (type === 'ERROR') return { type, status: object };
  if (type === 'BOOKMARK') {
    const resourceVersion = valueAt(object, 'metadata', 'resourceVersion');
    return typeof resourceVersion === 'string' ? { type, resourceVersion } : undefined;
  }
  const decoded = decodeObject(object);
  if (decoded === undefined) return undefined;
  const { resourceVersion } = decoded.metadata;
  if (type === 'ADDED' || type === 'MODIFIED') return { type: 'CHANGED', resourceVersion, object: decoded };
  return type === 'DELETED' ? { type, resourceVersion, object: decoded } : undefined;
}

/** An object with the metadata by which it is followed, or undefined when something of that is missing. */
export function decodeObject(object: unknown): DecodedObject | undefined {
  if (!isRecord(object)) return undefined;
  const { name, namespace = '', uid, resourceVersion } = fieldsAt(object, 'metadata');
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined;
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
  return { metadata: { name, namespace, uid, resourceVersion }, object };
}

/** The map under these keys; empty where there is none. */
export function fieldsAt(value: unknown, ...keys: readonly string[]): Fields {
  const inner = valueAt(value, ...keys);
  return isMap(inner) ? inner : {};
}

export const isRecord: (value: unknown) => value is Fields = isMap;

/** Undefined when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
