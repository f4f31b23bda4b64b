/** The parts that keep namespaces isolated, put together: the reconciler, its Events, and the pods that wait. */
import type { BaselineSource, NamespaceKey, NamespaceRecord, TenancySource } from '../admission/facts.ts';
import { defaultDenyName } from '../baseline/baseline.ts';
import { namespaceIsolatedBy } from '../baseline/default-deny.ts';
import { managedByLabel, managedByValue } from '../baseline/managed.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import type { FairRequests } from '../client/fair-requests.ts';
import type { Handler, ListWatch } from '../client/list-watch.ts';
import type { Log } from '../client/log.ts';
import { createIsolatedNamespaces, type HoldCounters } from '../facts/isolated-namespaces.ts';
import { type BaselineCounters, type BaselineReconciler, createBaselineReconciler } from './baseline-reconciler.ts';
import { createNamespaceEvents, type EventCounters } from './namespace-events.ts';

export interface BaselinesCounters {
  readonly baseline: BaselineCounters;
  readonly events: EventCounters;
  readonly holds: HoldCounters;
}

export interface Baselines extends Pick<BaselineReconciler, 'namespaceChanged' | 'begin' | 'tenancyChanged'> {
  readonly source: BaselineSource;
  /** As the watch last reported it. */
  hasDefaultDeny(namespace: NamespaceKey): boolean;
  /** Of the objects that are managed, by resource. */
  readonly watches: ReadonlyMap<string, ListWatch>;
  counters(): BaselinesCounters;
  /** Resolves when all writes have ended. The owner of the watches stops them. */
  stop(): Promise<void>;
}

/**
 * @param follow starts to follow a collection
 * @param namespaceOf what is known of a namespace; undefined when there is none of that name
 * @param requests the bounded GETs of the request path
 */
export function keepBaselines(
  { connection, clock, log }: { readonly connection: Connection; readonly clock: Clock; readonly log: Log },
  follow: (path: string, handler: Handler, labelSelector: string) => ListWatch,
  tenancy: TenancySource,
  namespaceOf: (name: string) => NamespaceRecord | undefined,
  requests: FairRequests,
): Baselines {
  const events = createNamespaceEvents(connection, clock);
  const reconciler = createBaselineReconciler(connection, clock, log, tenancy, namespaceOf, events);
  const { NetworkPolicy, ResourceQuota, LimitRange } = reconciler.handlers;
  const managed = `${managedByLabel}=${managedByValue}`;
  const policies = follow(
    '/apis/networking.k8s.io/v1/networkpolicies',
    {
      changed(policy) {
        const { name, namespace } = policy.metadata;
        if (name === defaultDenyName) isolated.set(namespace, namespaceIsolatedBy(policy.object));
        NetworkPolicy.changed(policy);
      },
      removed(policy) {
        if (policy.name === defaultDenyName) isolated.set(policy.namespace, undefined);
        NetworkPolicy.removed(policy);
      },
    },
    managed,
  );
  const isolated = createIsolatedNamespaces(requests, policies.isCurrent, reconciler.expedite, clock);
  const quotas = follow('/api/v1/resourcequotas', ResourceQuota, managed);
  const limitRanges = follow('/api/v1/limitranges', LimitRange, managed);
  return {
    ...reconciler,
    source: isolated,
    hasDefaultDeny: isolated.hasDefaultDeny,
    watches: new Map([
      ['networkpolicies', policies],
      ['resourcequotas', quotas],
      ['limitranges', limitRanges],
    ]),
    counters: () => ({ baseline: reconciler.counters(), events: events.counters(), holds: isolated.counters() }),
    async stop() {
      await reconciler.stop();
      await events.stop();
    },
  };
}
