/** Judges what tenants have in a cluster as `bulkhead audit` does, with each finding by itself and the hints. */
import { readSnapshot } from '../connectivity/read-snapshot.ts';
import { refText } from '../connectivity/snapshot.ts';
import { type RequestingReader, Unreadable } from '../facts/cluster-reader.ts';
import type { WrittenObject } from '../files/written-objects.ts';
import { apiVersionsOf } from '../kinds/resource-name.ts';
import { type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { LintedObject, LintFinding } from '../report/lint-report.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { collections } from './cluster-collections.ts';
import { inCluster } from './cluster-tenancy.ts';
import type { Surroundings } from './command.ts';
import { countedAs, judgeStored, type Listeners, type Stored, storedIn } from './judge-stored.ts';
import { findingOf, layerFinding, linted } from './lint-finding.ts';
import { isCompared, layersIn, objectAt } from './lint-layers.ts';
import type { Scope } from './scope.ts';
import { objectsIn } from './snapshot-source.ts';

export interface LintedCluster {
  readonly tenancy: Tenancy;
  /** By object. Pods that are made alike have theirs once, as those of their workload. */
  readonly findings: readonly LintFinding[];
  readonly objects: readonly LintedObject[];
  /** What could not be listed, and why. */
  readonly unread: readonly string[];
}

/** In place of the name of a file. */
const cluster = '<cluster>';

/** @throws CannotStart */
export function lintCluster(
  values: Parameters<typeof inCluster>[1],
  surroundings: Pick<Surroundings, 'environment' | 'progress'>,
  scope: Scope | undefined,
): Promise<LintedCluster> {
  return inCluster('lint', values, surroundings, async (reader, tenancy) => {
    const { settings } = tenancy;
    const findings = new Map<string, LintFinding>();
    const objects = new Map<string, LintedObject>();
    const onJudged: Listeners['onJudged'] = (one, judged) => {
      const written = writtenOf(one);
      const own = linted(written, one.decoded.metadata.namespace);
      const object = { ...own, object: countedAs(one) };
      objects.set(object.object, objects.get(object.object) ?? object);
      const compared = !('family' in one.kind) ? 'object' : one.kind.family === 'policy' ? 'rule' : 'field';
      for (const finding of judged) {
        const key = `${object.object} ${finding.check} ${finding.path}`;
        if (!findings.has(key)) findings.set(key, findingOf(finding, written, object, { settings, compared }));
      }
    };
    const { unread, state } = await judgeStored(storedIn(reader), tenancy, { onJudged }, scope);
    scope?.know([...state.namespaces.all()].map(({ name }) => ({ kind: 'Namespace', metadata: { name } })));
    const layers = await contradictionsIn(reader, tenancy, unread, scope);
    for (const { finding, object } of layers) {
      objects.set(object.object, objects.get(object.object) ?? object);
      findings.set(`${finding.object} ${finding.check} ${finding.path}`, finding);
    }
    scope?.require(unread);
    const sorted = [...findings.values()].toSorted((one, other) =>
      one.object < other.object ? -1 : one.object > other.object ? 1 : 0,
    );
    return { tenancy, findings: sorted, objects: [...objects.values()], unread };
  });
}

/** Contradictions between network policies and policies of a mesh, in any namespace. Without the latter there is nothing to compare. */
async function contradictionsIn(
  reader: RequestingReader,
  tenancy: Tenancy,
  unread: string[],
  scope: Scope | undefined,
) {
  if (!(await hasMesh(reader))) return [];
  const problems: string[] = [];
  const failed = new Set<string>();
  const objects = await objectsIn(reader, problems, failed).catch((error: unknown) => {
    if (!(error instanceof Unreadable)) throw error;
    problems.push(error.message);
    return undefined;
  });
  for (const one of problems) if (!unread.includes(one)) unread.push(one);
  if (objects === undefined) return [];
  const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false }, failed);
  scope?.know(objects);
  scope?.knowSnapshot(snapshot);
  const found = layersIn(snapshot, tenancy, 'cluster').filter(
    ({ object, otherObject = '' }) => scope === undefined || scope.hasObject(object) || scope.hasObject(otherObject),
  );
  const names = new Set(found.map(({ object }) => object));
  const byName = new Map<string, WrittenObject[]>();
  for (const one of objects) {
    const name = nameOf(one);
    if (!names.has(name)) continue;
    const written = placed(one, String(one.apiVersion ?? ''), String(one.kind));
    byName.set(name, [...(byName.get(name) ?? []), written]);
  }
  return found.map((one) => {
    const [kind = ''] = one.object.split(' ', 1);
    const written = objectAt(byName, one.object, one.path) ?? placed({}, '', kind);
    const own = linted(written, String(valueAt(written.object, 'metadata', 'namespace') ?? ''));
    return { finding: layerFinding(one, written, own, tenancy.settings), object: own };
  });
}

async function hasMesh(reader: RequestingReader): Promise<boolean> {
  let isThere = false;
  for (const [kind, , ...paths] of collections)
    if (isCompared(kind) && !isThere)
      try {
        await reader.eachServed(paths, () => {
          isThere = true;
        });
      } catch (error) {
        // The judgement of each object reads them too, and says so.
        if (!(error instanceof Unreadable)) throw error;
      }
  return isThere;
}

function nameOf(object: JsonMap): string {
  const [namespace, name] = [valueAt(object, 'metadata', 'namespace'), valueAt(object, 'metadata', 'name')];
  return refText({
    kind: String(object.kind),
    namespace: typeof namespace === 'string' ? namespace : '',
    name: String(name),
  });
}

function writtenOf({ kind, decoded: { object } }: Stored): WrittenObject {
  const apiVersion = 'family' in kind ? apiVersionsOf(kind)[0] : `${kind.group}/${kind.path.split('/')[3]}`;
  return placed(object, apiVersion, kind.kind);
}

function placed(object: JsonMap, apiVersion: string, kind: string): WrittenObject {
  const place = { file: cluster, line: 0, column: 0 };
  return { object, apiVersion, kind, file: cluster, placeOf: () => place };
}
