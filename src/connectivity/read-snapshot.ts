/**
 * Objects of the API, as a cluster lists them or files hold them -> a snapshot. What cannot be read is left out; the API server would have
 * refused it.
 */
import { baselineOf } from '../baseline/baseline.ts';
import { calicoGroups } from '../kinds/calico-groups.ts';
import { kinds } from '../kinds/kinds.ts';
import { policyKinds } from '../kinds/policy-kind.ts';
import { parseCidr } from '../kubernetes/ip-range.ts';
import { type IpSet, normalise } from '../kubernetes/ip-set.ts';
import { isMap, type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { Policy, StringMap } from '../kubernetes/objects.ts';
import { adminInForce } from '../reach/dialects/admin-in-force.ts';
import { calicoGlobalInForce } from '../reach/dialects/calico/in-force.ts';
import { ciliumClusterwideInForce } from '../reach/dialects/cilium/in-force.ts';
import type { InForce } from '../reach/in-force.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { ContainerPort } from './port-set.ts';
import type {
  CalicoTier,
  ServicePort,
  Snapshot,
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

type Reader = (object: Policy) => InForce | undefined;

const adminKinds = ['ClusterNetworkPolicy', 'AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'] as const;
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ...policyKinds.map(({ group, kind, inForce }) => [`${group}/${kind}`, (one: Policy) => inForce?.(one)] as const),
  ['cilium.io/CiliumClusterwideNetworkPolicy', ciliumClusterwideInForce],
  ...calicoGroups.map(({ group }) => [`${group}/GlobalNetworkPolicy`, calicoGlobalInForce] as const),
  ...adminKinds.map((kind) => [`policy.networking.k8s.io/${kind}`, (one: Policy) => adminInForce(kind, one)] as const),
]);
const templates: ReadonlyMap<string, readonly string[]> = new Map(
  kinds.flatMap((one) => (one.family === 'workload' ? [[`${one.group}/${one.kind}`, one.template] as const] : [])),
);
/** What the API server lists of Calico, it may list in two groups; those are the same objects. */
const storedTwice = new Set(['crd.projectcalico.org']);

/** Tells of kinds of which a snapshot has a use. */
export function isOfSnapshot(apiVersion: string, kind: string): boolean {
  const key = `${groupOf(apiVersion)}/${kind}`;
  return readers.has(key) || templates.has(key) || ['/Namespace', '/Pod', '/Service'].includes(key) || isTier(key);
}

function isTier(key: string): boolean {
  return key === 'projectcalico.org/Tier' || key === 'crd.projectcalico.org/Tier';
}

