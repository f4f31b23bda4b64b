/** The parties of a cluster, kept while it changes: each change costs what it is about, not the size of the cluster. */
import { type IpSet, normalise } from '../kubernetes/ip-set.ts';
import type { Selector } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel, type StringMap } from '../kubernetes/objects.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import { type Addressed, inOrder } from './addressed.ts';
import { labelsKey, portsKey } from './interned.ts';
import { NamespaceIndex } from './namespace-index.ts';
import type { Labels, NamespaceEntry, Parties, PodClass } from './parties.ts';
import type { ContainerPort } from './port-set.ts';
import { addressesOf } from './read-pod.ts';
import type { SnapshotNamespace, Workload } from './snapshot.ts';

/** From so many classes on, those of a namespace are found by a key. */
const manyClasses = 16;

class StoredClass implements PodClass {
  readonly kind = 'pod';
  index: number;
  readonly namespace: StoredNamespace;
  readonly labels: Labels;
  readonly ports: readonly ContainerPort[];
  workloads: Workload[] = [];
  /** Undefined: to be worked out. */
  known: IpSet | undefined = undefined;

  constructor(index: number, namespace: StoredNamespace, labels: Labels, ports: readonly ContainerPort[]) {
    this.index = index;
    this.namespace = namespace;
    this.labels = labels;
    this.ports = ports;
  }

  get addresses(): IpSet {
    this.known ??= normalise(this.workloads.flatMap(addressesOf)).slice();
    return this.known;
  }
}

interface StoredNamespace extends NamespaceEntry {
  labels: Labels;
  owner: Owner;
  classes: StoredClass[];
  /** Undefined while there are few. */
  byKey: Map<string, StoredClass> | undefined;
}

/** `other`: the class at this place is new, or another that took the place of one that is gone. */
export interface ClassChange {
  readonly kind: 'same' | 'other';
  readonly index: number;
}

