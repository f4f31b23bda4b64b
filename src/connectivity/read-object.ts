/** One object of the API -> what a snapshot has of it. */
import { calicoGroups } from '../kinds/calico-groups.ts';
import { kinds } from '../kinds/kinds.ts';
import { policyKinds } from '../kinds/policy-kind.ts';
import { type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { Policy } from '../kubernetes/objects.ts';
import { adminInForce } from '../reach/dialects/admin-in-force.ts';
import { readAddressSet } from '../reach/dialects/calico/address-set.ts';
import { calicoGlobalInForce } from '../reach/dialects/calico/in-force.ts';
import { ciliumClusterwideInForce } from '../reach/dialects/cilium/in-force.ts';
import { type AddressGroup, readAddressGroup } from '../reach/dialects/cilium/referred.ts';
import type { InForce } from '../reach/in-force.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { Interned } from './interned.ts';
import { readMaker, readPod, textAt, textsOf } from './read-pod.ts';
import { readService } from './read-service.ts';
import type {
  CalicoTier,
  MeshPolicy,
  SnapshotAddressSet,
  SnapshotNamespace,
  SnapshotPolicy,
  SnapshotService,
  Workload,
} from './snapshot.ts';

export interface SnapshotOptions {
  /** The pods of workloads are listed too, so what would make pods is left out. */
  readonly hasPods: boolean;
  /** Adds what Bulkhead puts into the namespaces of tenants in mode enforce, and the tenant labels that it gives. */
  readonly withBaseline: boolean;
}

export type ReadObject =
  | { readonly kind: 'namespace'; readonly value: SnapshotNamespace }
  | { readonly kind: 'workload'; readonly value: Workload }
  | { readonly kind: 'service'; readonly value: SnapshotService }
  | { readonly kind: 'tier'; readonly name: string; readonly value: CalicoTier }
  | { readonly kind: 'group'; readonly value: AddressGroup }
  | { readonly kind: 'set'; readonly key: string; readonly value: SnapshotAddressSet }
  | { readonly kind: 'mesh'; readonly value: MeshPolicy }
  | { readonly kind: 'policy'; readonly key: string; readonly value: SnapshotPolicy };

/** @returns undefined where a snapshot has no use for it, or it cannot be read: the API server would have refused it */
export type ObjectReader = (object: JsonMap) => ReadObject | undefined;

type PolicyReader = (object: Policy) => InForce | undefined;

const adminKinds = ['ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'] as const;
const policyReaders: ReadonlyMap<string, PolicyReader> = new Map<string, PolicyReader>([
  ...policyKinds.map(({ group, kind, inForce }) => [`${group}/${kind}`, (one: Policy) => inForce?.(one)] as const),
  ['cilium.io/CiliumClusterwideNetworkPolicy', ciliumClusterwideInForce],
  ...calicoGroups.map(({ group }) => [`${group}/GlobalNetworkPolicy`, calicoGlobalInForce] as const),
  ...adminKinds.map((kind) => [`policy.networking.k8s.io/${kind}`, (one: Policy) => adminInForce(kind, one)] as const),
]);
/** Of this kind only the specification counts, so those that are written alike are read once: baselines are, and charts. */
const readBySpec = 'networking.k8s.io/NetworkPolicy';
/** So many are kept. A cluster that lives long has had many. */
const mostSpecs = 200_000;
const templates: ReadonlyMap<string, readonly string[]> = new Map(
  kinds.flatMap((one) => (one.family === 'workload' ? [[`${one.group}/${one.kind}`, one.template] as const] : [])),
);
/** Of kinds that are not known, such as a Rollout of Argo: where a template of pods may be. */
const otherTemplates = [
  ['spec', 'template'],
  ['spec', 'jobTemplate', 'spec', 'template'],
] as const;
/** What the API server lists of Calico, it may list in two groups; those are the same objects. */
const storedTwice = new Set(['crd.projectcalico.org']);

/** They hold addresses that selectors of Calico match by labels. */
const setKinds: ReadonlySet<string> = new Set(
  calicoGroups.flatMap(({ group }) => [`${group}/NetworkSet`, `${group}/GlobalNetworkSet`]),
);

const groupKind = 'cilium.io/CiliumCIDRGroup';

/** They are about requests, and are held against the network policies (layers/). */
const meshKinds: ReadonlySet<string> = new Set([
  'security.istio.io/AuthorizationPolicy',
  'security.istio.io/PeerAuthentication',
  'security.istio.io/RequestAuthentication',
]);

/** Tells of kinds of which a snapshot has a use. */
export function isOfSnapshot(apiVersion: string, kind: string): boolean {
  const key = `${groupOf(apiVersion)}/${kind}`;
  return (
    meshKinds.has(key) ||
    setKinds.has(key) ||
    key === groupKind ||
    policyReaders.has(key) ||
    templates.has(key) ||
    ['/Namespace', '/Pod', '/Service'].includes(key) ||
    isTier(key)
  );
}

/** The path of the template of pods that the object makes; undefined: it makes none. */
export function templateOf(object: JsonMap): readonly string[] | undefined {
  const [apiVersion, kind] = [textAt(object, 'apiVersion'), textAt(object, 'kind')];
  if (isOfSnapshot(apiVersion, kind)) return templates.get(`${groupOf(apiVersion)}/${kind}`);
  return otherTemplates.find((path) => Array.isArray(valueAt(object, ...path, 'spec', 'containers')));
}

function isTier(key: string): boolean {
  return key === 'projectcalico.org/Tier' || key === 'crd.projectcalico.org/Tier';
}

export function createObjectReader(tenancy: Tenancy, options: SnapshotOptions): ObjectReader {
  const interned = new Interned();
  const readers = new Map<string, ObjectReader>();
  return (object) => {
    const [apiVersion, kind] = [textAt(object, 'apiVersion'), textAt(object, 'kind')];
    const key = `${apiVersion} ${kind}`;
    let reader = readers.get(key);
    if (reader === undefined) {
      reader = readerOf(groupOf(apiVersion), kind, interned, tenancy, options);
      readers.set(key, reader);
    }
    return reader(object);
  };
}

function readerOf(
  group: string,
  kind: string,
  interned: Interned,
  tenancy: Tenancy,
  options: SnapshotOptions,
): ObjectReader {
  const key = `${group}/${kind}`;
  const workload = (value: Workload | undefined): ReadObject | undefined => value && { kind: 'workload', value };
  const template = templates.get(key);
  if (key === '/Namespace') return (object) => ({ kind: 'namespace', value: namespaceOf(object, tenancy, options) });
  if (key === '/Service') return (object) => ({ kind: 'service', value: readService(object) });
  if (key === '/Pod') return (object) => workload(readPod(object, options.hasPods, interned));
  if (template !== undefined)
    return (object) => (options.hasPods ? undefined : workload(readMaker(object, kind, template, interned)));
  if (isTier(key)) return (object) => ({ kind: 'tier', name: textAt(object.metadata, 'name'), value: tierOf(object) });
  if (meshKinds.has(key))
    return (object) => {
      const { metadata } = object;
      const ref = { kind, namespace: textAt(metadata, 'namespace'), name: textAt(metadata, 'name') };
      return { kind: 'mesh', value: { ref, object } };
    };
  if (key === groupKind) return (object) => ({ kind: 'group', value: readAddressGroup(object) });
  if (setKinds.has(key))
    return (object) => {
      const { metadata } = object;
      const ref = { kind, namespace: textAt(metadata, 'namespace'), name: textAt(metadata, 'name') };
      const value = { ref, set: readAddressSet(object) };
      return { kind: 'set', key: `${kind} ${ref.namespace} ${ref.name}`, value };
    };
  const read = policyReaders.get(key);
  if (read === undefined)
    return (object) => {
      const path = options.hasPods ? undefined : templateOf(object);
      return path && workload(readMaker(object, kind, path, interned));
    };
  const place = `${storedTwice.has(group) ? 'projectcalico.org' : group} ${kind}`;
  const bySpec = new Map<string, InForce | undefined>();
  const inForceOf = (object: JsonMap): InForce | undefined => {
    if (key !== readBySpec) return read(object);
    const text = JSON.stringify(object.spec) ?? '';
    if (bySpec.size >= mostSpecs) bySpec.clear();
    if (!bySpec.has(text)) bySpec.set(text, read(object));
    return bySpec.get(text);
  };
  return (object) => {
    const inForce = inForceOf(object);
    if (inForce === undefined) return undefined;
    const { metadata } = object;
    const ref = { kind, namespace: textAt(metadata, 'namespace'), name: textAt(metadata, 'name') };
    return { kind: 'policy', key: `${place} ${ref.namespace} ${ref.name}`, value: { ref, inForce } };
  };
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.lastIndexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** A namespace that is still to come gets the label of the tenant that its name is reserved to. */
function namespaceOf({ metadata }: JsonMap, tenancy: Tenancy, { withBaseline }: SnapshotOptions): SnapshotNamespace {
  const name = textAt(metadata, 'name');
  const labels = textsOf(valueAt(metadata, 'labels'));
  const { tenantLabel } = tenancy.settings;
  const owner = withBaseline ? tenancy.reservation(name) : undefined;
  if (owner === undefined || owner === 'platform' || Object.hasOwn(labels, tenantLabel)) return { name, labels };
  return { name, labels: { ...labels, [tenantLabel]: owner.name } };
}

function tierOf(object: JsonMap): CalicoTier {
  const order = valueAt(object, 'spec', 'order');
  return {
    order: typeof order === 'number' ? order : Number.POSITIVE_INFINITY,
    passes: valueAt(object, 'spec', 'defaultAction') === 'Pass',
  };
}
