/**
 * The borders of tenants in the network (network.clusterPolicy), kept as long as the settings want them. Every replica does so: a write that
 * is already there is not written again, so no leader is needed.
 *
 * A tenant in mode enforce has a border. One in another mode has none, and none is begun for a tenant that is not in force, whose mode is not
 * known; but a border that it has stays while it has namespaces, or while its document cannot be read.
 */
import { clusterPoliciesPath, clusterPolicyVersion, servesClusterPolicies } from '../baseline/cluster-policy.ts';
import { type DataPlaneBorder, dataPlaneBorder, nextVouchedEnd } from '../baseline/data-plane-border.ts';
import { managedByLabel, managedByValue } from '../baseline/managed.ts';
import { type Clock, pause } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { describe } from '../client/failure.ts';
import type { Handler, ListWatch } from '../client/list-watch.ts';
import { createWorkQueue } from '../client/work-queue.ts';
import { isMap, valueAt } from '../kubernetes/json.ts';
import { undeclaredTenant } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type BorderCounts, type BorderState, type BorderStatesOptions, createBorderStates } from './border-states.ts';
import { createBorderStore } from './border-store.ts';
import { untilGatesChange } from './gate-status.ts';
import { type BorderReason, type BorderWriteCounters, createBorderWriter } from './reconcile-border.ts';

export interface BorderCounters extends BorderWriteCounters {
  /** Whether the settings want borders. */
  readonly wanted: boolean;
  /** Whether the API server serves ClusterNetworkPolicy, as far as it was asked. */
  readonly served: boolean | undefined;
  /** Tenants by the state of their borders. */
  readonly tenants: BorderCounts;
}

export interface DataPlaneBorders {
  /** Everything that exists is known: from now on the cluster is written to. */
  begin(): void;
  /** Tenants or settings have changed. */
  tenancyChanged(): void;
  /** A tenant that is not declared may have lost its last namespace. */
  namespaceChanged(): void;
  /** Undefined: the settings want none. */
  stateOf(tenant: Tenant): BorderState | undefined;
  readonly watches: ReadonlyMap<string, ListWatch>;
  counters(): BorderCounters;
  stop(): Promise<void>;
}

export interface DataPlaneBordersOptions extends BorderStatesOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly follow: (path: string, handler: Handler) => ListWatch;
  readonly countOwned: (tenant: string) => number;
  /** An Event in Bulkhead's own namespace, one for each reason and subject. */
  readonly tell: (reason: BorderReason | 'BorderNotServed', about: string, message: string) => void;
}

const concurrency = 4;
/** Whether the API server serves the kind by now. */
const askEvery = 20_000;
const notServed =
  'the API server does not serve ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2: install its definition, with a network plugin that enforces it';
/** A timer holds no longer time. */
const longestRest = 3_600_000;

