/**
 * Reconciles one namespace: puts in place what its baseline lacks, the default-deny policy first, and removes what is not in it.
 * Each object is tried again for itself, so that one which the API server refuses holds up no other. Retry-After is kept.
 *
 * Tenants cannot undo this (checks managed-policy and managed-quota). The platform can, and so can another replica with other tenants,
 * settings or code. A change or deletion is put back at once. From the third time on the object first waits: one to two seconds, then
 * twice as long each time, at most a minute. So two replicas heal one object at most eight times each in the first minute and twice in
 * each that follows. The count begins anew after five calm minutes.
 *
 * The default-deny policy waits a second at most while the namespace is not isolated: while the policy is missing, terminating, tied to
 * another namespace, or does not isolate every pod in both directions.
 */

import type { NamespaceRecord } from '../admission/facts.ts';
import { defaultDenyName, type ManagedObject } from '../baseline/baseline.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { describe, type Failure } from '../client/failure.ts';
import type { Log } from '../client/log.ts';
import { createRateLimits, type RateLimitOptions, type RateLimits } from '../client/rate-limits.ts';
import { stateOf } from './baseline-state.ts';
import { applyObject, pruneObject } from './baseline-writer.ts';
import { conflictLimits } from './conflict-limits.ts';
import { fieldManager } from './field-manager.ts';
import { type Drift, type Key, keyOf, type ManagedStore, type Observed } from './managed-store.ts';
import type { NamespaceEvents } from './namespace-events.ts';

/** Since the start, but for the last, which is of now. */
export interface ReconcileCounters {
  readonly applied: number;
  /** Objects that another client had deleted or changed, and that were put back. */
  readonly healed: number;
  readonly pruned: number;
  readonly failed: number;
  /** Objects in conflict: changed so often lately that they wait before they are put back, or removed, again. */
  readonly conflicts: number;
}

/** A namespace as it should be. */
export interface Task {
  readonly record: NamespaceRecord;
  /** All objects that the namespace must have; the first is the default-deny policy. */
  readonly baseline: readonly ManagedObject[];
  readonly tenantLabel: string;
  /** A refused object may pass after a change. */
  readonly expedited: boolean;
}

export interface NamespaceReconciler {
  /** @returns the milliseconds after which it must be reconciled again; undefined: all is as it should be. Never rejects because of the API server. */
  reconcile(task: Task, signal: AbortSignal): Promise<number | undefined>;
  counters(): ReconcileCounters;
}

interface Pass extends Task {
  readonly signal: AbortSignal;
  /** Put back after another client had deleted or changed it. */
  readonly healed: Key[];
  /** The milliseconds after which something is to be tried again. */
  readonly waits: number[];
  ended: boolean;
}

export const defaultDenyKey = keyOf({ kind: 'NetworkPolicy', name: defaultDenyName });

/** Objects of a namespace that are written at once. More made many new namespaces slower (test/soak/latency.ts). */
const writesAtOnce = 2;

/**
 * The same for the default-deny policy of a namespace that is not isolated. It has a limit, too: a replica with a silent watch, or of a
 * version that ties the policy in another way, sees the namespace differently.
 */
const notIsolatedLimits: RateLimitOptions = { free: 3, first: 500, limit: 1_000 };

/** When an object that the API server refused is tried again. Client-go begins with the same 5 ms and ends at 1000 s. */
const retryLimits: RateLimitOptions = { free: 1, first: 5, limit: 60_000 };

/** After a change a refused object is tried again sooner, but no more often than this. */
const retryAtMostEvery = 1_000;

/**
 * @param namespaceOf what is known of a namespace; undefined when there is none of that name
 */
