import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { Fix } from './fix.ts';
import type { Verdict } from './model.ts';

/** Who has the namespace of a name now: its owner, `none` when there is no such namespace, undefined when that was not looked up. */
export type OwnerByName = (namespace: string) => Owner | 'none' | undefined;

/** Whether each namespace with this platform label is one that the settings list for its value. */
export type IsKept = (key: string) => boolean;

/** Whose border it is, and what is agreed about it. */
export interface Border {
  readonly tenant: Tenant;
  /** The policy's own namespace; one of the tenant's. */
  readonly namespace: string;
  readonly tenancy: Tenancy;
  /** Milliseconds since the epoch; gates that have expired by then are shut. */
  readonly now: number;
  /** Asked of names that are reserved to the tenant; left out: none of them was looked up. */
  readonly ownerByName?: OwnerByName | undefined;
  /** Undefined: namespaces were not looked up, and no platform label proves anything. */
  readonly isKept?: IsKept | undefined;
  /** Of another cluster of a mesh, which the peer is in. Undefined: the own one. */
  readonly cluster?: string;
}

/** Whether the label and the names of the tenant are its own there, too. */
export function ownsThere({ tenant, cluster }: Border): boolean {
  return cluster === undefined || tenant.network.clusters?.has(cluster) === true;
}

/** Why an allow rule is not contained in the tenant. */
export interface Violation {
  readonly verdict: Verdict;
  /** For `conditional`: the rule is contained as long as every namespace of these names is the tenant's. */
  readonly assumedOwn?: readonly string[];
  readonly reason: string;
  /** Something that would get through. Made up, or what the policy itself names; never another tenant's object. */
  readonly witness?: string;
  /** What mends it. A text: the reader of the policy has written it in the policy's own fields. */
  readonly fix: Fix | string;
}