export function keepDataPlaneBorders(options: DataPlaneBordersOptions): DataPlaneBorders {
  const { connection, clock, log, wallClock, tenancy, follow, countOwned, tell } = options;
  const states = createBorderStates(options);
  const store = createBorderStore(
    () => tenancy().settings.tenantLabel,
    (tenant) => look(tenant),
  );
  const writer = createBorderWriter(options, store, tell);
  const watches = new Map<string, ListWatch>();
  const stopping = new AbortController();
  let isBegun = false;
  let known = false;
  let asking: Promise<void> | undefined;
  let minding: Promise<void> | undefined;

  const queue = createWorkQueue(concurrency, clock, reconcile, (tenant, error, wait) => {
    const failure = error instanceof Error ? error.message : String(error);
    log.error({ tenant, failure, wait: Math.round(wait) }, 'the border could not be looked at');
  });

  function look(tenant: string): void {
    if (isBegun && known) queue.add(tenant);
  }

  function lookAtAll(): void {
    for (const tenant of new Set([...tenancy().tenants.keys(), ...store.tenants(), ...states.names()])) look(tenant);
  }

  const isWanted = (): boolean => {
    const { clusterPolicy, enforcement } = tenancy().settings;
    return clusterPolicy !== undefined && enforcement === 'enforce';
  };

  /** Undefined: there is to be none. */
  function borderOf(name: string, time: number): DataPlaneBorder | undefined {
    const now = tenancy();
    if (!isWanted()) return undefined;
    const tenant = now.tenants.get(name);
    if (tenant !== undefined && now.declares(tenant))
      return tenant.mode === 'enforce' ? dataPlaneBorder(tenant, now, time) : undefined;
    const isKept = tenant !== undefined || countOwned(name) > 0;
    // Any part of it: a part that is deleted heals.
    const has = [...store.of(name).values()].some(({ own }) => own);
    return isKept && has ? dataPlaneBorder(tenant ?? undeclaredTenant(name), now, time) : undefined;
  }

  async function reconcile(name: string, signal: AbortSignal): Promise<number | undefined> {
    const begun = wallClock();
    const border = borderOf(name, begun);
    const { wait, trouble } = await writer.reconcile(name, border, signal);
    if (border === undefined && store.of(name).size === 0) states.set(name, undefined);
    else if (trouble !== undefined) states.set(name, trouble);
    else if (wait !== undefined)
      states.set(name, { reason: 'Pending', message: 'a part of the border is written soon' });
    else states.set(name, border && { reason: 'InPlace', message: 'the network denies what crosses the border' });
    const tenant = tenancy().tenants.get(name);
    // Of what the border was made from: something may have ended while it was written.
    const changes =
      border === undefined || tenant === undefined
        ? Number.POSITIVE_INFINITY
        : Math.min(untilGatesChange(tenant, tenancy(), begun), nextVouchedEnd(tenant, begun));
    const rest = Math.min(wait ?? Number.POSITIVE_INFINITY, changes - wallClock());
    return Number.isFinite(rest) ? Math.min(Math.max(rest, 0), longestRest) : undefined;
  }

  /** Follows the kind once the API server serves it, if there is anything to do. */
  async function ask(): Promise<void> {
    while (!stopping.signal.aborted) {
      const found = await foundOf(connection, isWanted(), stopping.signal);
      if (stopping.signal.aborted) return;
      if (found.ok) {
        states.refuse(undefined);
        if (isWanted() || found.any) follows();
        return;
      }
      if (isWanted()) refuse(found.why);
      else {
        // Where the kind or the right to it is missing, there is nothing of it to remove, or nothing that may remove it.
        states.refuse(undefined);
        if (found.lasts) return;
      }
      await pause(clock, askEvery, stopping.signal);
    }
  }

  function follows(): void {
    const watch = follow(clusterPoliciesPath, store.handler);
    watches.set('clusternetworkpolicies', watch);
    void watch.synced.then(() => {
      known = true;
      lookAtAll();
    });
    minding = mind(watch);
  }

  /** The definition, or the right, may be taken away again. */
  async function mind(watch: ListWatch): Promise<void> {
    while (!stopping.signal.aborted) {
      await pause(clock, askEvery, stopping.signal);
      const trouble = watch.trouble() ?? '';
      if (isWanted() && trouble.startsWith('404')) refuse(notServed);
      else if (isWanted() && trouble.startsWith('403')) refuse(trouble);
      else states.refuse(undefined);
    }
  }

  function refuse(text: string): void {
    if (states.refused() === text) return;
    states.refuse(text);
    log.error({ failure: text }, 'network.clusterPolicy has no effect');
    tell('BorderNotServed', '', `network.clusterPolicy has no effect: ${text}`);
  }

  function changed(): void {
    if (!isBegun) return;
    states.reportWithheld();
    if (watches.size > 0) lookAtAll();
    else
      asking ??= ask().finally(() => {
        asking = undefined;
      });
    options.onState();
  }

  return {
    begin() {
      isBegun = true;
      changed();
    },
    tenancyChanged: changed,
    namespaceChanged() {
      for (const tenant of store.tenants()) if (!tenancy().tenants.has(tenant)) look(tenant);
    },
    stateOf: states.of,
    watches,
    counters() {
      const served = states.refused() !== undefined ? false : watches.size > 0 ? true : undefined;
      const wanted = tenancy().settings.clusterPolicy !== undefined;
      return { ...writer.counters(), wanted, served, tenants: states.counts() };
    },
    async stop() {
      stopping.abort();
      await asking;
      await minding;
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
      await queue.stop();
    },
  };
}

type Found =
  | { readonly ok: true; readonly any: boolean }
  /** `lasts`: until the platform changes it. */
  | { readonly ok: false; readonly why: string; readonly lasts: boolean };

/**
 * Whether the kind is served and may be read. Discovery comes first, as every account may ask that.
 *
 * @param all whether it is asked about all objects, or only about those of Bulkhead
 */
async function foundOf(connection: Connection, all: boolean, signal: AbortSignal): Promise<Found> {
  const version = await connection.request('GET', `/apis/${clusterPolicyVersion}`, { signal });
  if (!version.ok && version.status !== 404) return { ok: false, why: describe(version), lasts: false };
  if (!version.ok || !servesClusterPolicies(version.body)) return { ok: false, why: notServed, lasts: true };
  const own = all ? '' : `&labelSelector=${encodeURIComponent(`${managedByLabel}=${managedByValue}`)}`;
  const list = await connection.request('GET', `${clusterPoliciesPath}?limit=1${own}`, { signal });
  if (list.ok) {
    const items = valueAt(list.body, 'items');
    return { ok: true, any: Array.isArray(items) && items.some(isMap) };
  }
  if (list.status !== 403) return { ok: false, why: describe(list), lasts: false };
  const why = `Bulkhead may not read ClusterNetworkPolicies: apply manifests/components/cluster-policy (${describe(list)})`;
  return { ok: false, why, lasts: true };
}
