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
    readonly owner: { readonly kind: string; readonly name: string } | undefined;
    readonly serviceAccounts: ReadonlySet<string> | undefined;
    readonly images: readonly string[] | undefined;
    readonly requesters: readonly Subject[] | undefined;
  };
  /** Milliseconds since the epoch; from then on it exempts nothing. */
  readonly expires: number;
}

/** Exemptions by the name of their namespace, so that a request looks at those of its own namespace alone. */
export type Exemptions = ReadonlyMap<string, readonly Exemption[]>;
