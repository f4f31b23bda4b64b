import type { NamespaceRecord } from '../admission/facts.ts';
import { excerpt, isGiven, isMap } from '../kubernetes/json.ts';
import type { StringMap } from '../kubernetes/objects.ts';
import { type Loaded, type Problem, type Report, reportInto, type Step } from '../tenancy/problem.ts';
import { listedObjects } from './listed-objects.ts';
import { problem, type ReadFiles } from './read-files.ts';
import { parseFiles } from './read-tenancy.ts';

/** By their names. */
export type Namespaces = ReadonlyMap<string, NamespaceRecord>;

/**
 * YAML files with Namespace objects, or Lists of them as `kubectl get -o yaml` prints.
 * @param path where the files were read from, for what is to be said about all of them
 */
export function namespacesOf(texts: ReadFiles, path: string): Loaded<Namespaces> {
  const read = parseFiles(texts);
  if (!read.ok) return read;
  const records = new Map<string, NamespaceRecord>();
  const problems: Problem[] = [];
  const found = read.value.flatMap((document) => listedObjects(document).map((one) => ({ ...one, document })));
  for (const { object, steps, document } of found) {
    const report = reportInto(problems, document.locate);
    const record = recordOf(object, steps, report);
    if (record === undefined) continue;
    if (records.has(record.name))
      report([...steps, 'metadata', 'name'], `${record.name} is there twice`, 'keep one of the two');
    records.set(record.name, record);
  }
  if (problems.length > 0) return { ok: false, problems };
  const nowhere = problem(path, 'holds no Namespace, so every pod and policy is refused', 'list those that exist');
  return { ok: true, value: records, warnings: records.size === 0 ? [nowhere] : [] };
}

function recordOf(object: unknown, steps: readonly Step[], report: Report): NamespaceRecord | undefined {
  if (!isMap(object) || object.apiVersion !== 'v1' || object.kind !== 'Namespace') {
    return report(steps, 'is not a v1 Namespace', 'keep only Namespace objects here');
  }
  const metadata = isMap(object.metadata) ? object.metadata : {};
  const { name, uid, labels = {}, deletionTimestamp } = metadata;
  const at = [...steps, 'metadata'];
  if (typeof name !== 'string' || name === '')
    return report([...at, 'name'], 'is missing', 'give the name of the namespace');
  if (!isStringMap(labels))
    return report([...at, 'labels'], `${excerpt(labels)} is not a map of text`, 'put values in quotes');
  return { name, uid: typeof uid === 'string' ? uid : '', labels, terminating: isGiven(deletionTimestamp) };
}

function isStringMap(value: unknown): value is StringMap {
  return isMap(value) && Object.values(value).every((one) => typeof one === 'string');
}
