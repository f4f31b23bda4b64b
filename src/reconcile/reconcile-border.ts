/**
 * Reconciles the border of one tenant in the network: what passes is put in place before what denies, so that nothing that is agreed is cut
 * off; what no longer passes is removed at once, so that it is closed. A border that is given up loses its denies first.
 *
 * A write never overwrites an object that Bulkhead does not know: a new one is created, which fails where the name is taken, and a known one
 * is replaced in the version that is known. So an object of another author stays as it is, and is reported.
 */

import { type ClusterPolicy, clusterPoliciesPath } from '../baseline/cluster-policy.ts';
import type { DataPlaneBorder } from '../baseline/data-plane-border.ts';
import type { Clock } from '../client/clock.ts';
import type { Answer, Connection } from '../client/connection.ts';
import { broken, describe, type Failure } from '../client/failure.ts';
import type { Log } from '../client/log.ts';
import { createRateLimits, type RateLimitOptions } from '../client/rate-limits.ts';
import { valueAt } from '../kubernetes/json.ts';
import type { BorderStore, StoredBorderPolicy } from './border-store.ts';
import { conflictLimits } from './conflict-limits.ts';
import { fieldManager } from './field-manager.ts';
import { createLiftedBorders } from './lifted-borders.ts';

/** Since the start, but for the last, which is of now. */
export interface BorderWriteCounters {
  readonly applied: number;
  /** Objects that another client had deleted or changed, and that were put back. */
  readonly healed: number;
  readonly pruned: number;
  readonly failed: number;
  /** Objects in conflict: changed so often lately that they wait before they are put back again. */
  readonly conflicts: number;
}

/** What keeps a border from being whole. */
export interface BorderTrouble {
  readonly reason: 'NameTaken' | 'Failed';
  readonly message: string;
}

export interface BorderOutcome {
  /** The milliseconds after which something is to be tried again; undefined: nothing is. */
  readonly wait: number | undefined;
  readonly trouble: BorderTrouble | undefined;
}

export interface BorderWriter {
  /** @param border undefined: there is to be none */
  reconcile(tenant: string, border: DataPlaneBorder | undefined, signal: AbortSignal): Promise<BorderOutcome>;
  counters(): BorderWriteCounters;
}

export type BorderReason = 'BorderHealed' | 'BorderConflict' | 'BorderFailed' | 'BorderNameTaken';

/** When a write that the API server refused is tried again. */
const retryLimits: RateLimitOptions = { free: 1, first: 50, limit: 60_000 };

interface Pass {
  readonly signal: AbortSignal;
  readonly waits: number[];
  readonly healed: string[];
  trouble: BorderTrouble | undefined;
}

