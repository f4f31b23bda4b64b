/**
 * Brings every tenant namespace to its baseline, and keeps it there. Each replica does so: applying the same twice changes
 * nothing, so that no leader is needed.
 */
import type { NamespaceRecord, TenancySource } from '../admission/facts.ts';
import { baselineOf, defaultDenyName, type ManagedObject } from '../baseline/baseline.ts';
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

/** Why no baseline is begun: the settings say observe, the mode of the tenant, or a tenant that is not declared. */
type Withholding = 'observe' | Exclude<Mode, 'enforce'> | 'unknown';

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
  /** Namespaces without a baseline, and what was logged as the reason. */
  const withheld = new Map<string, Withholding>();
  /** Namespaces that keep a baseline that would not be begun now, and what was reported as the reason. */
  const outlasting = new Map<string, Withholding>();
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
    const because = withheldBy(tenant);
    if (because === undefined) return true;
    const policy = store.find(name, defaultDenyKey);
    // In observe tenants may create a policy of that name; Bulkhead's own says which namespace it is for.
    const unsaid = because === 'observe' ? undefined : uid;
    return policy !== undefined && (policy.namespaceUid ?? unsaid) === uid;
  }

  /** Undefined: a baseline is begun for this tenant. */
  function withheldBy(tenant: Tenant): Withholding | undefined {
    const { settings, declares } = tenancy();
    if (settings.enforcement === 'observe') return 'observe';
    if (!declares(tenant)) return 'unknown';
    return tenant.mode === 'enforce' ? undefined : tenant.mode;
  }

  /** Reports a default-deny policy that outlasts the mode in which it was created. */
  function reportOutlasting(namespace: NamespaceRecord, tenant: Tenant): void {
    const because = withheldBy(tenant);
    if (because === undefined) {
      outlasting.delete(namespace.name);
      return;
    }
    if (outlasting.get(namespace.name) === because) return;
    outlasting.set(namespace.name, because);
    const message = `${defaultDenyName} stays, although ${reasonOf(because, tenant)}; to open the namespace delete it: kubectl delete networkpolicy ${defaultDenyName} -n ${namespace.name}`;
    events.record(namespace, 'BaselineKept', message);
  }

  /** Reports the baseline that the mode of the tenant keeps back. */
  function withhold(namespace: NamespaceRecord, tenant: Tenant, objects: readonly ManagedObject[]): void {
    const mode = withheldBy(tenant);
    if (mode === undefined || withheld.get(namespace.name) === mode) return;
    withheld.set(namespace.name, mode);
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    log.info(
      { namespace: namespace.name, tenant: tenant.name, mode, objects: names },
      'mode enforce would put the baseline in place',
    );
    if (tenant.mode === 'audit') return;
    const enforce = mode === 'observe' ? 'enforcement: enforce' : 'mode enforce';
    const message = `not isolated while ${reasonOf(mode, tenant)}; ${enforce} puts in place: ${names.join(', ')}`;
    events.record(namespace, 'BaselineWithheld', message);
  }

  async function reconcile(namespace: string, signal: AbortSignal): Promise<number | undefined> {
    const isExpedited = expedited.delete(namespace);
    const record = namespaceOf(namespace);
    if (record === undefined) {
      withheld.delete(namespace);
      outlasting.delete(namespace);
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
    if (kept && owner !== 'platform') reportOutlasting(record, owner);
    else outlasting.delete(namespace);
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
        outlasting.delete(name);
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

function reasonOf(mode: Withholding, { name }: Tenant): string {
  if (mode === 'observe') return 'the settings say observe';
  return mode === 'unknown' ? `no tenant ${name} is known` : `tenant ${name} is in mode ${mode}`;
}
