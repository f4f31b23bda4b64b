/** The whole list of a collection, read page by page. */
import type { Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import { type DecodedObject, decodeListMeta, decodeObject, type ListMeta } from './decode.ts';
import { broken, type Failure } from './failure.ts';
import { readList } from './list-stream.ts';

export interface Collection {
  readonly connection: Connection;
  readonly path: string;
  readonly labelSelector?: string | undefined;
  /** For example `metadata.name=bulkhead`, which rights for single objects allow. */
  readonly fieldSelector?: string;
  readonly clock: Clock;
}

/** The largest object that etcd takes is 1.5 MiB. The API server writes `<`, `>`, `&` and control characters as six bytes each: 9 MiB. */
export const longestObject = 10 * 1024 * 1024;

const pageSize = 500;

/** Milliseconds for a page. The API server itself ends a request after 60 s; half of it leaves room for a second try. */
const pageLimit = 30_000;

export function pathOf(
  { path, labelSelector, fieldSelector }: Collection,
  parameters: Readonly<Record<string, string>>,
): string {
  const search = new URLSearchParams(parameters);
  if (labelSelector !== undefined) search.set('labelSelector', labelSelector);
  if (fieldSelector !== undefined) search.set('fieldSelector', fieldSelector);
  return `${path}?${search}`;
}

/**
 * The newest state.
 *
 * @param each called with every object
 * @returns the resourceVersion of the list
 */
export async function readPages(
  collection: Collection,
  each: (object: DecodedObject) => void,
  signal: AbortSignal,
): Promise<{ readonly ok: true; readonly resourceVersion: string } | Failure> {
  let position: Readonly<Record<string, string>> = {};
  for (;;) {
    const page = await readPage(collection, { limit: String(pageSize), ...position }, each, signal);
    if ('ok' in page) return page;
    // From the second page on, the token holds the moment of the first.
    if (page.next === '') return { ok: true, resourceVersion: page.resourceVersion };
    position = { continue: page.next };
  }
}

/**
 * Reads the first of these paths that the API server serves.
 *
 * @returns undefined: it serves none of them
 */
export async function readServed(
  collection: Omit<Collection, 'path'>,
  paths: readonly string[],
  each: (object: DecodedObject) => void,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<typeof readPages>> | undefined> {
  for (const path of paths) {
    const result = await readPages({ ...collection, path }, each, signal);
    if (result.ok || result.status !== 404) return result;
  }
  return undefined;
}

export async function readVersion(
  collection: Collection,
  signal: AbortSignal,
): Promise<{ readonly ok: true; readonly resourceVersion: string } | Failure> {
  const page = await readPage(collection, { limit: '1' }, () => {}, signal);
  return 'ok' in page ? page : { ok: true, resourceVersion: page.resourceVersion };
}

async function readPage(
  collection: Collection,
  parameters: Readonly<Record<string, string>>,
  each: (object: DecodedObject) => void,
  signal: AbortSignal,
): Promise<ListMeta | Failure> {
  const { connection, clock } = collection;
  const late = new AbortController();
  const cancel = clock.after(pageLimit, () => late.abort(new Error(`no whole page within ${pageLimit / 1000} s`)));
  try {
    const answer = await connection.open(pathOf(collection, parameters), AbortSignal.any([signal, late.signal]));
    if (!answer.ok) return answer;
    const list = await readList(answer.chunks, longestObject, (item) => {
      const object = decodeObject(item);
      if (object === undefined) throw new Error('an item of the list cannot be followed');
      each(object);
    });
    return decodeListMeta(list) ?? broken(new Error('the answer is not a list of objects'));
  } catch (error) {
    return broken(late.signal.aborted ? late.signal.reason : error);
  } finally {
    cancel();
  }
}
