import type { Subject } from './tenant.ts';

/** One workload that may do what checks refuse to the others, parsed from an `Exemption` document. Immutable. */
export interface Exemption {
  readonly name: string;
  readonly tenant: string;
  readonly namespace: string;
  /** Ids of checks. */
  readonly checks: ReadonlySet<string>;
  /** What is given must all match; what is undefined matches everything. At least one field beside `kinds` is given. */
  readonly match: {
    readonly kinds: ReadonlySet<string> | undefined;
    readonly names: ReadonlySet<string> | undefined;
    /** The workload whose controller makes the pods. */
    readonly owner: ExemptedOwner | undefined;
    readonly serviceAccounts: ReadonlySet<string> | undefined;
    readonly images: readonly string[] | undefined;
    readonly requesters: readonly Subject[] | undefined;
  };
  /** Milliseconds since the epoch; from then on it exempts nothing. */
  readonly expires: number;
}

export interface ExemptedOwner {
  readonly kind: string;
  /** Undefined: a kind of Kubernetes, in its group. Otherwise the requesters say which account makes the pods. */
  readonly group: string | undefined;
  readonly name: string;
}

/** Exemptions by the name of their namespace, so that a request looks at those of its own namespace alone. */
export type Exemptions = ReadonlyMap<string, readonly Exemption[]>;
