/** Namespaces as admission asks for them: from memory, and live where memory does not know. */
import type { NamespaceRecord, NamespaceSource } from '../admission/facts.ts';
import { entry } from '../kubernetes/objects.ts';
import type { Answer, Connection } from './connection.ts';
import { describe } from './failure.ts';
import { decodeListMeta, decodeObject, isRecord, type WireObject } from './wire.ts';

export const namespacesPath = '/api/v1/namespaces';

/**
 * What is in memory counts for this many milliseconds after the API server was last heard. A healthy watch is heard every
 * minute, a dead one is given up after a minute and a half.
 */
export const trustedFor = 120_000;

/** What is kept of a namespace. */
export function namespaceRecord({ metadata, object }: WireObject): NamespaceRecord {
  const wire = entry(object, 'metadata');
  const labels = isRecord(wire) ? entry(wire, 'labels') : undefined;
  const deleted = isRecord(wire) ? entry(wire, 'deletionTimestamp') : undefined;
  return {
    name: metadata.name,
    uid: metadata.uid,
    labels: Object.fromEntries(
      Object.entries(isRecord(labels) ? labels : {}).filter(
        (label): label is [string, string] => typeof label[1] === 'string',
      ),
    ),
    terminating: typeof deleted === 'string',
  };
}

/**
 * @param memory    the namespaces that the watch has told of
 * @param staleness milliseconds since the watch was last heard
 */
export function createNamespaceSource(
  memory: Pick<NamespaceSource, 'lookup' | 'countOwned'>,
  staleness: () => number,
  connection: Connection,
): NamespaceSource {
  return {
    // Who is asked after a miss is the API server itself.
    lookup: (name) => (staleness() > trustedFor ? undefined : memory.lookup(name)),
    countOwned: (tenant) => memory.countOwned(tenant),
    async fetch(name, signal) {
      const answer = await connection.request('GET', `${namespacesPath}/${encodeURIComponent(name)}`, { signal });
      if (!answer.ok && answer.kind === 'refused' && answer.status === 404) return undefined;
      const object = decodeObject(bodyOf(answer, `namespace ${name}`));
      if (object === undefined) throw new Error(`namespace ${name} cannot be read: the answer is not a Namespace`);
      return namespaceRecord(object);
    },
    async hasPods(name, signal) {
      // Without a resourceVersion the answer is the newest state, not that of a cache.
      const path = `${namespacesPath}/${encodeURIComponent(name)}/pods?limit=1`;
      const list = bodyOf(await connection.request('GET', path, { signal }), `the pods of ${name}`);
      if (decodeListMeta(list) === undefined || !isRecord(list))
        throw new Error(`the pods of ${name} cannot be read: the answer is not a list`);
      const items = entry(list, 'items');
      // An empty list may be null (Go's nil slice).
      return Array.isArray(items) && items.length > 0;
    },
  };
}

function bodyOf(answer: Answer, what: string): unknown {
  if (answer.ok) return answer.body;
  throw new Error(`${what} cannot be read: ${describe(answer)}`);
}
