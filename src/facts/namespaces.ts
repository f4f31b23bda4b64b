/**
 * Namespaces as admission asks for them: from memory, and live where memory does not know, or may be behind.
 *
 * A name can be given anew, and a silently broken connection looks like a watch on which nothing happens. So memory counts while the
 * watch is current (freshness.ts), and then again for `trustedFor` after a live answer that agrees with it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { NamespaceRecord, NamespaceSource } from '../admission/facts.ts';
import type { Clock } from '../client/clock.ts';
import type { Answer } from '../client/connection.ts';
import { type DecodedObject, decodeListMeta, decodeObject, fieldsAt } from '../client/decode.ts';
import { describe } from '../client/failure.ts';
import type { FairRequests } from '../client/fair-requests.ts';
import { trustedFor } from '../client/freshness.ts';
import type { ListWatch } from '../client/list-watch.ts';
import { valueAt } from '../kubernetes/json.ts';
import type { Reservations } from './reservations.ts';

export const namespacesPath = '/api/v1/namespaces';

/**
 * Milliseconds. No live request tells which namespaces have a label: when the watch was not heard for so long, that is no longer known.
 * A watch that is cut, one after it that brings nothing, and the list after that take less.
 */
const keptFor = 300_000;

export function namespaceRecord({ metadata, object }: DecodedObject): NamespaceRecord {
  return {
    name: metadata.name,
    uid: metadata.uid,
    labels: Object.fromEntries(
      Object.entries(fieldsAt(object, 'metadata', 'labels')).filter(
        (label): label is [string, string] => typeof label[1] === 'string',
      ),
    ),
    terminating: typeof valueAt(object, 'metadata', 'deletionTimestamp') === 'string',
  };
}

/**
 * @param memory       the namespaces that the watch has reported
 * @param watch        the watch that brings what memory has
 * @param reservations since when each name has been reserved
 * @param requests     the bounded GETs of the request path
 */
export function createNamespaceSource(
  memory: Pick<NamespaceSource, 'lookup' | 'countOwned' | 'namesOwned' | 'isKept' | 'all'>,
  watch: Pick<ListWatch, 'isCurrent' | 'staleness'>,
  reservations: Pick<Reservations, 'hadPropagated'>,
  requests: Pick<FairRequests, 'get'>,
  clock: Clock,
): NamespaceSource {
  /** When the API server said the same. A report of the watch replaces the record, and with it this time. */
  const confirmed = new WeakMap<NamespaceRecord, number>();
  return {
    lookup(name) {
      const record = memory.lookup(name);
      if (record === undefined || watch.isCurrent()) return record;
      return clock.now() - (confirmed.get(record) ?? Number.NEGATIVE_INFINITY) <= trustedFor ? record : undefined;
    },
    // Memory knows each namespace that is older than this time, and no other tenant can have created one since. So a quiet watch does
    // no harm here: `staleness` may be a minute.
    isFree: (name, tenant) =>
      memory.lookup(name) === undefined &&
      reservations.hadPropagated(name, tenant, clock.now() - watch.staleness() - trustedFor),
    countOwned: (tenant) => memory.countOwned(tenant),
    namesOwned: (tenant) => memory.namesOwned(tenant),
    isKept: (key) => watch.staleness() <= keptFor && memory.isKept(key),
    all: () => memory.all(),
    async fetch(name, signal, share = name) {
      const asked = clock.now();
      const remembered = memory.lookup(name);
      const answer = await requests.get(`${namespacesPath}/${encodeURIComponent(name)}`, share, signal);
      if (!answer.ok && answer.status === 404) return undefined;
      const object = decodeObject(bodyOf(answer, `namespace ${name}`));
      if (object === undefined) throw new Error(`namespace ${name} cannot be read: the answer is not a Namespace`);
      const record = namespaceRecord(object);
      if (remembered !== undefined && isDeepStrictEqual(record, remembered)) confirmed.set(remembered, asked);
      return record;
    },
    async hasPods(name, signal) {
      // Without a resourceVersion the answer is the newest state, not that of a cache.
      const path = `${namespacesPath}/${encodeURIComponent(name)}/pods?limit=1`;
      const list = bodyOf(await requests.get(path, name, signal), `the pods of ${name}`);
      if (decodeListMeta(list) === undefined)
        throw new Error(`the pods of ${name} cannot be read: the answer is not a list`);
      const items = valueAt(list, 'items');
      // An empty list may be null (Go's nil slice).
      return Array.isArray(items) && items.length > 0;
    },
  };
}

function bodyOf(answer: Answer, what: string): unknown {
  if (answer.ok) return answer.body;
  throw new Error(`${what} cannot be read: ${describe(answer)}`);
}