export class PartyStore implements Parties {
  version = 0;
  readonly namespaces: StoredNamespace[] = [];
  readonly byName = new Map<string, StoredNamespace>();
  readonly classes: StoredClass[] = [];
  readonly onNodes: Workload[] = [];
  readonly #tenancy: Tenancy;
  readonly #index = new NamespaceIndex(this.namespaces, this.byName);
  readonly #owners = new Map<string, Owner>();
  /** Each set once, and by the maps in which it was found. */
  readonly #labelSets = new Map<string, Labels>();
  readonly #labelsOf = new WeakMap<StringMap, Labels>();
  readonly #portSets = new Map<string, readonly ContainerPort[]>();
  readonly #portsOf = new WeakMap<readonly ContainerPort[], readonly ContainerPort[]>();
  #derived = {
    version: -1,
    unaddressed: [] as readonly PodClass[],
    addressed: undefined as readonly Addressed[] | undefined,
  };

  constructor(tenancy: Tenancy) {
    this.#tenancy = tenancy;
  }

  /** Adds it, or gives it other labels. */
  putNamespace({ name, labels }: SnapshotNamespace): NamespaceEntry {
    this.version++;
    const all = { ...labels, [namespaceNameLabel]: name };
    const own: Labels = new Map(Object.entries(all));
    const owner = this.#ownerOf(all);
    const known = this.byName.get(name);
    if (known === undefined) {
      const entry: StoredNamespace = { name, labels: own, owner, classes: [], byKey: undefined };
      this.namespaces.push(entry);
      this.byName.set(name, entry);
      this.#index.add(entry);
      return entry;
    }
    this.#index.remove(known);
    known.labels = own;
    known.owner = owner;
    this.#index.add(known);
    return known;
  }

  /** Its pods must have been taken out. */
  removeNamespace(name: string): void {
    const known = this.byName.get(name);
    if (known === undefined) return;
    this.version++;
    this.#index.remove(known);
    this.byName.delete(name);
    this.namespaces.splice(this.namespaces.indexOf(known), 1);
  }

  /** @returns undefined where no class is changed */
  addWorkload(workload: Workload): ClassChange | undefined {
    const namespace = this.byName.get(workload.namespace);
    if (namespace === undefined) return undefined;
    this.version++;
    if (workload.hostNetwork) {
      this.onNodes.push(workload);
      return undefined;
    }
    const labels = this.#labels(workload.labels);
    const ports = this.#ports(workload.ports);
    const found = classIn(namespace, labels, ports);
    const one = found ?? this.#newClass(namespace, labels, ports);
    one.workloads.push(workload);
    one.known = undefined;
    return { kind: found === undefined ? 'other' : 'same', index: one.index };
  }

  /** @param workload the very one that was added */
  removeWorkload(workload: Workload): ClassChange | undefined {
    const namespace = this.byName.get(workload.namespace);
    if (namespace === undefined) return undefined;
    this.version++;
    if (workload.hostNetwork) {
      takeOut(this.onNodes, workload);
      return undefined;
    }
    const one = classIn(namespace, this.#labels(workload.labels), this.#ports(workload.ports));
    if (one === undefined) return undefined;
    takeOut(one.workloads, workload);
    one.known = undefined;
    const { index } = one;
    if (one.workloads.length > 0) return { kind: 'same', index };
    takeOut(namespace.classes, one);
    namespace.byKey?.delete(classKey(one.labels, one.ports));
    const last = this.classes.pop();
    if (last !== undefined && last !== one) {
      this.classes[index] = last;
      last.index = index;
    }
    return { kind: 'other', index };
  }

  /** Lists that have grown have room for more; where nothing is added for now, that is memory for nothing. */
  trim(): void {
    for (const one of this.classes) one.workloads = one.workloads.slice();
    for (const one of this.namespaces) one.classes = one.classes.slice();
  }

  get unaddressed(): readonly PodClass[] {
    return this.#derive().unaddressed;
  }

  get hasAddresses(): boolean {
    return this.unaddressed.length < this.classes.length;
  }

  get addressed(): readonly Addressed[] {
    const derived = this.#derive();
    derived.addressed ??= inOrder(this.classes);
    return derived.addressed;
  }

  selected(selector: Selector): readonly NamespaceEntry[] {
    return this.#index.selected(selector);
  }

  labelled(key: string, value: string): Iterable<NamespaceEntry> {
    return this.#index.labelled(key, value);
  }

  #derive() {
    if (this.#derived.version !== this.version) {
      const unaddressed = this.classes.filter(({ addresses }) => addresses.length === 0);
      this.#derived = { version: this.version, unaddressed, addressed: undefined };
    }
    return this.#derived;
  }

  #newClass(namespace: StoredNamespace, labels: Labels, ports: readonly ContainerPort[]): StoredClass {
    const one = new StoredClass(this.classes.length, namespace, labels, ports);
    this.classes.push(one);
    namespace.classes.push(one);
    if (namespace.byKey !== undefined) namespace.byKey.set(classKey(labels, ports), one);
    else if (namespace.classes.length > manyClasses)
      namespace.byKey = new Map(namespace.classes.map((own) => [classKey(own.labels, own.ports), own]));
    return one;
  }

  /** Namespaces of one tenant have one owner. */
  #ownerOf(labels: StringMap): Owner {
    const value = labels[this.#tenancy.settings.tenantLabel];
    if (value === undefined) return this.#tenancy.ownerByLabels(labels);
    const owner = this.#owners.get(value) ?? this.#tenancy.ownerByLabels(labels);
    this.#owners.set(value, owner);
    return owner;
  }

  #labels(written: StringMap): Labels {
    const found = this.#labelsOf.get(written);
    if (found !== undefined) return found;
    const key = labelsKey(written);
    const labels = this.#labelSets.get(key) ?? new Map(Object.entries(written));
    this.#labelSets.set(key, labels);
    this.#labelsOf.set(written, labels);
    return labels;
  }

  #ports(written: readonly ContainerPort[]): readonly ContainerPort[] {
    const found = this.#portsOf.get(written);
    if (found !== undefined) return found;
    const key = portsKey(written);
    const ports = this.#portSets.get(key) ?? written;
    this.#portSets.set(key, ports);
    this.#portsOf.set(written, ports);
    return ports;
  }
}

function classIn(
  { byKey, classes }: StoredNamespace,
  labels: Labels,
  ports: readonly ContainerPort[],
): StoredClass | undefined {
  if (byKey !== undefined) return byKey.get(classKey(labels, ports));
  for (const one of classes) if (one.labels === labels && one.ports === ports) return one;
  return undefined;
}

function classKey(labels: Labels, ports: readonly ContainerPort[]): string {
  return `${labelsKey(Object.fromEntries(labels))}${portsKey(ports)}`;
}

/** Where it stands does not count. */
function takeOut<Item>(list: Item[], item: Item): void {
  const at = list.indexOf(item);
  if (at < 0) return;
  const last = list.pop();
  if (at < list.length && last !== undefined) list[at] = last;
}
