/** Objects of files, in the form in which judge-stored.ts takes those of a cluster. */
import { printable } from '../admission/message.ts';
import { decodeWritten } from '../admission/written-object.ts';
import type { DecodedObject } from '../client/decode.ts';
import type { Snapshot } from '../connectivity/snapshot.ts';
import { namespacesPath } from '../facts/namespaces.ts';
import type { WrittenObject } from '../files/written-objects.ts';
import { resourceOfObject } from '../kinds/kind-of-object.ts';
import { isMap, type JsonMap } from '../kubernetes/json.ts';
import { agentsWrite } from '../tenancy/policy-groups.ts';
import { formatProblem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { UnreadCollection } from './audit-unread.ts';
import { isJudgedFamily, type StoredObjects } from './judge-stored.ts';
import { linted } from './lint-finding.ts';
import { assumedRecord, namespaceOf } from './object-namespace.ts';

interface StoredFiles {
  readonly objects: StoredObjects;
  /** Objects that cannot be judged, each a sentence. */
  readonly problems: readonly string[];
}

/**
 * @param written each in its namespace
 * @param snapshot of the same files: it says which namespaces there are, and whose they are
 */
export function storedFiles(
  written: readonly WrittenObject[],
  { namespaces }: Snapshot,
  tenancy: Tenancy,
): StoredFiles {
  const listed = tenancy.settings.policyKinds.map(({ resource }) => resource);
  const byPath = new Map<string, DecodedObject[]>();
  const unread = new Map<string, UnreadCollection>();
  const problems: string[] = [];
  for (const one of written) {
    const resource = resourceOfObject(one.apiVersion, one.kind, listed);
    if (resource === undefined || !isJudgedFamily(resource.family)) continue;
    const own = namespaceOf(resource, one, undefined);
    // Of what is cluster-scoped, a cluster does not say who wrote it either.
    if (own === '' && resource.family !== 'namespace') continue;
    const decoded = decodeWritten({ resource, object: one.object, namespace: own, author: 'member' });
    if (!decoded.ok) {
      const reason = `${linted(one, own).object} cannot be judged: ${decoded.reason}`;
      problems.push(printable(formatProblem({ ...one.placeOf(''), path: '', reason, fix: '' })));
      continue;
    }
    const { group, version, resource: plural, kind } = resource;
    const path = `${group === '' ? '/api' : `/apis/${group}`}/${version}/${plural}`;
    if (resource.family === 'unread' && !agentsWrite(group, plural))
      unread.set(path, { path, kind, group, resource: plural });
    const object = decoded.request.object as JsonMap;
    const before = byPath.get(path) ?? [];
    byPath.set(path, before);
    before.push(storedAs(object, resource.family === 'namespace' ? '' : own));
  }
  const asWritten = new Map((byPath.get(namespacesPath) ?? []).map((one) => [one.metadata.name, one.object]));
  const labelsOf = new Map(namespaces.map(({ name, labels }) => [name, labels]));
  for (const { metadata } of [...byPath.values()].flat())
    if (metadata.namespace !== '' && !labelsOf.has(metadata.namespace))
      labelsOf.set(metadata.namespace, assumedRecord(metadata.namespace, tenancy)?.labels ?? {});
  byPath.set(
    namespacesPath,
    [...labelsOf].map(([name, labels]) => storedAs(named(asWritten.get(name) ?? {}, { name, labels }), '')),
  );
  const objects: StoredObjects = {
    async each(paths, tell) {
      for (const path of paths) for (const one of byPath.get(path) ?? []) tell(one);
    },
    unread: async () => [...unread.values()],
    assumed: (name) => assumedRecord(name, tenancy),
  };
  return { objects, problems };
}

function storedAs(object: JsonMap, namespace: string): DecodedObject {
  const metadata = isMap(object.metadata) ? object.metadata : {};
  const name = String(metadata.name || `${metadata.generateName ?? ''}*`);
  return { metadata: { name, namespace, uid: '', resourceVersion: '' }, object };
}

function named(object: JsonMap, metadata: JsonMap): JsonMap {
  return { ...object, metadata: { ...(isMap(object.metadata) ? object.metadata : {}), ...metadata } };
}
