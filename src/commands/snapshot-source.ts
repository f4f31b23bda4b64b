/** Where a snapshot comes from: files, or a cluster that is read once. For the commands about who reaches whom. */
import { printable } from '../admission/message.ts';
import { isOfSnapshot, templateOf } from '../connectivity/read-object.ts';
import { readSnapshot } from '../connectivity/read-snapshot.ts';
import type { Snapshot } from '../connectivity/snapshot.ts';
import { type ClusterReader, Unreadable } from '../facts/cluster-reader.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import { type WrittenObject, writtenObjects } from '../files/written-objects.ts';
import { resourceOfObject } from '../kinds/kind-of-object.ts';
import type { JsonMap } from '../kubernetes/json.ts';
import { isOfProtection } from '../picture/protection.ts';
import { formatProblem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { claimedNames } from './claimed-names.ts';
import { collections, trimmed } from './cluster-collections.ts';
import { inCluster } from './cluster-tenancy.ts';
import type { Surroundings } from './command.ts';
import { excludeOption, readInputs } from './lint-inputs.ts';
import { tooLongIn } from './long-names.ts';
import { defaultNamespace, inNamespace, namespaceOf, placed, withNamespaces } from './object-namespace.ts';
import { flag, optionalText, texts } from './options.ts';
import { progressOf } from './progress.ts';
import { type Scope, scopeOptions } from './scope.ts';
import { readerOptions, tenancyOptions } from './shared-options.ts';

export const snapshotOptions = {
  ...tenancyOptions,
  tenants: optionalText(
    'DIR',
    tenancyOptions.tenants.help,
    'the Tenant and Exemption objects of the API server; with files, none',
  ),
  ...readerOptions,
  filename: {
    ...texts('FILE', 'read this file or folder, or - for the standard input, and no cluster; repeat for more', 'none'),
    short: 'f',
  },
  kustomize: {
    ...texts('DIR', 'read what kustomize builds of this folder, and no cluster; repeat for more', 'none'),
    short: 'k',
  },
  ...excludeOption,
  ...scopeOptions('objects without one are in default'),
  'no-baseline': flag('leave out of files what Bulkhead would put into the namespaces of tenants'),
};

export interface SnapshotValues {
  readonly tenants: string | undefined;
  readonly config: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly filename: readonly string[];
  readonly kustomize: readonly string[];
  readonly exclude: readonly string[];
  /** Of objects without one. */
  readonly namespace: string | undefined;
  readonly 'no-baseline': boolean;
}

export interface LoadedSnapshot {
  readonly snapshot: Snapshot;
  readonly tenancy: Tenancy;
  /** What could not be read, each a sentence: what it says is missing. */
  readonly problems: readonly string[];
  /** Of files: objects that say how traffic is protected beside policies. */
  readonly protecting: readonly JsonMap[];
  /** Of files: objects with their places. */
  readonly written: readonly WrittenObject[];
  /** Of files: those that the webhook would be asked about. */
  readonly reviewed: readonly WrittenObject[];
}

/**
 * @param scope gets to know what was read
 * @throws CannotStart with code 2
 */
export async function loadSnapshot(
  command: string,
  values: SnapshotValues,
  surroundings: Surroundings,
  scope?: Scope,
): Promise<LoadedSnapshot> {
  return values.filename.length + values.kustomize.length > 0
    ? await fromFiles(values.filename, values.kustomize, values, surroundings, scope)
    : await fromCluster(command, values, surroundings, scope);
}

/** @throws CannotStart with code 2 */
export async function fromFiles(
  filenames: readonly string[],
  folders: readonly string[],
  values: Pick<SnapshotValues, 'tenants' | 'config' | 'exclude' | 'namespace' | 'no-baseline'>,
  surroundings: Surroundings,
  scope?: Scope,
): Promise<LoadedSnapshot> {
  const { value: tenancy } = orCannotStart(await readTenancy(values), 2);
  const { objects, ...read } = await readObjects(filenames, folders, values, surroundings);
  const problems = [...read.problems, ...claimedNames(objects, tenancy)];
  const all = withNamespaces(objects, tenancy);
  const options = { hasPods: false, withBaseline: !values['no-baseline'] };
  const snapshot = readSnapshot(all, tenancy, options);
  scope?.know(objects);
  scope?.know(read.reviewed.map(({ object }) => object));
  scope?.knowSnapshot(snapshot);
  return { snapshot, tenancy, ...read, problems };
}

export interface ReadObjects {
  /** Those that a snapshot has a use for, in their namespaces. */
  readonly objects: readonly JsonMap[];
  /** The same, with their places. */
  readonly written: readonly WrittenObject[];
  /** Those that the webhook would be asked about, in their namespaces. */
  readonly reviewed: readonly WrittenObject[];
  readonly protecting: readonly JsonMap[];
  readonly problems: readonly string[];
}

/** @throws CannotStart with code 2 */
export async function readObjects(
  filenames: readonly string[],
  folders: readonly string[],
  values: Pick<SnapshotValues, 'tenants' | 'config' | 'exclude' | 'namespace'>,
  surroundings: Surroundings,
): Promise<ReadObjects> {
  const inputs = await readInputs(filenames, folders, [values.tenants, values.config], values.exclude, surroundings);
  if (inputs.unread.length > 0)
    throw new CannotStart(inputs.unread.map((one) => printable(formatProblem(one))).join('\n'), 2);
  const problems = inputs.problems.map((one) => printable(formatProblem(one)));
  const written: WrittenObject[] = [];
  const reviewed: WrittenObject[] = [];
  const protecting: JsonMap[] = [];
  const show = progressOf(surroundings, () => performance.now());
  for (const [index, file] of inputs.files.entries()) {
    show(index, inputs.files.length, 'files');
    const read = writtenObjects(file);
    for (const one of read.problems) problems.push(printable(formatProblem(one)));
    for (const one of read.objects) {
      const resource = resourceOfObject(one.apiVersion, one.kind);
      const isRead = isOfSnapshot(one.apiVersion, one.kind) || templateOf(one.object) !== undefined;
      if (!(resource !== undefined || isRead || isOfProtection(one.apiVersion, one.kind))) continue;
      const tooLong = tooLongIn(one);
      if (tooLong !== undefined) {
        problems.push(tooLong);
        continue;
      }
      const own = resource === undefined ? '' : namespaceOf(resource, one, values.namespace ?? defaultNamespace);
      if (resource !== undefined) reviewed.push(own === '' ? one : { ...one, object: placed(one.object, own) });
      const object = inNamespace(one.object, one.kind, values.namespace);
      if (isRead) written.push({ ...one, object });
      if (isOfProtection(one.apiVersion, one.kind)) protecting.push(object);
    }
  }
  surroundings.progress?.('');
  return { objects: written.map(({ object }) => object), written, reviewed, protecting, problems };
}

function fromCluster(
  command: string,
  values: SnapshotValues,
  surroundings: Surroundings,
  scope: Scope | undefined,
): Promise<LoadedSnapshot> {
  return inCluster(command, values, surroundings, async (reader, tenancy, problems) => {
    const failed = new Set<string>();
    const objects = await objectsIn(reader, problems, failed);
    const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false }, failed);
    scope?.know(objects);
    scope?.knowSnapshot(snapshot);
    return { snapshot, tenancy, problems, protecting: [], written: [], reviewed: [] };
  });
}

/**
 * What a snapshot of a cluster is made of.
 *
 * @param problems gets what cannot be listed
 * @param failed gets the kinds of it
 * @throws Unreadable for namespaces and pods
 */
export async function objectsIn(
  reader: ClusterReader,
  problems: string[],
  failed: Set<string> = new Set(),
): Promise<readonly JsonMap[]> {
  const objects: JsonMap[] = [];
  for (const [kind, apiVersion, ...paths] of collections) {
    try {
      // Lists leave out what every item is.
      await reader.eachServed(paths, ({ object }) => void objects.push({ apiVersion, kind, ...trimmed(object, kind) }));
    } catch (error) {
      if (!(error instanceof Unreadable) || kind === 'Namespace' || kind === 'Pod') throw error;
      problems.push(error.message);
      failed.add(kind);
    }
  }
  return objects;
}
