/** Contradictions between network policies and policies of a mesh among the files, with the places of both sides. Hints. */
import type { NamespaceSource } from '../admission/facts.ts';
import type { LayerFinding } from '../connectivity/layers/context.ts';
import { layersOf } from '../connectivity/layers/layers.ts';
import { createParties } from '../connectivity/parties.ts';
import { isOfSnapshot } from '../connectivity/read-object.ts';
import { readSnapshot } from '../connectivity/read-snapshot.ts';
import { readingsOf } from '../connectivity/readings.ts';
import type { Snapshot } from '../connectivity/snapshot.ts';
import { createWorld } from '../connectivity/world.ts';
import { stepsOf, type WrittenObject } from '../files/written-objects.ts';
import { type JsonMap, valueAt } from '../kubernetes/json.ts';
import { type LintFinding, whereOf } from '../report/lint-report.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { layerFinding, linted } from './lint-finding.ts';
import { tooLongIn } from './long-names.ts';
import { inNamespace } from './object-namespace.ts';

interface Files {
  readonly tenancy: Tenancy;
  readonly namespaces: Pick<NamespaceSource, 'lookup'>;
  /** Of objects that say none. */
  readonly defaultNamespace: string | undefined;
}

/** Without policies of these kinds there is nothing to compare. */
export const isCompared = (kind: string): boolean => kind === 'AuthorizationPolicy' || kind === 'RequestAuthentication';

interface FoundLayer {
  readonly finding: LintFinding;
  /** The objects of both sides that are among the files. */
  readonly sides: readonly JsonMap[];
}

export function lintLayers(written: readonly WrittenObject[], files: Files): readonly FoundLayer[] {
  if (!written.some(({ kind }) => isCompared(kind))) return [];
  const { tenancy, namespaces, defaultNamespace } = files;
  const placed = new Map<string, WrittenObject[]>();
  const names = new Set<string>();
  const objects = written.flatMap((one) => {
    if (one.kind === 'Namespace' || !isOfSnapshot(one.apiVersion, one.kind) || tooLongIn(one) !== undefined) return [];
    const object = inNamespace(one.object, one.kind, defaultNamespace ?? '');
    const [namespace, name] = [valueAt(object, 'metadata', 'namespace'), valueAt(object, 'metadata', 'name')];
    const place = typeof namespace === 'string' && namespace !== '' ? `${namespace}/` : '';
    if (place !== '') names.add(String(namespace));
    const key = `${one.kind} ${place}${name}`;
    placed.set(key, [...(placed.get(key) ?? []), { ...one, object }]);
    return [object];
  });
  // Of a namespace of which nothing is known, nothing is said.
  const known = [...names].flatMap((name) => {
    const record = namespaces.lookup(name);
    return record === undefined
      ? []
      : [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: record.labels } }];
  });
  const snapshot = readSnapshot([...known, ...objects], tenancy, { hasPods: false, withBaseline: true });
  return layersIn(snapshot, tenancy, 'files').flatMap((one) => {
    const at = objectAt(placed, one.object, one.path);
    if (at === undefined) return [];
    const { other, otherObject, otherPath = '' } = one;
    const beside = otherObject === undefined ? undefined : objectAt(placed, otherObject, otherPath);
    // With its place.
    const where = beside && whereOf({ ...beside.placeOf(otherPath), file: beside.file });
    const said = where === undefined ? one : { ...one, other: `${other}, ${where}` };
    const object = linted(at, String(valueAt(at.object, 'metadata', 'namespace')));
    const finding = layerFinding(said, at, object, tenancy.settings);
    return [{ finding, sides: [at, ...(beside === undefined ? [] : [beside])].map((side) => side.object) }];
  });
}

export function layersIn(snapshot: Snapshot, tenancy: Tenancy, scope: 'cluster' | 'files'): readonly LayerFinding[] {
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  const worlds = readingsOf(tenancy.settings.plugin, snapshot.policies).map((reading) =>
    createWorld(snapshot, parties, tenancy.settings, reading),
  );
  return layersOf(snapshot, worlds, tenancy.settings, scope);
}

/** Of objects of one name, such as policies of two groups, the one that has most of the path. */
export function objectAt(
  placed: ReadonlyMap<string, readonly WrittenObject[]>,
  name: string,
  path: string,
): WrittenObject | undefined {
  const depth = ({ object }: WrittenObject): number => stepsOf(path, object).length;
  return placed.get(name)?.toSorted((one, other) => depth(other) - depth(one))[0];
}