/** @param tell for people */
export function createBorderWriter(
  { connection, clock, log }: { readonly connection: Connection; readonly clock: Clock; readonly log: Log },
  store: BorderStore,
  tell: (reason: BorderReason, policy: string, message: string) => void,
): BorderWriter {
  const counters = { applied: 0, healed: 0, pruned: 0, failed: 0 };
  const conflicts = createRateLimits(conflictLimits, clock);
  const retries = createRateLimits(retryLimits, clock);
  const lifted = createLiftedBorders(clock);

  async function reconcile(
    tenant: string,
    border: DataPlaneBorder | undefined,
    signal: AbortSignal,
  ): Promise<BorderOutcome> {
    const pass: Pass = { signal, waits: [], healed: [], trouble: undefined };
    const { passes = [], denies = [] } = border ?? {};
    const wanted = new Set([...passes, ...denies].map(({ metadata }) => metadata.name));
    let isPassed = true;
    for (const policy of passes) if (!(await put(pass, policy))) isPassed = false;
    const unwanted = [...store.of(tenant).values()].filter(({ own, name }) => own && !wanted.has(name));
    // Of a border that is given up, the denies go first, and the passes once they are gone for good.
    const denying = unwanted.filter((one) => one.denies);
    let isLifted = await removeAll(pass, denying);
    if (border === undefined && isLifted && unwanted.length > 0) {
      const left = lifted.left(tenant, denying.length > 0);
      if (left > 0) pass.waits.push(left);
      isLifted = left === 0;
    }
    const passing = unwanted.filter((one) => !one.denies);
    if ((border !== undefined || isLifted) && (await removeAll(pass, passing))) lifted.forget(tenant);
    for (const policy of denies) {
      const { name } = policy.metadata;
      // Whatever became of the passes, what denied before denies again.
      const denied = store.drift(name) !== undefined;
      if (!denied && store.find(name) === undefined && isPassed) isPassed = await areThere(pass, passes);
      if (isPassed || denied) await put(pass, policy);
    }
    if (pass.healed.length > 0) {
      log.warn({ tenant, objects: pass.healed }, 'a part of the border was deleted or changed; Bulkhead restored it');
      tell('BorderHealed', tenant, `restored after it was deleted or changed: ${pass.healed.join(', ')}`);
    }
    return { wait: pass.waits.length === 0 ? undefined : Math.min(...pass.waits), trouble: pass.trouble };
  }

  /** The newest objects count here, not those of the watch: a deny rule that comes too early cuts off agreed traffic. */
  async function areThere(pass: Pass, passes: readonly ClusterPolicy[]): Promise<boolean> {
    const [labels = {}] = passes.map(({ metadata }) => metadata.labels);
    const selector = Object.entries(labels).map((pair) => pair.join('='));
    const path = `${clusterPoliciesPath}?labelSelector=${encodeURIComponent(selector.join())}`;
    const answer = await connection.request('GET', path, { signal: pass.signal });
    if (!answer.ok) return fail(pass, 'clusternetworkpolicies', answer);
    const items = valueAt(answer.body, 'items');
    const there = new Set(Array.isArray(items) ? items.map((one) => valueAt(one, 'metadata', 'name')) : []);
    const missing = passes.map(({ metadata }) => metadata.name).filter((name) => !there.has(name));
    for (const name of missing) {
      store.gone(name);
      pass.waits.push(retries.begin(name));
    }
    return missing.length === 0;
  }

  /** @returns whether it is as it should be */
  async function put(pass: Pass, policy: ClusterPolicy): Promise<boolean> {
    const { name } = policy.metadata;
    const state = store.stateOf({ ...policy });
    const known = store.find(name);
    if (known?.own === true && known.state === state) {
      store.clearDrift(name);
      return true;
    }
    if (known?.own === false) return isTaken(pass, name);
    const drift = store.drift(name);
    if (!isDue(pass, name, drift !== undefined)) return false;
    const answer = await (known === undefined ? create(policy, pass.signal) : replace(policy, known, pass.signal));
    if (!answer.ok) {
      // Another replica was faster, or an object of another author has the name.
      if (answer.status === 409) return await look(pass, name, state);
      return fail(pass, name, answer);
    }
    const stored = store.wrote(answer.body);
    if (stored?.state !== state) {
      const changed = new Error('was stored in another form; does a webhook change it, or is it terminating?');
      return fail(pass, name, broken(changed));
    }
    retries.forget(name);
    counters[drift === undefined ? 'applied' : 'healed']++;
    if (drift !== undefined) {
      pass.healed.push(name);
      noteConflict(name, drift.manager);
    }
    return true;
  }

  function create(policy: ClusterPolicy, signal: AbortSignal): Promise<Answer> {
    return connection.request('POST', `${clusterPoliciesPath}?fieldManager=${fieldManager}`, { body: policy, signal });
  }

  /** In the version that is known: what was written since is looked at first. */
  function replace(policy: ClusterPolicy, known: StoredBorderPolicy, signal: AbortSignal): Promise<Answer> {
    const { uid, resourceVersion } = known;
    const body = { ...policy, metadata: { ...policy.metadata, uid, resourceVersion } };
    return connection.request('PUT', `${pathOf(policy.metadata.name)}?fieldManager=${fieldManager}`, { body, signal });
  }

  async function look(pass: Pass, name: string, state: string): Promise<boolean> {
    const answer = await connection.request('GET', pathOf(name), { signal: pass.signal });
    if (!answer.ok && answer.status === 404) {
      store.gone(name);
      pass.waits.push(retries.begin(name));
      return false;
    }
    if (!answer.ok) return fail(pass, name, answer);
    const stored = store.read(answer.body);
    if (stored?.own === false) return isTaken(pass, name);
    if (stored?.state === state) return true;
    pass.waits.push(retries.begin(name));
    return false;
  }

  /** Nothing is waited for: the watch tells when the other object changes or goes. */
  function isTaken(pass: Pass, name: string): false {
    const message = `${name} exists and is not Bulkhead's, so a part of the border is missing. Delete it: kubectl delete clusternetworkpolicies.policy.networking.k8s.io ${name}`;
    pass.trouble = { reason: 'NameTaken', message };
    log.error({ object: name }, 'a ClusterNetworkPolicy of another author has the name of a part of the border');
    tell('BorderNameTaken', name, message);
    return false;
  }

  /** @returns whether all of them are gone */
  async function removeAll(pass: Pass, policies: readonly StoredBorderPolicy[]): Promise<boolean> {
    let areGone = true;
    for (const { name, uid } of policies) {
      if (!isDue(pass, name, false)) {
        areGone = false;
        continue;
      }
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
      const answer = await connection.request('DELETE', pathOf(name), { body, signal: pass.signal });
      if (!answer.ok && answer.status !== 404) {
        areGone = fail(pass, name, answer);
        continue;
      }
      store.gone(name);
      retries.forget(name);
      if (answer.ok) counters.pruned++;
    }
    return areGone;
  }

  /** @param isDrift whether it undoes what another client did */
  function isDue(pass: Pass, name: string, isDrift: boolean): boolean {
    if (pass.signal.aborted) return false;
    const wait = Math.max(retries.left(name), isDrift ? conflicts.left(name) : 0);
    if (wait > 0) pass.waits.push(wait);
    return wait === 0;
  }

  function fail(pass: Pass, name: string, failure: Failure): false {
    if (pass.signal.aborted) return false;
    const wait = retries.begin(name, failure.retryAfter);
    pass.waits.push(wait);
    counters.failed++;
    const message = `${name} could not be written: ${describe(failure)}`;
    pass.trouble ??= { reason: 'Failed', message };
    log.warn(
      { object: name, failure: describe(failure), wait: Math.round(wait) },
      'a part of the border could not be written and is tried again',
    );
    tell('BorderFailed', name, message);
    return false;
  }

  function noteConflict(name: string, manager: string | undefined): void {
    const wait = conflicts.begin(name);
    if (wait === 0) return;
    const by = manager === fieldManager ? 'another replica of Bulkhead' : (manager ?? 'a client that deleted it');
    log.warn({ object: name, by, wait: Math.round(wait) }, 'a part of the border is changed again and again');
    tell('BorderConflict', name, `${name} is changed or deleted again and again, last by ${by}`);
  }

  return { reconcile, counters: () => ({ ...counters, conflicts: conflicts.size() }) };
}

function pathOf(name: string): string {
  return `${clusterPoliciesPath}/${name}`;
}
