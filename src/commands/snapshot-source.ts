/** Where a snapshot comes from: files, or a cluster that is read once. For the commands about who reaches whom. */
import { printable } from '../admission/message.ts';
import { isOfProtection } from '../connectivity/protection.ts';
import { isOfSnapshot } from '../connectivity/read-object.ts';
import { readSnapshot } from '../connectivity/read-snapshot.ts';
import type { Snapshot } from '../connectivity/snapshot.ts';
import { readCluster, Unreadable } from '../facts/cluster-reader.ts';
import { namespacesPath } from '../facts/namespaces.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import { type WrittenObject, writtenObjects } from '../files/written-objects.ts';
import { listedPolicyKinds } from '../kinds/policy-kind.ts';
import { collectionPaths } from '../kinds/resource-name.ts';
import type { JsonMap } from '../kubernetes/json.ts';
import { formatProblem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { locationOf } from './cluster-location.ts';
import type { Surroundings } from './command.ts';
import { readInputs } from './lint-inputs.ts';
import { tooLongIn } from './long-names.ts';
import { flag, optionalText, texts } from './options.ts';
import { progressOf } from './progress.ts';
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
  namespace: {
    ...optionalText('NAME', 'take objects and names without a namespace as in this one', 'default'),
    short: 'n',
  },
  'no-baseline': flag('leave out of files what Bulkhead would put into the namespaces of tenants'),
};

export interface SnapshotValues {
  readonly tenants: string | undefined;
  readonly config: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly filename: readonly string[];
  readonly kustomize: readonly string[];
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
}

/** @throws CannotStart with code 2 */
export async function loadSnapshot(
  command: string,
  values: SnapshotValues,
  surroundings: Surroundings,
): Promise<LoadedSnapshot> {
  return values.filename.length + values.kustomize.length > 0
    ? await fromFiles(values.filename, values.kustomize, values, surroundings)
    : await fromCluster(command, values, surroundings);
}

/** @throws CannotStart with code 2 */
export async function fromFiles(
  filenames: readonly string[],
  folders: readonly string[],
  values: Pick<SnapshotValues, 'tenants' | 'config' | 'namespace' | 'no-baseline'>,
  surroundings: Surroundings,
): Promise<LoadedSnapshot> {
  const { value: tenancy } = orCannotStart(await readTenancy(values), 2);
  const { objects, written, protecting, problems } = await readObjects(filenames, folders, values, surroundings);
  const all = withNamespaces(objects, tenancy);
  const options = { hasPods: false, withBaseline: !values['no-baseline'] };
  return { snapshot: readSnapshot(all, tenancy, options), tenancy, problems, protecting, written };
}

export interface ReadObjects {
  /** Those that a snapshot has a use for, in their namespaces. */
  readonly objects: readonly JsonMap[];
  /** The same, with their places. */
  readonly written: readonly WrittenObject[];
  readonly protecting: readonly JsonMap[];
  readonly problems: readonly string[];
}

/** @throws CannotStart with code 2 */
export async function readObjects(
  filenames: readonly string[],
  folders: readonly string[],
  values: Pick<SnapshotValues, 'tenants' | 'config' | 'namespace'>,
  surroundings: Surroundings,
): Promise<ReadObjects> {
  const inputs = await readInputs(filenames, folders, [values.tenants, values.config], surroundings);
  if (inputs.unread.length > 0)
    throw new CannotStart(inputs.unread.map((one) => printable(formatProblem(one))).join('\n'), 2);
  const problems = inputs.problems.map((one) => printable(formatProblem(one)));
  const written: WrittenObject[] = [];
  const protecting: JsonMap[] = [];
  const show = progressOf(surroundings, () => performance.now());
  for (const [index, file] of inputs.files.entries()) {
    show(index, inputs.files.length, 'files');
    const read = writtenObjects(file);
    for (const one of read.problems) problems.push(printable(formatProblem(one)));
    for (const one of read.objects) {
      if (!(isOfSnapshot(one.apiVersion, one.kind) || isOfProtection(one.apiVersion, one.kind))) continue;
      const tooLong = tooLongIn(one);
      if (tooLong !== undefined) {
        problems.push(tooLong);
        continue;
      }
      const object = inNamespace(one.object, one.kind, values.namespace);
      if (isOfSnapshot(one.apiVersion, one.kind)) written.push({ ...one, object });
      if (isOfProtection(one.apiVersion, one.kind)) protecting.push(object);
    }
  }
  surroundings.progress?.('');
  return { objects: written.map(({ object }) => object), written, protecting, problems };
}

const clusterScoped: ReadonlySet<string> = new Set([
  ...['Namespace', 'Tier', 'FelixConfiguration', 'CiliumClusterwideNetworkPolicy'],
  ...['GlobalNetworkPolicy', 'GlobalNetworkSet'],
  ...['ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'],
]);

export function inNamespace(object: JsonMap, kind: string, namespace = 'default'): JsonMap {
  const { metadata } = object;
  const map: JsonMap = typeof metadata === 'object' && metadata !== null ? { ...metadata } : {};
  if (clusterScoped.has(kind) || (typeof map.namespace === 'string' && map.namespace !== '')) return object;
  return { ...object, metadata: { ...map, namespace } };
}

