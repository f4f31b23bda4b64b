/**
 * What one kind of object is to Bulkhead. kinds.ts lists all of them. Decoding, the judge, the webhook rules, the rights, the labels
 * of metrics and the demo follow from the list.
 */
import type { KubernetesObject, Policy } from '../kubernetes/objects.ts';
import type { AdmissionRequest, Operation } from '../kubernetes/review.ts';
import type { WorkloadKind } from '../kubernetes/workload.ts';
import type { PeerVerdict } from '../reach/border.ts';
import type { InForce } from '../reach/in-force.ts';
import type { Reach } from '../reach/model.ts';
import type { Border } from '../reach/violation.ts';
import type { Module } from '../tenancy/settings.ts';

/** Requests of one family are judged by the same function of a check. */
export type Family = Exclude<AdmissionRequest['family'], 'unread'>;

/** The API server sends these requests to one of the endpoints. */
export interface ReviewRule {
  readonly phase: 'mutate' | 'validate' | 'warn';
  /** As webhook rules name them: `pods`, `pods/status`. */
  readonly resources: readonly string[];
  readonly operations: readonly Operation[];
  /**
   * Of a namespaced kind: sent only when the match conditions are true. For a condition the API server prepares the whole object, so
   * a request that every condition admits goes to a webhook without conditions (docs/decisions/0022-what-is-not-sent.md).
   */
  readonly filtered?: true;
  /** Sent by a webhook of its own, which the settings switch off (docs/neighbours.md). */
  readonly module?: Module;
}

/** What Bulkhead itself may do: one rule of its ClusterRole. */
export interface Right {
  readonly why: string;
  readonly resources: readonly string[];
  /** Undefined: objects of any name. */
  readonly names?: readonly string[];
  readonly verbs: readonly string[];
}

interface AnyKind {
  readonly kind: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly versions: readonly [string, ...string[]];
  readonly plural: string;
  /** `Cluster`: the API server asks about all of them. `Namespaced`: in all namespaces but those that Bulkhead leaves out. */
  readonly scope: 'Cluster' | 'Namespaced';
  /** Who writes it in a cluster with tenants. */
  readonly writers: 'tenants' | 'platform';
  readonly reviews: readonly ReviewRule[];
  /** Resources that a cluster may lack: nothing is wrong with a webhook rule that names them. */
  readonly optional?: readonly string[];
  readonly rights: readonly Right[];
  /** Beside the metadata and the spec: where the object holds maps whose values are strings. */
  readonly stringMaps?: readonly (readonly string[])[];
  /** The object is judged as a request of this kind and subresource. */
  readonly judgedAs?: { readonly kind: 'Pod'; readonly subresource: string };
}

/** A verdict of the border whose fix reads in the fields of a kind of policy. */
export interface PolicyVerdict extends PeerVerdict {
  readonly fix: string;
  /** Of a policy that opens nothing yet: it is worth a warning, and no refusal. */
  readonly protects?: 'intent';
}

/** By a label in matchLabels, or by a text in place of the text that selects. */
export type Narrowing =
  | { readonly by: 'label'; readonly key: (tenantLabel: string) => string }
  | {
      readonly by: 'text';
      readonly added: (tenantLabel: string, tenant: string) => string;
      /** Undefined: it would be too long. */
      readonly becomes: (written: string, added: string) => string | undefined;
    };

/** A kind with rules about who may talk to whom. Its rights hold `list`: stored policies are judged again, and by `bulkhead audit`. */
export interface PolicyKind extends AnyKind {
  readonly family: 'policy';
  /** The owner of a policy is the owner of its namespace. */
  readonly scope: 'Namespaced';
  /** The section of the settings without which it is a kind that Bulkhead does not read (check unknown-policy-kind). Left out: none. */
  readonly section?: 'istio';
  /** Total: reads the object as untrusted data. */
  readonly read: (policy: Policy) => Reach;
  /** What a stored one does in a cluster. Undefined: nothing, as it is not enforced. Total, as {@link read}. */
  readonly inForce?: (policy: Policy) => InForce;
  /** Of one that is not enforced yet: what it does once it is. Undefined: it takes another away, or is ignored. Total, as {@link read}. */
  readonly staged?: (policy: Policy) => InForce | undefined;
  /** The verdicts of the border on it, with their fixes in the words of its own fields. */
  readonly worded: (verdicts: readonly PeerVerdict[], border: Border) => readonly PolicyVerdict[];
  /** How soft isolation narrows a selector of this kind, where it does. */
  readonly narrows?: Narrowing;
  /** The API version in which the API server of a plugin stores these objects. They are listed there where this group is not served. */
  readonly storedIn?: string;
  /** The group whose kind lists these objects: they are its own, as they are stored. */
  readonly listedBy?: string;
  /** Whether an update leaves everything that `read` looks at as it is. */
  readonly unchanged: (policy: Policy, stored: Policy) => boolean;
}

/** A kind from which controllers make pods. */
export interface WorkloadKindEntry extends AnyKind {
  readonly family: 'workload';
  readonly kind: WorkloadKind;
  /** The path of the pod template. */
  readonly template: readonly string[];
}

/** A kind that leads traffic, or makes others lead it. */
export interface NeighbourKind extends AnyKind {
  readonly family: 'neighbour';
  readonly scope: 'Namespaced';
  readonly module: Module;
  /** Whether an update leaves everything that leads traffic as it is. */
  readonly unchanged: (object: KubernetesObject, stored: KubernetesObject) => boolean;
}

export interface OtherKind extends AnyKind {
  readonly family: Exclude<Family, 'policy' | 'workload' | 'neighbour'>;
}

export type Kind = PolicyKind | WorkloadKindEntry | NeighbourKind | OtherKind;
