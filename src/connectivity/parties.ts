/**
 * Who can talk: pods by class, nodes and addresses. Pods of one namespace with the same labels and ports are one class, as no policy tells
 * them apart. Namespaces and sets of labels have numbers, and are found by their labels without looking at all of them.
 */
import type { IpRange } from '../kubernetes/ip-range.ts';
import { type IpSet, normalise } from '../kubernetes/ip-set.ts';
import { matches, type Selector } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel, type StringMap } from '../kubernetes/objects.ts';
import { ofNamespace } from '../reach/model.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { ContainerPort } from './port-set.ts';
import type { SnapshotNamespace, Workload } from './snapshot.ts';

type Labels = ReadonlyMap<string, string>;

export interface NamespaceEntry {
  readonly index: number;
  readonly name: string;
  readonly labels: Labels;
  readonly owner: Owner;
  readonly classes: readonly PodClass[];
}

export interface PodClass {
  readonly kind: 'pod';
  readonly index: number;
  readonly namespace: NamespaceEntry;
  readonly labels: Labels;
  readonly ports: readonly ContainerPort[];
  /** Not empty. */
  readonly workloads: readonly Workload[];
  /** Of all of them, where they are known. */
  readonly addresses: IpSet;
}

/** Outside of the cluster. */
export interface AddressParty {
  readonly kind: 'address';
  /** One address, or a range that no policy cuts: any address of it stands for all. */
  readonly range: IpRange;
}

/** Outside of the cluster, by what its DNS says. */
export interface NameParty {
  readonly kind: 'name';
  readonly name: string;
}

/** A node other than the pod's own, and what runs on its network. */
export interface NodeParty {
  readonly kind: 'node';
}

/** A pod that no rule names, and that those about every pod are about. */
export interface UnnamedPod {
  readonly kind: 'unnamed';
}
export const unnamedPod: UnnamedPod = { kind: 'unnamed' };

export type Party = PodClass | AddressParty | NameParty | NodeParty | UnnamedPod;
export const node: NodeParty = { kind: 'node' };

export interface Parties {
  readonly namespaces: readonly NamespaceEntry[];
  readonly byName: ReadonlyMap<string, NamespaceEntry>;
  /** On the pod network. */
  readonly classes: readonly PodClass[];
  /** Those whose addresses are not known. */
  readonly unaddressed: readonly PodClass[];
  readonly hasAddresses: boolean;
  /** Single addresses of pods, in order. Worked out when it is first asked for: few policies are about addresses of pods. */
  readonly addressed: readonly { readonly range: IpRange; readonly pods: PodClass }[];
  /** On the network of their nodes. */
  readonly onNodes: readonly Workload[];
  selected(selector: Selector): readonly NamespaceEntry[];
}

