/**
 * Brings every tenant namespace to its baseline, and keeps it there. Each replica does so: applying the same twice changes
 * nothing, so that no leader is needed.
 */
import type { NamespaceRecord, TenancySource } from '../admission/facts.ts';
import { baselineOf, type ManagedObject } from '../baseline/baseline.ts';
import { tiedTo } from '../baseline/default-deny.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import type { Log } from '../client/log.ts';
import { createWorkQueue } from '../client/work-queue.ts';
import type { Mode, Tenant } from '../tenancy/tenant.ts';
import { createManagedStore, type ManagedStore } from './managed-store.ts';
import type { NamespaceEvents } from './namespace-events.ts';
import {
  createNamespaceReconciler,
  defaultDenyKey,
  keyOfObject,
  type ReconcileCounters,
} from './reconcile-namespace.ts';

/** Of now. */
export interface BaselineCounters extends ReconcileCounters {
  /** Namespaces in the queue. */
  readonly waiting: number;
  /** How long the first of them has been waiting. */
  readonly longestWaitMilliseconds: number;
  /** Namespaces of tenants that get no baseline yet, because of their tenant's mode. */
  readonly withheld: number;
}

export interface BaselineReconciler {
  /** A namespace is new, changed or gone. */
  namespaceChanged(name: string): void;
  /** A pod waits until this namespace is isolated. */
  expedite(namespace: string): void;
  readonly handlers: ManagedStore['handlers'];
  /** Everything that exists is known: from now on the cluster is written to. */
  begin(): void;
  /** Tenants or settings have changed. */
  tenancyChanged(): void;
  counters(): BaselineCounters;
  stop(): Promise<void>;
}

/** Namespaces that are reconciled at once. With the objects of each that are written at once, at most 16 requests are on their way. */
const concurrency = 8;

/**
 * @param namespaceOf what is known of a namespace; undefined when there is none of that name
 */
export function createBaselineReconciler(
  connection: Connection,
  clock: Clock,
  log: Log,
  tenancy: TenancySource,
  namespaceOf: (name: string) => NamespaceRecord | undefined,
  events: Pick<NamespaceEvents, 'record'>,
): BaselineReconciler {
  const namespaces = new Set<string>();
  /** Namespaces without a baseline, and the mode that was logged as the reason. */
  const withheld = new Map<string, Mode | 'unknown'>();
  /** Namespaces with a change that may let a refused object pass. */
  const expedited = new Set<string>();
  const store = createManagedStore(clock, () => tenancy().settings.tenantLabel, look);
  const reconciler = createNamespaceReconciler({ connection, clock, log }, store, namespaceOf, events);
  let begun = false;

  const queue = createWorkQueue(concurrency, clock, reconcile, (namespace, error, wait) => {
    const failure = error instanceof Error ? error.message : String(error);
    log.error({ namespace, failure, wait: Math.round(wait) }, 'the baseline could not be looked at');
  });

  function look(namespace: string, isExpedited: boolean): void {
    if (!begun) return;
    if (isExpedited) expedited.add(namespace);
    queue.add(namespace);
  }

  function lookAtAll(): void {
    for (const namespace of new Set([...namespaces, ...store.namespaces()])) look(namespace, true);
  }

  /**
   * The mode of a tenant decides whether a baseline is begun. A baseline with its default-deny policy is kept in every mode (decision 7).
   * None is begun for a tenant that is not declared: its mode is unknown, and new pods are held all the same.
   */
  function isKept(tenant: Tenant, { name, uid }: NamespaceRecord): boolean {
    if (tenant.mode === 'enforce' && tenancy().declares(tenant)) return true;
    const policy = store.find(name, defaultDenyKey);
    return policy !== undefined && (policy.namespaceUid ?? uid) === uid;
  }

  /** Reports the baseline that the mode of the tenant keeps back. */
  function withhold(namespace: NamespaceRecord, tenant: Tenant, objects: readonly ManagedObject[]): void {
    const mode = tenancy().declares(tenant) ? tenant.mode : 'unknown';
    if (withheld.get(namespace.name) === mode) return;
    withheld.set(namespace.name, mode);
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    log.info(
      { namespace: namespace.name, tenant: tenant.name, mode, objects: names },
      'mode enforce would put the baseline in place',
    );
    if (mode === 'audit') return;
    const because =
      mode === 'unknown' ? `no tenant ${tenant.name} is known` : `tenant ${tenant.name} is in mode ${mode}`;
    const message = `not isolated while ${because}; mode enforce puts in place: ${names.join(', ')}`;
    events.record(namespace, 'BaselineWithheld', message);
  }

  async function reconcile(namespace: string, signal: AbortSignal): Promise<number | undefined> {
    const isExpedited = expedited.delete(namespace);
    const record = namespaceOf(namespace);
    if (record === undefined) {
      withheld.delete(namespace);
      store.clearDrift(namespace, () => true);
      return undefined;
    }
    const { settings, ownerByLabels } = tenancy();
    const owner = ownerByLabels(record.labels);
    const wanted = owner === 'platform' ? [] : baselineOf(namespace, owner, settings);
    const baseline = record.terminating ? wanted.filter((one) => store.find(namespace, keyOfObject(one))) : wanted;
    // A terminating namespace takes no new objects. Those it has are kept for the pods that still run. A default-deny policy with
    // another uid belongs to a newer namespace of this name.
    if (
      record.terminating &&
      (owner === 'platform' || store.find(namespace, defaultDenyKey)?.namespaceUid !== record.uid)
    ) {
      withheld.delete(namespace);
      return undefined;
    }
    const kept = owner === 'platform' || isKept(owner, record);
    if (kept) withheld.delete(namespace);
    else withhold(record, owner, baseline);
    const task = {
      record,
      baseline: kept ? baseline.map((one) => tiedTo(one, record.uid)) : [],
      tenantLabel: settings.tenantLabel,
      expedited: isExpedited,
    };
    return await reconciler.reconcile(task, signal);
  }

  return {
    namespaceChanged(name) {
      if (namespaceOf(name) === undefined) {
        namespaces.delete(name);
        withheld.delete(name);
      } else namespaces.add(name);
      look(name, true);
    },
    expedite(namespace) {
      if (!begun) return;
      expedited.add(namespace);
      queue.expedite(namespace);
    },
    handlers: store.handlers,
    begin() {
      begun = true;
      lookAtAll();
    },
    tenancyChanged: lookAtAll,
    counters: () => ({
      ...reconciler.counters(),
      waiting: queue.size(),
      longestWaitMilliseconds: queue.longestWait(),
      withheld: withheld.size,
    }),
    async stop() {
      store.stop();
      await queue.stop();
    },
  };
}