export function readSnapshot(objects: readonly JsonMap[], tenancy: Tenancy, options: SnapshotOptions): Snapshot {
  const namespaces: SnapshotNamespace[] = [];
  const workloads: Workload[] = [];
  const services: SnapshotService[] = [];
  const policies = new Map<string, SnapshotPolicy>();
  const tiers = new Map<string, CalicoTier>();
  const addPolicy = (object: JsonMap, group: string, kind: string): void => {
    const inForce = readers.get(`${group}/${kind}`)?.(object);
    if (inForce === undefined) return;
    const ref = { kind, namespace: textAt(object, 'metadata', 'namespace'), name: textAt(object, 'metadata', 'name') };
    const key = `${storedTwice.has(group) ? 'projectcalico.org' : group} ${kind} ${ref.namespace} ${ref.name}`;
    policies.set(key, { ref, inForce });
  };
  for (const object of objects) {
    const [group, kind] = [groupOf(textAt(object, 'apiVersion')), textAt(object, 'kind')];
    const key = `${group}/${kind}`;
    const template = templates.get(key);
    if (key === '/Namespace') namespaces.push(namespaceOf(object, tenancy, options));
    else if (key === '/Service') services.push(serviceOf(object));
    else if (key === '/Pod') workloads.push(...podOf(object, options));
    else if (template !== undefined) workloads.push(...madeBy(object, kind, template, options));
    else if (isTier(key)) tiers.set(textAt(object, 'metadata', 'name'), tierOf(object));
    else addPolicy(object, group, kind);
  }
  if (options.withBaseline)
    for (const { name, labels } of namespaces) {
      const owner = tenancy.ownerByLabels(labels);
      if (owner === 'platform' || owner.mode !== 'enforce' || !tenancy.declares(owner)) continue;
      for (const object of baselineOf(name, owner, tenancy.settings))
        if (object.kind === 'NetworkPolicy') addPolicy({ ...object }, 'networking.k8s.io', object.kind);
    }
  return { namespaces, workloads, services, policies: [...policies.values()], tiers };
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.lastIndexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

function textAt(value: unknown, ...keys: readonly string[]): string {
  const text = valueAt(value, ...keys);
  return typeof text === 'string' ? text : '';
}

/** The map itself where nothing is to be left out: there are as many as pods. */
function mapOf(value: unknown): StringMap {
  if (!isMap(value)) return {};
  if (isOfTexts(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function isOfTexts(map: JsonMap): map is StringMap {
  for (const key in map) if (typeof map[key] !== 'string') return false;
  return true;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A namespace that is still to come gets the label of the tenant that its name is reserved to. */
function namespaceOf(object: JsonMap, tenancy: Tenancy, { withBaseline }: SnapshotOptions): SnapshotNamespace {
  const name = textAt(object, 'metadata', 'name');
  const labels = mapOf(valueAt(object, 'metadata', 'labels'));
  const { tenantLabel } = tenancy.settings;
  const owner = withBaseline ? tenancy.reservation(name) : undefined;
  if (owner === undefined || owner === 'platform' || Object.hasOwn(labels, tenantLabel)) return { name, labels };
  return { name, labels: { ...labels, [tenantLabel]: owner.name } };
}

function podOf(object: JsonMap, { hasPods }: SnapshotOptions): readonly Workload[] {
  const phase = valueAt(object, 'status', 'phase');
  if (phase === 'Succeeded' || phase === 'Failed') return [];
  const controller = listOf(valueAt(object, 'metadata', 'ownerReferences')).find(
    (owner) => valueAt(owner, 'controller') === true,
  );
  if (controller !== undefined && !hasPods) return [];
  const labels = mapOf(valueAt(object, 'metadata', 'labels'));
  const [kind, name] = makerOf(controller, labels) ?? ['Pod', textAt(object, 'metadata', 'name')];
  const addresses = listOf(valueAt(object, 'status', 'podIPs')).map((one) => valueAt(one, 'ip'));
  return [
    {
      namespace: textAt(object, 'metadata', 'namespace'),
      kind,
      name,
      labels,
      pods: 1,
      ports: portsOf(valueAt(object, 'spec')),
      hostNetwork: valueAt(object, 'spec', 'hostNetwork') === true,
      addresses: setOfAddresses(addresses),
    },
  ];
}

/** A ReplicaSet of a Deployment has its name and the hash of its template. */
function makerOf(controller: unknown, labels: StringMap): readonly [kind: string, name: string] | undefined {
  if (controller === undefined) return undefined;
  const [kind, name] = [textAt(controller, 'kind'), textAt(controller, 'name')];
  const hash = Object.hasOwn(labels, 'pod-template-hash') ? labels['pod-template-hash'] : undefined;
  const suffix = `-${hash}`;
  if (kind !== 'ReplicaSet' || hash === undefined || !name.endsWith(suffix)) return [kind, name];
  return ['Deployment', name.slice(0, -suffix.length)];
}

function madeBy(
  object: JsonMap,
  kind: string,
  path: readonly string[],
  { hasPods }: SnapshotOptions,
): readonly Workload[] {
  if (hasPods || listOf(valueAt(object, 'metadata', 'ownerReferences')).length > 0) return [];
  const template = valueAt(object, ...path);
  const spec = valueAt(template, 'spec');
  const replicas = valueAt(object, 'spec', 'replicas');
  return [
    {
      namespace: textAt(object, 'metadata', 'namespace'),
      kind,
      name: textAt(object, 'metadata', 'name'),
      labels: mapOf(valueAt(template, 'metadata', 'labels')),
      pods: typeof replicas === 'number' ? replicas : 1,
      ports: portsOf(spec),
      hostNetwork: valueAt(spec, 'hostNetwork') === true,
      addresses: [],
    },
  ];
}

const protocols = ['TCP', 'UDP', 'SCTP'] as const;

function protocolOf(written: unknown): ContainerPort['protocol'] {
  return protocols.find((one) => one === written) ?? 'TCP';
}

function portsOf(spec: unknown): readonly ContainerPort[] {
  // A container that starts first and stays is among these (restartPolicy: Always).
  const ports: ContainerPort[] = [];
  for (const list of ['containers', 'initContainers'])
    for (const container of listOf(valueAt(spec, list)))
      for (const port of listOf(valueAt(container, 'ports'))) {
        const [name, number] = [valueAt(port, 'name'), valueAt(port, 'containerPort')];
        if (typeof name === 'string' && typeof number === 'number')
          ports.push({ name, protocol: protocolOf(valueAt(port, 'protocol')), port: number });
      }
  return ports;
}

function setOfAddresses(texts: readonly unknown[]): IpSet {
  return normalise(
    texts.flatMap((text) => {
      const range = typeof text === 'string' ? parseCidr(text.includes('/') ? text : oneOf(text)) : undefined;
      return range?.ok ? [range.value] : [];
    }),
  );
}

function oneOf(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

function serviceOf(object: JsonMap): SnapshotService {
  const spec = valueAt(object, 'spec');
  const selector = mapOf(valueAt(spec, 'selector'));
  const addresses = [...listOf(valueAt(spec, 'clusterIPs')), valueAt(spec, 'clusterIP')];
  return {
    namespace: textAt(object, 'metadata', 'namespace'),
    name: textAt(object, 'metadata', 'name'),
    selector: Object.keys(selector).length === 0 ? undefined : selector,
    ports: listOf(valueAt(spec, 'ports')).flatMap((port): readonly ServicePort[] => {
      const [number, target] = [valueAt(port, 'port'), valueAt(port, 'targetPort')];
      if (typeof number !== 'number') return [];
      return [
        {
          name: textAt(port, 'name'),
          protocol: protocolOf(valueAt(port, 'protocol')),
          port: number,
          targetPort: typeof target === 'number' || typeof target === 'string' ? target : number,
        },
      ];
    }),
    addresses: setOfAddresses(addresses),
  };
}

function tierOf(object: JsonMap): CalicoTier {
  const order = valueAt(object, 'spec', 'order');
  return {
    order: typeof order === 'number' ? order : Number.POSITIVE_INFINITY,
    passes: valueAt(object, 'spec', 'defaultAction') === 'Pass',
  };
}