/** A namespace that no file holds is one all the same: its owner is whom its name is reserved to. */
export function withNamespaces(objects: readonly JsonMap[], tenancy: Tenancy): readonly JsonMap[] {
  const listed = new Set<unknown>();
  const named = new Set<string>();
  for (const { kind, metadata } of objects) {
    const { name, namespace } = (metadata ?? {}) as { readonly name?: unknown; readonly namespace?: unknown };
    if (kind === 'Namespace') listed.add(name);
    else if (typeof namespace === 'string') named.add(namespace);
  }
  const { tenantLabel } = tenancy.settings;
  const missing = [...named].filter((name) => !listed.has(name));
  return [
    ...objects,
    ...missing.map((name) => {
      const owner = tenancy.reservation(name);
      const labels = owner === undefined || owner === 'platform' ? {} : { [tenantLabel]: owner.name };
      return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    }),
  ];
}

/** Of each kind, the paths of one list; the first that is served is read. */
const collections: readonly (readonly [kind: string, apiVersion: string, ...paths: readonly string[]])[] = [
  ['Namespace', 'v1', namespacesPath],
  ['Pod', 'v1', '/api/v1/pods'],
  ['Service', 'v1', '/api/v1/services'],
  ...listedPolicyKinds.map(
    (kind) => [kind.kind, `${kind.group}/${kind.versions[0]}`, ...collectionPaths(kind)] as const,
  ),
  ...(
    [
      ['CiliumClusterwideNetworkPolicy', 'cilium.io/v2', 'ciliumclusterwidenetworkpolicies'],
      ['ClusterNetworkPolicy', 'policy.networking.k8s.io/v1alpha2', 'clusternetworkpolicies'],
      ['AdminNetworkPolicy', 'policy.networking.k8s.io/v1alpha1', 'adminnetworkpolicies'],
      ['BaselineAdminNetworkPolicy', 'policy.networking.k8s.io/v1alpha1', 'baselineadminnetworkpolicies'],
    ] as const
  ).map(([kind, version, plural]) => [kind, version, `/apis/${version}/${plural}`] as const),
  ...(
    [
      ['GlobalNetworkPolicy', 'globalnetworkpolicies'],
      ['GlobalNetworkSet', 'globalnetworksets'],
    ] as const
  ).map(
    ([kind, plural]) =>
      [
        ...[kind, 'projectcalico.org/v3'],
        ...[`/apis/projectcalico.org/v3/${plural}`, `/apis/crd.projectcalico.org/v1/${plural}`],
      ] as const,
  ),
  ...(['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'] as const)
    .filter((kind) => !listedPolicyKinds.some((one) => one.kind === kind))
    .map((kind) => {
      const plural = `${kind.toLowerCase().replace(/y$/, 'ie')}s`;
      const paths = ['v1', 'v1beta1'].map((version) => `/apis/security.istio.io/${version}/${plural}`);
      return [kind, 'security.istio.io/v1', ...paths] as const;
    }),
  ['Tier', 'projectcalico.org/v3', '/apis/projectcalico.org/v3/tiers', '/apis/crd.projectcalico.org/v1/tiers'],
];

async function fromCluster(
  command: string,
  values: SnapshotValues,
  { environment, progress }: Surroundings,
): Promise<LoadedSnapshot> {
  const { value: files } = orCannotStart(await readTenancy(values), 2);
  const reader = readCluster(locationOf(command, values, environment));
  const problems: string[] = [];
  const tell = (_: unknown, message: string): void => void problems.push(message);
  try {
    const tenancy =
      values.tenants === undefined
        ? await reader.tenancy(files.settings, { info: () => {}, warn: tell, error: tell })
        : files;
    const objects: JsonMap[] = [];
    for (const [kind, apiVersion, ...paths] of collections) {
      try {
        // Lists leave out what every item is.
        await reader.eachServed(
          paths,
          ({ object }) => void objects.push({ apiVersion, kind, ...trimmed(object, kind) }),
        );
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        if (kind === 'Namespace' || kind === 'Pod') throw new CannotStart(error.message, 2);
        problems.push(error.message);
      }
      progress?.(`${objects.length} objects`);
    }
    progress?.('');
    const snapshot = readSnapshot(objects, tenancy, { hasPods: true, withBaseline: false });
    return { snapshot, tenancy, problems, protecting: [], written: [] };
  } catch (error) {
    throw error instanceof Unreadable ? new CannotStart(error.message, 2) : error;
  } finally {
    reader.close();
  }
}

/** Of a pod, what a snapshot has a use for: clusters have many. */
function trimmed(object: JsonMap, kind: string): JsonMap {
  const { metadata, spec, status } = object as Record<string, JsonMap | undefined>;
  if (kind !== 'Pod') return { metadata: object.metadata, spec: object.spec, specs: object.specs };
  const { name, namespace, labels, ownerReferences } = metadata ?? {};
  const containersOf = (list: unknown) =>
    Array.isArray(list) ? list.map((one: JsonMap | undefined) => ({ ports: one?.ports })) : [];
  return {
    metadata: { name, namespace, labels, ownerReferences },
    spec: {
      hostNetwork: spec?.hostNetwork,
      containers: containersOf(spec?.containers),
      initContainers: containersOf(spec?.initContainers),
    },
    status: { phase: status?.phase, podIPs: status?.podIPs },
  };
}
