/** What is looked at: a cluster, or files, at one moment. Values of the API, already taken apart. */
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { JsonMap } from '../kubernetes/json.ts';
import type { StringMap } from '../kubernetes/objects.ts';
import type { PortRange } from '../kubernetes/port-range.ts';
import type { AddressSet } from '../reach/address-set.ts';
import type { AddressGroup } from '../reach/dialects/cilium/referred.ts';
import type { InForce } from '../reach/in-force.ts';
import type { ContainerPort } from './port-set.ts';

export interface Snapshot {
  readonly namespaces: readonly SnapshotNamespace[];
  readonly workloads: readonly Workload[];
  readonly services: readonly SnapshotService[];
  readonly policies: readonly SnapshotPolicy[];
  /** Of Istio, which know callers by identity; undefined: none. */
  readonly mesh?: readonly MeshPolicy[];
  /** Of Calico, which its selectors match by labels; undefined: none. */
  readonly sets?: readonly SnapshotAddressSet[];
  /** Of Cilium, which its rules name; undefined: none. */
  readonly groups?: readonly AddressGroup[];
  /** Of Calico, by name, where they are known; beside those that Calico has by itself. */
  readonly tiers?: ReadonlyMap<string, CalicoTier>;
}

export interface CalicoTier {
  /** Lower comes first. */
  readonly order: number;
  /** What no rule of the tier decides goes on to the next; otherwise it is denied. */
  readonly passes: boolean;
}

export interface SnapshotNamespace {
  readonly name: string;
  readonly labels: StringMap;
}

/** Pods of one namespace that look alike to every policy: one Pod, or those that a workload makes. */
export interface Workload {
  readonly namespace: string;
  /** `Deployment`, `Pod`. */
  readonly kind: string;
  readonly name: string;
  /** Of the pods. */
  readonly labels: StringMap;
  readonly pods: number;
  /** Named ports of its containers. */
  readonly ports: readonly ContainerPort[];
  /** On the network of the node, where no policy reaches them. */
  readonly hostNetwork: boolean;
  /**
   * As the status has them; none where they are not known. As text, with commas, until they are asked for (addressesOf): there are as many as
   * pods, and few policies are about them.
   */
  readonly addresses: IpSet | string;
}

export interface SnapshotService {
  readonly namespace: string;
  readonly name: string;
  /** Undefined: none. */
  readonly labels?: StringMap;
  /** Undefined: Kubernetes does not write its endpoints. */
  readonly selector: StringMap | undefined;
  readonly ports: readonly ServicePort[];
  readonly addresses: IpSet;
  /** Its name leads to the addresses of the pods. */
  readonly isHeadless?: boolean;
  /** The namespace of the waypoint of Istio that its labels name. */
  readonly waypoint?: string;
}

export interface ServicePort {
  readonly name: string;
  readonly protocol: PortRange['protocol'];
  readonly port: number;
  /** Of the pods; a name is of a container's port. */
  readonly targetPort: number | string;
}

export interface SnapshotPolicy {
  readonly ref: PolicyRef;
  readonly inForce: InForce;
  /** Of a policy that refers to other objects: without what these say. */
  readonly written?: InForce;
}

/** A NetworkSet or GlobalNetworkSet. */
export interface SnapshotAddressSet {
  readonly ref: PolicyRef;
  readonly set: AddressSet;
}

/** An AuthorizationPolicy, PeerAuthentication or RequestAuthentication, as it is written. */
export interface MeshPolicy {
  readonly ref: PolicyRef;
  readonly object: JsonMap;
}

/** Shown as `NetworkPolicy acme-web/open`. */
export interface PolicyRef {
  readonly kind: string;
  /** Empty for a cluster-scoped object. */
  readonly namespace: string;
  readonly name: string;
}

export function refText({ kind, namespace, name }: PolicyRef): string {
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}
