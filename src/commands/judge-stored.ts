/**
 * Judges everything that tenants have in a cluster that is read once, or in files, as if it were written now. Keeps no object: the pods of a
 * cluster are many.
 */
import type { NamespaceRecord, NamespaceSource } from '../admission/facts.ts';
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { storedNeighbours } from '../admission/stored-neighbour.ts';
import { judgeStoredObject, workloadOf } from '../admission/stored-object.ts';
import { judgedPolicy, type State } from '../admission/stored-policy.ts';
import { judgeStoredUnread } from '../admission/stored-unread.ts';
import { isManaged } from '../baseline/managed.ts';
import type { Judged } from '../checks/judge.ts';
import { fieldOf } from '../checks/metadata-changes.ts';
import type { DecodedObject } from '../client/decode.ts';
import type { ReportScope } from '../connectivity/report-scope.ts';
import { type RequestingReader, Unreadable } from '../facts/cluster-reader.ts';
import { namespaceRecord, namespacesPath } from '../facts/namespaces.ts';
import type { Kind } from '../kinds/kind.ts';
import { kinds } from '../kinds/kinds.ts';
import { collectionPaths } from '../kinds/resource-name.ts';
import { controllerOf } from '../kubernetes/objects.ts';
import type { Reach } from '../reach/model.ts';
import { provisionerMark } from '../tenancy/namespace-grant.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { doubtAboutMark } from './audit-managed.ts';
import { createKeys, fixOfKey } from './audit-namespaces.ts';
import { type UnreadCollection, unreadCollections } from './audit-unread.ts';
import { labelsIn } from './scope.ts';

/** Where the objects come from. */
export interface StoredObjects {
  /** Tells of every object at the first of these paths that is served. @throws Unreadable */
  each(paths: readonly [string, ...string[]], tell: (object: DecodedObject) => void): Promise<void>;
  /** Collections of policy kinds that Bulkhead does not read. @param failed called with what cannot be found out */
  unread(failed: (what: string) => void): Promise<readonly UnreadCollection[]>;
  /** The namespace that a name stands for where it is not here. Undefined: no tenant's, as all are here. */
  assumed?(name: string): NamespaceRecord | undefined;
}

/** An object of a tenant. */
export interface Stored {
  readonly kind: Kind | UnreadCollection;
  readonly decoded: DecodedObject;
  readonly tenant: Tenant;
  /** As `KIND NAMESPACE/NAME`. */
  readonly about: string;
}

export interface Listeners {
  /** Each namespace that is not terminating. */
  readonly onNamespace?: (record: NamespaceRecord, namespace: DecodedObject, tenant: Tenant | 'platform') => void;
  /** Each pod, of tenants and of the platform. */
  readonly onPod?: (pod: DecodedObject) => void;
  /** @param reach what it opens, of a policy. @param doubt what speaks against its being Bulkhead's, where it looks like it */
  readonly onObject?: (one: Stored, reach: Reach | undefined, doubt: string | undefined) => void;
  readonly onExempted?: State['onExempted'];
  /** Each that is judged, with its findings in catalogue order: hints too, but none of exemptions. */
  readonly onJudged: (one: Stored, findings: readonly Judged[]) => void;
  /** The same of those that are not in the scope. */
  readonly onJudgedElsewhere?: Listeners['onJudged'];
}

export interface JudgedStored {
  /** Collections that could not be listed, with the reason. */
  readonly unread: string[];
  readonly keys: ReturnType<typeof createKeys>;
  readonly state: State & { readonly namespaces: Pick<NamespaceSource, 'lookup' | 'isKept' | 'all'> };
}

/**
 * @param scope of what is reported; everything is
 * @throws Unreadable where the namespaces cannot be listed: they alone are needed
 */
