/** The questions to an engine and its answers: one JSON line each, the same for every engine. */

/** Where it stands in {@link Question.parties} and {@link Question.wires}. */
type Place = number;

/** 0 ingress, 1 egress, as the subject sees it; then the party and the wire. */
export type Flow = readonly [direction: 0 | 1, party: Place, wire: Place];

export interface NamedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

export interface AskedPod {
  readonly namespace: string;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Of another cluster in the same mesh. */
  readonly cluster?: string;
  readonly address: string;
  readonly ports: readonly NamedPort[];
  /** For Istio: default when left out. */
  readonly serviceAccount?: string;
  /** For Istio: cluster.local when left out. */
  readonly trustDomain?: string;
  /** For Istio: it is not in the mesh. */
  readonly plain?: true;
  /** For Calico: the addresses of a NetworkSet in that namespace, and no pod. */
  readonly set?: true;
}

/** An address. */
export interface AskedAddress {
  readonly address: string;
  /** For Cilium: the DNS of the cluster gives it for these names. */
  readonly names?: readonly string[];
  /** For Cilium: the group of addresses that lists it. */
  readonly group?: AskedGroup;
}

export interface AskedGroup {
  /** Of a CiliumCIDRGroup. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Groups of a cloud, as `toGroups` names them. */
  readonly external: readonly object[];
}

export type AskedParty =
  | { readonly pod: AskedPod }
  | AskedAddress
  /** `labels`: of a node for Cilium, of a host endpoint for Calico. */
  | { readonly reserved: (typeof reservedNames)[number]; readonly labels?: Readonly<Record<string, string>> };

/** Cilium's identities beside those of pods and addresses. */
export const reservedNames = [
  ...(['host', 'remote-node', 'kube-apiserver', 'ingress', 'init', 'health', 'unmanaged'] as const),
];

interface AskedObject {
  readonly kind: string;
  /** As the API server stores it. */
  readonly object: unknown;
}

export interface AskedPolicy extends AskedObject {
  /** Pods that the policy is tried on beside those of the question. */
  readonly subjects: readonly Place[];
  /** Whether the flows of the question are asked for. */
  readonly common: boolean;
  /** Flows beside those. */
  readonly flows: readonly Flow[];
}

/** Many policies in one world, each alone beside the baseline. */
export interface Question {
  readonly parties: readonly AskedParty[];
  readonly wires: readonly { readonly protocol: string; readonly port: number }[];
  readonly subjects: readonly Place[];
  readonly baseline: readonly AskedObject[];
  readonly flows: readonly Flow[];
  readonly policies: readonly AskedPolicy[];
  /** Answer each flow in the engine's own slow way. */
  readonly oneByOne?: boolean;
  /** The baseline alone is asked about: one answer for each subject, with the flows of the question in `own`. */
  readonly inForce?: boolean;
}

/** Every connection between the subjects, on each of the wires. */
export interface MatrixQuestion extends Pick<Question, 'parties' | 'wires' | 'subjects' | 'baseline'> {
  readonly matrix: true;
}

export interface MatrixAnswer {
  /** Of the processor, without the time to read the question. */
  readonly milliseconds: number;
  /** For each wire and each source, one character for each destination: `1` where both sides let it through. */
  readonly open: readonly (readonly string[])[];
}

/** About one policy. */
export interface Answer {
  /** Why the engine does not take the policy, which is then not in force. */
  readonly error?: string;
  /** The first few of the question's flows that are allowed. */
  readonly common: readonly Flow[];
  /** Which of the policy's own flows are allowed. */
  readonly own: readonly number[];
  /** The first subject that the policy selects, which all flows were tried on; -1: none. */
  readonly subject: Place;
  /** The other subjects that it selects. */
  readonly others: readonly Place[];
  /** The number of flows that were looked up. */
  readonly looked: number;
  /** Of a Pod: what Cilium takes it for, by its labels, beside a pod of its namespace. */
  readonly takenFor?: string;
}
