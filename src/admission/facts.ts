/** What admission needs to know from outside. The rooms cluster and files implement it; nothing here does I/O. */
import type { StringMap } from '../kubernetes/objects.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';

/** What is kept of a namespace. */
export interface NamespaceRecord {
  readonly name: string;
  readonly uid: string;
  readonly labels: StringMap;
  /** It has a deletionTimestamp. */
  readonly terminating: boolean;
}

/** Where namespaces are looked up: from memory, with one live request behind it. */
export interface NamespaceSource {
  /** From memory: no I/O, constant time. Undefined: not known here (yet), or known for too long to be sure of it. */
  lookup(name: string): NamespaceRecord | undefined;
  /**
   * From memory, constant time: whether no namespace has this name, and no other tenant can get it any more. The name has been
   * reserved for the tenant for longer than the news of that takes to every replica, and all namespaces are known as of just now.
   */
  isFree(name: string, tenant: string): boolean;
  /**
   * One live GET, for a miss. Undefined: there is no such namespace. Rejects when it cannot be known in time, and with
   * {@link TooManyWait} when too many live requests of `share` wait.
   *
   * @param share the namespace that the admission request is in, each of which has its share of the live requests; the fetched one by default
   */
  fetch(name: string, signal: AbortSignal, share?: string): Promise<NamespaceRecord | undefined>;
  /** How many namespaces carry this value of the tenant label; from memory, constant time. */
  countOwned(tenant: string): number;
  /** Their names; from memory, in constant time and not a copy, so to be read at once. */
  namesOwned(tenant: string): ReadonlySet<string>;
  /** The namespaces whose names begin so; from memory, in linear time. */
  startingWith(prefix: string): readonly NamespaceRecord[];
  /** Whether any pod is left in the namespace; one live request. Rejects when it cannot be known in time. */
  hasPods(name: string, signal: AbortSignal): Promise<boolean>;
}

/**
 * Whether namespaces are closed: whether the default-deny policy of their baseline is in place. Asked before a pod is admitted.
 * Keyed by name and uid, so that what is known of a deleted namespace never counts for the next one of its name.
 */
export interface BaselineSource {
  /** From memory: no I/O, constant time. False: not closed, not known here (yet), or known for too long to be sure of it. */
  closed(namespace: NamespaceKey): boolean;
  /**
   * Waits until it is told that it is closed. False: the signal ended the wait, or it was told already, too long ago.
   * Rejects with {@link TooManyWait} when as many requests as may do so already wait.
   */
  whenClosed(namespace: NamespaceKey, signal: AbortSignal): Promise<boolean>;
  /** One live GET. Rejects when it cannot be known in time. */
  fetchClosed(namespace: NamespaceKey, signal: AbortSignal): Promise<boolean>;
}

export type NamespaceKey = Pick<NamespaceRecord, 'name' | 'uid'>;

/** A request that waits takes room that others need; beyond a bound none waits any more. */
export class TooManyWait extends Error {
  override readonly name = 'TooManyWait';
}

/** The current tenants and settings; a reload replaces the snapshot whole. */
export type TenancySource = () => Tenancy;
