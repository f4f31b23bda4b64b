/** A cluster, and what it would be with objects of files applied to it. */
import type { JsonMap } from '../kubernetes/json.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { policyKey } from './fingerprint.ts';
import { createMakers } from './made-by-others.ts';
import { replicaSetOf } from './read-pod.ts';
import { readSnapshot } from './read-snapshot.ts';
import { withReferences } from './references.ts';
import { type PolicyRef, refText, type Snapshot, type SnapshotService, type Workload } from './snapshot.ts';

export interface OverlayOptions {
  /** Adds what Bulkhead puts into the namespaces among the objects. */
  readonly withBaseline: boolean;
  /** Policies that the objects leave out are gone, in the namespaces that the objects name. */
  readonly prunes: boolean;
}

/**
 * The cluster, with workloads named as in the files. Of a CronJob a cluster shows pods of Jobs, each named after it and the minute. A Job can
 * have such a name by itself, so it counts as one of a CronJob only where the files hold one that makes such pods, and no such Job. Pods that
 * are called by a Deployment or a Rollout are those of their ReplicaSet where the one of the files does not select them.
 */
export function namedAsIn(objects: readonly JsonMap[], cluster: Snapshot): Snapshot {
  const makers = createMakers(objects);
  const workloads = cluster.workloads.map((one): Workload => {
    if (makers.has(one)) return makers.makes(one, one.labels) ? one : { ...one, ...replicaSetOf(one) };
    const [, name] = (one.kind === 'Job' ? /^(.+)-\d{8}$/.exec(one.name) : null) ?? [];
    if (name === undefined) return one;
    const maker = { ...one, kind: 'CronJob', name };
    return makers.makes(maker, one.labels) ? maker : one;
  });
  return { ...cluster, workloads };
}

/** @param objects those of files, each in its namespace */
export function overlaid(
  cluster: Snapshot,
  objects: readonly JsonMap[],
  tenancy: Tenancy,
  { withBaseline, prunes }: OverlayOptions,
): Snapshot {
  const known = new Map(cluster.namespaces.map((one) => [one.name, one]));
  const labelled = objects.map((one) => withLabelsOf(one, known));
  const files = readSnapshot(labelled, tenancy, { hasPods: false, withBaseline });
  const fresh = {
    namespaces: new Set(files.namespaces.map(({ name }) => name)),
    workloads: new Set(files.workloads.map(makerKey)),
    services: new Set(files.services.map(serviceKey)),
    policies: new Set(files.policies.map(policyKey)),
    others: new Set([...(files.mesh ?? []), ...(files.sets ?? [])].map(({ ref }) => refText(ref))),
  };
  const makers = createMakers(objects);
  const isReplaced = (one: Workload): boolean => fresh.workloads.has(makerKey(one)) && makers.makes(one, one.labels);
  const named = new Set(objects.map((one) => valueAt(one, 'metadata', 'namespace')));
  const missing = [...named].filter(
    (name): name is string => typeof name === 'string' && !known.has(name) && !fresh.namespaces.has(name),
  );
  const isPruned = ({ namespace, name }: PolicyRef): boolean => prunes && named.has(namespace) && !isManaged(name);
  const isKept = (one: Snapshot['policies'][number]): boolean =>
    !fresh.policies.has(policyKey(one)) && !isPruned(one.ref);
  const kept = <Item extends { readonly ref: PolicyRef }>(list: readonly Item[] = []): readonly Item[] =>
    list.filter(({ ref }) => !fresh.others.has(refText(ref)) && !isPruned(ref));
  const groups = new Map([...(cluster.groups ?? []), ...(files.groups ?? [])].map((one) => [one.name, one]));
  const merged: Snapshot = {
    namespaces: [
      ...cluster.namespaces.filter(({ name }) => !fresh.namespaces.has(name)),
      ...files.namespaces,
      ...missing.map((name) => ({ name, labels: reservedLabels(name, tenancy) })),
    ],
    workloads: [...cluster.workloads.filter((one) => !isReplaced(one)), ...files.workloads],
    services: [...cluster.services.filter((one) => !fresh.services.has(serviceKey(one))), ...files.services],
    policies: [...cluster.policies.filter(isKept), ...files.policies],
    mesh: [...kept(cluster.mesh), ...(files.mesh ?? [])],
    sets: [...kept(cluster.sets), ...(files.sets ?? [])],
    groups: [...groups.values()],
    tiers: new Map([...(cluster.tiers ?? []), ...(files.tiers ?? [])]),
  };
  // What a policy of one side says of the other's objects.
  return withReferences(merged, true);
}

/** Of the baseline of a namespace, which no file holds. */
function isManaged(name: string): boolean {
  return name.startsWith('bulkhead-');
}

function reservedLabels(name: string, tenancy: Tenancy): Readonly<Record<string, string>> {
  const owner = tenancy.reservation(name);
  return owner === undefined || owner === 'platform' ? {} : { [tenancy.settings.tenantLabel]: owner.name };
}

/** Labels that a file leaves out stay: controllers and the webhook have set them. */
function withLabelsOf(object: JsonMap, known: ReadonlyMap<string, Snapshot['namespaces'][number]>): JsonMap {
  if (object.kind !== 'Namespace') return object;
  const before = known.get(String(valueAt(object, 'metadata', 'name')))?.labels;
  if (before === undefined) return object;
  const labels = valueAt(object, 'metadata', 'labels');
  const metadata = isMap(object.metadata) ? object.metadata : {};
  return { ...object, metadata: { ...metadata, labels: { ...before, ...(isMap(labels) ? labels : {}) } } };
}

function makerKey({ namespace, kind, name }: Pick<Workload, 'namespace' | 'kind' | 'name'>): string {
  return `${namespace}/${kind}/${name}`;
}

function serviceKey({ namespace, name }: SnapshotService): string {
  return `${namespace}/${name}`;
}