/** Pods in a namespace that is not listed are left out: nothing is known of its labels. */
export function createParties(
  listed: readonly SnapshotNamespace[],
  workloads: readonly Workload[],
  tenancy: Tenancy,
): Parties {
  const namespaces: (NamespaceEntry & { readonly classes: PodClass[] })[] = [];
  const byName = new Map<string, (typeof namespaces)[number]>();
  for (const { name, labels } of listed) {
    if (byName.has(name)) continue;
    const all = { ...labels, [namespaceNameLabel]: name };
    const owner = tenancy.ownerByLabels(all);
    const entry = { index: namespaces.length, name, labels: new Map(Object.entries(all)), owner, classes: [] };
    namespaces.push(entry);
    byName.set(name, entry);
  }
  const classes: ClassInMaking[] = [];
  const onNodes: Workload[] = [];
  // By namespace, as the pods of one come together: small maps, and short keys.
  const known: Map<string, ClassInMaking>[] = [];
  const labelSets = new Map<string, Labels>();
  for (const workload of workloads) {
    const namespace = byName.get(workload.namespace);
    if (namespace === undefined) continue;
    if (workload.hostNetwork) {
      onNodes.push(workload);
      continue;
    }
    const ofLabels = keyOf(workload.labels);
    const key = workload.ports.length === 0 ? ofLabels : `${ofLabels}${portsKeyOf(workload.ports)}`;
    const ofNamespace = known[namespace.index] ?? new Map<string, ClassInMaking>();
    known[namespace.index] = ofNamespace;
    const found = ofNamespace.get(key);
    if (found !== undefined) {
      found.workloads.push(workload);
      for (const one of workload.addresses) found.addresses.push(one);
      continue;
    }
    const labels = labelSets.get(ofLabels) ?? new Map(Object.entries(workload.labels));
    labelSets.set(ofLabels, labels);
    const one: ClassInMaking = {
      kind: 'pod',
      index: classes.length,
      namespace,
      labels,
      ports: workload.ports,
      workloads: [workload],
      addresses: [...workload.addresses],
    };
    ofNamespace.set(key, one);
    classes.push(one);
    namespace.classes.push(one);
  }
  for (const one of classes) one.addresses = normalise(one.addresses) as IpRange[];
  const unaddressed = classes.filter(({ addresses }) => addresses.length === 0);
  const hasAddresses = unaddressed.length < classes.length;
  let addressed: Parties['addressed'] | undefined;
  return {
    ...{ namespaces, byName, classes, unaddressed, hasAddresses, onNodes, selected: createIndex(namespaces) },
    get addressed() {
      addressed ??= addressesOf(classes);
      return addressed;
    },
  };
}

function addressesOf(classes: readonly PodClass[]): Parties['addressed'] {
  return classes
    .flatMap((pods) => pods.workloads.flatMap(({ addresses }) => addresses.map((range) => ({ range, pods }))))
    .sort((one, other) => compareAddresses(one.range, other.range));
}

interface ClassInMaking extends PodClass {
  readonly workloads: Workload[];
  addresses: IpRange[];
}

/** By family, then by number. */
export function compareAddresses(one: IpRange, other: IpRange): number {
  if (one.family !== other.family) return one.family - other.family;
  return one.first < other.first ? -1 : one.first > other.first ? 1 : 0;
}

/** Keys and values of labels have no line break, and nor have names of ports. Otherwise pods are only told apart that could be one. */
function keyOf(labels: StringMap): string {
  const keys = Object.keys(labels);
  if (keys.length > 1) keys.sort();
  let key = '';
  for (const name of keys) key += `${name}\n${labels[name]}\n`;
  return key;
}

function portsKeyOf(ports: readonly ContainerPort[]): string {
  let key = '\n';
  for (const { name, protocol, port } of ports) key += `${name}\n${protocol}${port}\n`;
  return key;
}

/** By the values that a selector asks for: the fewest namespaces that have one of them are looked at. */
function createIndex(namespaces: readonly NamespaceEntry[]): Parties['selected'] {
  const byLabel = new Map<string, Map<string, NamespaceEntry[]>>();
  for (const one of namespaces) {
    for (const [key, value] of one.labels) {
      const values = byLabel.get(key) ?? new Map<string, NamespaceEntry[]>();
      byLabel.set(key, values);
      const having = values.get(value);
      if (having === undefined) values.set(value, [one]);
      else having.push(one);
    }
  }
  return (selector) => {
    let fewest = namespaces;
    for (const [key, { absent, finite, values }] of selector) {
      if (absent || !finite) continue;
      const having = [...values].flatMap((value) => byLabel.get(key)?.get(value) ?? []);
      if (having.length < fewest.length) fewest = having;
    }
    return fewest.filter(({ labels }) => matches(selector, labels));
  };
}

/** As expressions have them: labels of the namespace with their prefix. */
export function expressionLabels({ labels, namespace }: PodClass): Labels {
  const all = new Map(labels);
  for (const [key, value] of namespace.labels) all.set(`${ofNamespace}${key}`, value);
  return all;
}
