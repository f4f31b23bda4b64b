/**
 * Who can talk: pods by class, nodes and addresses. Pods of one namespace with the same labels and ports are one class, as no policy tells
 * them apart. Namespaces are found by their labels without looking at all of them.
 */
import type { IpRange } from '../kubernetes/ip-range.ts';
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { Selector } from '../kubernetes/label-selector.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { Addressed } from './addressed.ts';
import { PartyStore } from './party-store.ts';
import type { ContainerPort } from './port-set.ts';
import type { SnapshotNamespace, Workload } from './snapshot.ts';

export type Labels = ReadonlyMap<string, string>;

export interface NamespaceEntry {
  readonly name: string;
  readonly labels: Labels;
  readonly owner: Owner;
  readonly classes: readonly PodClass[];
}

export interface PodClass {
  readonly kind: 'pod';
  /** Its place in {@link Parties.classes}. */
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

/** Lists and numbers change when a live cluster does; {@link Parties.version} then does too. */
export interface Parties {
  readonly version: number;
  readonly namespaces: readonly NamespaceEntry[];
  readonly byName: ReadonlyMap<string, NamespaceEntry>;
  /** On the pod network. */
  readonly classes: readonly PodClass[];
  /** Those whose addresses are not known. */
  readonly unaddressed: readonly PodClass[];
  readonly hasAddresses: boolean;
  /** Addresses of pods, in order. Worked out when it is first asked for: few policies are about addresses of pods. */
  readonly addressed: readonly Addressed[];
  /** On the network of their nodes. */
  readonly onNodes: readonly Workload[];
  selected(selector: Selector): readonly NamespaceEntry[];
  labelled(key: string, value: string): Iterable<NamespaceEntry>;
}

/** Pods in a namespace that is not listed are left out: nothing is known of its labels. */
export function createParties(
  listed: readonly SnapshotNamespace[],
  workloads: readonly Workload[],
  tenancy: Tenancy,
): Parties {
  const store = new PartyStore(tenancy);
  for (const one of listed) if (!store.byName.has(one.name)) store.putNamespace(one);
  for (const one of workloads) store.addWorkload(one);
  store.trim();
  return store;
}