export function createNamespaceReconciler(
  { connection, clock, log }: { readonly connection: Connection; readonly clock: Clock; readonly log: Log },
  store: ManagedStore,
  namespaceOf: (name: string) => NamespaceRecord | undefined,
  events: Pick<NamespaceEvents, 'record'>,
): NamespaceReconciler {
  const counters = { applied: 0, healed: 0, pruned: 0, failed: 0 };
  /** By uid of the namespace and key of the object. */
  const conflicts = createRateLimits(conflictLimits, clock);
  const notIsolated = createRateLimits(notIsolatedLimits, clock);
  const retries = createRateLimits(retryLimits, clock);

  async function reconcile(task: Task, signal: AbortSignal): Promise<number | undefined> {
    const { record, baseline } = task;
    const pass: Pass = { ...task, signal, healed: [], waits: [], ended: false };
    const { healed, waits } = pass;
    const keys = new Set(baseline.map(keyOfObject));
    store.clearDrift(record.name, (key) => !keys.has(key));
    const [defaultDeny, ...others] = baseline;
    if (defaultDeny !== undefined) await put(pass, defaultDeny);
    await inParallel(writesAtOnce, others, (object) => put(pass, object));
    if (healed.length > 0) {
      log.warn(
        { namespace: record.name, objects: healed },
        'a part of the baseline was deleted or changed; Bulkhead restored it',
      );
      events.record(record, 'BaselineHealed', `restored after it was deleted or changed: ${healed.join(', ')}`);
    }
    const unwanted = store.all(record.name).filter((one) => !keys.has(keyOf(one)));
    await inParallel(writesAtOnce, unwanted, (one) => prune(pass, one));
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  async function put(pass: Pass, object: ManagedObject): Promise<void> {
    const { record, signal } = pass;
    const { namespace } = object.metadata;
    const key = keyOfObject(object);
    const state = stateOf({ ...object }, pass.tenantLabel);
    if (store.state(namespace, key) === state) {
      store.clearDrift(namespace, (one) => one === key);
      return;
    }
    const drift = store.drift(namespace, key);
    const isolates = key !== defaultDenyKey || store.find(namespace, key)?.isolates === record.uid;
    const limits = isolates ? conflicts : notIsolated;
    if (!isDue(pass, key, drift === undefined ? undefined : limits)) return;
    const answer = await applyObject(connection, object, pass.tenantLabel, signal);
    if (!answer.ok) {
      fail(pass, key, answer);
      return;
    }
    retries.forget(waitKey(pass, key));
    store.wrote(namespace, key, { ...answer, state }, drift);
    counters[drift === undefined ? 'applied' : 'healed']++;
    if (drift === undefined) return;
    pass.healed.push(key);
    noteConflict(pass, key, limits, `is changed or deleted again and again, last by ${whoOf(drift)}`);
  }

  async function prune(pass: Pass, one: Observed): Promise<void> {
    const key = keyOf(one);
    if (!isDue(pass, key, conflicts)) return;
    const answer = await pruneObject(connection, one, pass.record.name, pass.signal);
    if (!answer.ok) {
      fail(pass, key, answer);
      return;
    }
    retries.forget(waitKey(pass, key));
    if (!answer.pruned) return;
    counters.pruned++;
    noteConflict(pass, key, conflicts, 'is not wanted, and put in place again and again after it was removed');
  }

  /** @param limits of its conflicts, where it undoes what another client did */
  function isDue(pass: Pass, key: Key, limits: RateLimits | undefined): boolean {
    if (pass.ended || pass.signal.aborted) return false;
    const waiting = waitKey(pass, key);
    if (pass.expedited) retries.shorten(waiting, retryAtMostEvery);
    const wait = Math.max(retries.left(waiting), limits?.left(waiting) ?? 0);
    if (wait > 0) pass.waits.push(wait);
    return wait === 0;
  }

  /** It was undone once more: from the third time on that is reported, and has to wait. */
  function noteConflict(pass: Pass, key: Key, limits: RateLimits, what: string): void {
    const wait = limits.begin(waitKey(pass, key));
    if (wait === 0) return;
    const { record } = pass;
    log.warn({ namespace: record.name, object: key, wait: Math.round(wait) }, `a part of the baseline ${what}`);
    const message = `${key} ${what}. Bulkhead undoes it with back-off, at least once a minute, and restores a missing default-deny policy within a second. Unless a user does it on purpose, the replicas of Bulkhead have different tenants or settings`;
    events.record(record, 'BaselineConflict', message);
  }

  function fail(pass: Pass, key: Key, failure: Failure): void {
    const { record, signal } = pass;
    if (signal.aborted || pass.ended) return;
    if (isEnding(failure)) {
      const known = namespaceOf(record.name);
      pass.ended = true;
      if (known === undefined || known.terminating) return;
      // The API server means the namespace that had this name before, or the watch is behind: it is tried again until they agree.
    }
    const wait = retries.begin(waitKey(pass, key), failure.retryAfter);
    pass.waits.push(wait);
    counters.failed++;
    log.warn(
      { namespace: record.name, object: key, failure: describe(failure), wait: Math.round(wait) },
      'the baseline could not be applied and is tried again',
    );
    events.record(record, 'BaselineFailed', `the baseline could not be put in place: ${describe(failure)}`);
  }

  return { reconcile, counters: () => ({ ...counters, conflicts: conflicts.size() + notIsolated.size() }) };
}

export function keyOfObject({ kind, metadata }: ManagedObject): Key {
  return keyOf({ kind, name: metadata.name });
}

function waitKey({ record }: Pass, key: Key): string {
  return `${record.uid} ${key}`;
}

function whoOf({ manager }: Drift): string {
  if (manager === undefined) return 'a client that deleted it';
  return manager === fieldManager ? 'another replica of Bulkhead' : `field manager ${manager}`;
}

async function inParallel<Item>(
  limit: number,
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: Math.min(limit, items.length) }, async () => {
      for (const item of left) await act(item);
    }),
  );
}

/** The namespace went away between the look at it and the write. */
function isEnding(failure: Failure): boolean {
  return failure.status === 404 || failure.causes.includes('NamespaceTerminating');
}