export async function judgeStored(
  objects: StoredObjects,
  tenancy: Tenancy,
  { onNamespace, onPod, onObject, onExempted, onJudged, onJudgedElsewhere }: Listeners,
  scope?: Pick<ReportScope, 'has'>,
): Promise<JudgedStored> {
  const { settings } = tenancy;
  const unread: string[] = [];
  const keys = createKeys(settings);
  const keysElsewhere = createKeys(settings);
  const store = createNamespaceStore(() => tenancy);
  const lookup = (name: string) => store.lookup(name) ?? objects.assumed?.(name);
  const state = {
    ...{ tenancy, namespaces: { ...store, lookup }, now: Date.now() },
    ...(onExempted !== undefined && { onExempted }),
  };
  const neighbour = storedNeighbours(state);
  const owned = new Map<string, { readonly tenant: Tenant; readonly record: NamespaceRecord }>();

  const isReported = (namespace: string, { object }: DecodedObject): boolean =>
    scope === undefined || scope.has(namespace, labelsIn(object));
  const tell: typeof onJudged = (one, findings) => {
    const isIn = isReported(one.decoded.metadata.namespace, one.decoded);
    (isIn ? onJudged : onJudgedElsewhere)?.(one, findings);
  };

  async function read(paths: readonly [string, ...string[]], tell: (object: DecodedObject) => void): Promise<void> {
    try {
      await objects.each(paths, tell);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      unread.push(error.message);
    }
  }

  await objects.each([namespacesPath], (decoded) => {
    const record = namespaceRecord(decoded);
    store.set(record);
    const tenant = tenancy.ownerByLabels(record.labels);
    const { name } = record;
    if (record.terminating) return;
    onNamespace?.(record, decoded, tenant);
    if (tenant === 'platform') return;
    owned.set(name, { tenant, record });
    const isIn = isReported(name, decoded);
    const findings = judgeStoredObject(namespaceKind, decoded.object, record, state).flatMap((finding) => {
      const { reserved, path } = finding;
      // A label that is for other namespaces, and a mark that is wrong, are said otherwise (audit-namespaces.ts).
      const isTrusted = reserved !== undefined && settings.trustedLabels.has(reserved);
      if (isTrusted && path === fieldOf({ map: 'labels', key: reserved })) return [];
      if (reserved !== undefined && (isIn ? keys : keysElsewhere).add(name, decoded.object, reserved, path)) return [];
      if (path === fieldOf({ map: 'annotations', key: provisionerMark })) return [];
      return [reserved === undefined || isTrusted ? finding : { ...finding, fix: fixOfKey }];
    });
    (isIn ? onJudged : onJudgedElsewhere)?.(
      { kind: namespaceKind, decoded, tenant, about: `Namespace ${name}` },
      findings,
    );
  });
  for (const kind of judgedKinds.filter((one) => one.family !== 'neighbour' || settings[one.module].judged))
    await read(collectionPaths(kind), (decoded) => {
      const { metadata, object } = decoded;
      if (kind.family === 'pod') onPod?.(decoded);
      const owner = owned.get(metadata.namespace);
      if (owner === undefined) return;
      const { tenant, record } = owner;
      const one = { kind, decoded, tenant, about: `${kind.kind} ${metadata.namespace}/${metadata.name}` };
      // Of a Tenant that cannot be read, Bulkhead keeps what an earlier version asked for.
      const isDoubted = isGuarded(kind) && tenancy.declares(tenant);
      const doubt = isDoubted ? doubtAboutMark(kind, object, tenant, settings) : undefined;
      const reach = kind.family === 'policy' ? kind.read(object) : undefined;
      onObject?.(one, reach, doubt);
      if (kind.family === 'policy') tell(one, judgedPolicy(kind, object, state, reach)?.judged ?? []);
      else if (kind.family === 'neighbour') tell(one, neighbour(kind, object, record));
      else if (isJudgedItself(kind, object, doubt)) tell(one, judgeStoredObject(kind, object, record, state));
    });
  for (const collection of await objects.unread((failure) => unread.push(failure)))
    await read([collection.path], (decoded) => {
      const { name, namespace } = decoded.metadata;
      const owner = owned.get(namespace);
      if (owner === undefined) return;
      const { kind, group, resource } = collection;
      const one = { kind: collection, decoded, tenant: owner.tenant, about: `${kind} ${namespace}/${name}` };
      tell(one, judgeStoredUnread({ kind, group, resource }, decoded.object, owner.record, state));
    });
  return { unread, keys, state };
}

const [namespaceKind] = kinds.filter(({ family }) => family === 'namespace') as [Kind];

const families: ReadonlySet<Kind['family']> = new Set(['policy', 'pod', 'quota', 'workload', 'neighbour']);

export function isJudgedFamily(family: Kind['family'] | 'unread'): boolean {
  return family === 'unread' || family === 'namespace' || families.has(family);
}

/** Those inside namespaces, the policies first: they say which pods are isolated. */
const judgedKinds: readonly Kind[] = kinds
  .filter(({ family, judgedAs }) => judgedAs === undefined && families.has(family))
  .filter((kind) => kind.family !== 'policy' || kind.listedBy === undefined)
  .toSorted((one, other) => Number(other.family === 'policy') - Number(one.family === 'policy'));

/** Kinds of which Bulkhead puts objects in place. */
const isGuarded = ({ family }: Kind): boolean => family === 'policy' || family === 'quota';

/** The controller of a workload is judged itself; what Bulkhead puts in place is its own. */
function isJudgedItself({ family }: Kind, object: DecodedObject['object'], doubt: string | undefined): boolean {
  if (family === 'workload') return controllerOf(object) === undefined;
  return family !== 'quota' || !isManaged(object) || doubt !== undefined;
}

/** A pod counts as its workload. */
export function countedAs({ kind, decoded, about }: Stored): string {
  return (kind.kind === 'Pod' ? workloadOf(decoded.object) : undefined) ?? about;
}

/** The objects of a cluster. */
export function storedIn(reader: RequestingReader): StoredObjects {
  return {
    each: (paths, tell) => reader.eachServed(paths, tell),
    unread: (failed) => unreadCollections(reader, failed),
  };
}
