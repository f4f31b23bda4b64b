/** The API server's lists and watches, decoded as far as following them needs. */
import { entry } from '../kubernetes/objects.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface DecodedMetadata {
  readonly name: string;
  /** Empty for kinds without namespaces. */
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** An object as it is on the wire, and what every kind has. */
export interface DecodedObject {
  readonly metadata: DecodedMetadata;
  /** The whole object. */
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
  if (!isRecord(body)) return undefined;
  const metadata = entry(body, 'metadata');
  const resourceVersion = isRecord(metadata) ? entry(metadata, 'resourceVersion') : undefined;
  if (!isRecord(metadata) || typeof resourceVersion !== 'string') return undefined;
  const next = entry(metadata, 'continue');
  return { resourceVersion, next: typeof next === 'string' ? next : '' };
}

/** One line of a watch (meta/v1 WatchEvent), or undefined when it is not one. */
export function decodeEvent(line: string): WatchEvent | undefined {
  const event = parseJson(line);
  if (!isRecord(event)) return undefined;
  const type = entry(event, 'type');
  const object = entry(event, 'object');
  if (type === 'ERROR') return { type, status: object };
  if (type === 'BOOKMARK') {
    const metadata = isRecord(object) ? entry(object, 'metadata') : undefined;
    const resourceVersion = isRecord(metadata) ? entry(metadata, 'resourceVersion') : undefined;
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
  const metadata = entry(object, 'metadata');
  if (!isRecord(metadata)) return undefined;
  const name = entry(metadata, 'name');
  const namespace = entry(metadata, 'namespace') ?? '';
  const uid = entry(metadata, 'uid');
  const resourceVersion = entry(metadata, 'resourceVersion');
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined;
  if (typeof uid !== 'string' || typeof resourceVersion !== 'string') return undefined;
  return { metadata: { name, namespace, uid, resourceVersion }, object };
}

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
