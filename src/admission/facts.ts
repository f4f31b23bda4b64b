/** What admission needs to know from outside. The rooms facts and files implement it; nothing here does I/O. */
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
   * Whether memory proves that no namespace has this name, or only one of this tenant; constant time. It does once the watch was heard
   * after every replica had known that the name is reserved for the tenant.
   */
  isFree(name: string, tenant: string): boolean;
  /**
   * One live GET, for a miss.
   *
   * @param share the namespace of the admission request, in whose queue the GET waits; default: `name`
   * @returns undefined when there is no such namespace
   * @throws {TooManyWait} when the queue of `share` is full
   * @throws when the answer does not come before `signal` aborts, or is not understood
   */
  fetch(name: string, signal: AbortSignal, share?: string): Promise<NamespaceRecord | undefined>;
  /** How many namespaces carry this value of the tenant label; from memory, constant time. */
  countOwned(tenant: string): number;
  /** Their names; from memory, in constant time and not a copy, so to be read at once. */
  namesOwned(tenant: string): ReadonlySet<string>;
  /**
   * Whether memory has every namespace, and each with this platform label is one that the settings list for its value
   * (tenancy/trusted-labels.ts); constant time.
   */
  isKept(key: string): boolean;
  /** Every namespace that memory knows. */
  all(): Iterable<NamespaceRecord>;
  /** Whether any pod is left in the namespace; one live request. Rejects when it cannot be known in time. */
  hasPods(name: string, signal: AbortSignal): Promise<boolean>;
}

/**
 * Whether namespaces are isolated: whether the default-deny policy of their baseline is in place. Asked before a pod is admitted.
 * Keyed by name and uid, so that what is known of a deleted namespace never counts for the next one of its name.
 */
export interface BaselineSource {
  /** From memory: no I/O, constant time. False: not isolated, not known here (yet), or known for too long to be sure of it. */
  isIsolated(namespace: NamespaceKey): boolean;
  /**
   * Waits until it is isolated. False: the signal ended the wait, or it was already known to be, too long ago.
   * Rejects with {@link TooManyWait} when as many requests as may do so already wait.
   */
  whenIsolated(namespace: NamespaceKey, signal: AbortSignal): Promise<boolean>;
  /** One live GET. Rejects when it cannot be known in time. */
  fetchIsolated(namespace: NamespaceKey, signal: AbortSignal): Promise<boolean>;
}

export type NamespaceKey = Pick<NamespaceRecord, 'name' | 'uid'>;

/** A request that waits takes room that others need; beyond a bound none waits any more. */
export class TooManyWait extends Error {
  override readonly name = 'TooManyWait';
}

/** The current tenants and settings; a reload replaces the snapshot whole. */
export type TenancySource = () => Tenancy;
