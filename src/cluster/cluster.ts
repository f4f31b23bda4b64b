/** The one way into this room: a cluster that is followed, asked, and kept to its baselines. */
import type { NamespaceSource, TenancySource } from '../admission/facts.ts';
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { managedByLabel, managedByValue } from '../baseline/managed.ts';
import { type Authentication, type ClusterLocation, inClusterAuthentication } from './authentication.ts';
import { type BaselineCounters, createBaselineReconciler } from './baseline-reconciler.ts';
import { type Clock, systemClock } from './clock.ts';
import { createConnection } from './connection.ts';
import { kubeconfigAuthentication } from './kubeconfig.ts';
import { type Handler, type ListWatch, startListWatch, type WatchCounters } from './list-watch.ts';
import { locateCluster } from './location.ts';
import type { Log } from './log.ts';
import { createNamespaceSource, namespaceRecord, namespacesPath } from './namespaces.ts';

export interface ClusterOptions {
  /** A kubeconfig file; without one, what {@link locateCluster} finds. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** The variables of the process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly tenancy: TenancySource;
  /** Whether baselines are applied; otherwise nothing is ever written. */
  readonly reconcile: boolean;
  readonly clock?: Clock;
}

export interface ClusterCounters {
  readonly watches: readonly (WatchCounters & {
    readonly resource: string;
    /** Since the API server was last heard; infinite before it first was. */
    readonly stalenessMilliseconds: number;
  })[];
  /** Undefined where nothing is reconciled. */
  readonly baseline: BaselineCounters | undefined;
}

export interface Cluster {
  readonly namespaces: NamespaceSource;
  /** Resolves when everything that exists is known. Never rejects. */
  readonly synced: Promise<void>;
  /** Why the cluster is not known yet, or undefined once it is. From then on it stays so: what is missed is asked for live. */
  ready(): string | undefined;
  /** To be called after a reload: baselines follow the new tenants and settings. */
  tenancyChanged(): void;
  counters(): ClusterCounters;
  /** Resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/**
 * Connects, and begins to follow the cluster. An API server that cannot be reached is waited for, in the background.
 *
 * @throws when nothing says where a cluster is, and when the kubeconfig or the service account cannot be read
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const { log, tenancy, clock = systemClock } = options;
  const location = locateCluster(options, options.environment);
  if (location === undefined) {
    throw new Error('no cluster is known here: give a kubeconfig, set KUBECONFIG, or run in a pod');
  }
  const authentication = authenticationAt(location, clock);
  const { server } = await authentication.credentials();
  const connection = createConnection(authentication, clock);
  const follow = (path: string, handler: Handler, labelSelector?: string): ListWatch =>
    startListWatch({
      connection,
      path,
      handler,
      clock,
      log,
      ...(labelSelector === undefined ? {} : { labelSelector }),
    });

  const store = createNamespaceStore(tenancy);
  const reconciler = options.reconcile
    ? createBaselineReconciler(connection, clock, log, tenancy, (name) => store.lookup(name))
    : undefined;
  const watches = new Map<string, ListWatch>();
  const namespaceWatch = follow(namespacesPath, {
    changed(object) {
      store.set(namespaceRecord(object));
      reconciler?.namespaceChanged(object.metadata.name);
    },
    removed({ name }) {
      store.delete(name);
      reconciler?.namespaceChanged(name);
    },
  });
  watches.set('namespaces', namespaceWatch);
  if (reconciler !== undefined) {
    const { NetworkPolicy, ResourceQuota } = reconciler.handlers;
    const own = `${managedByLabel}=${managedByValue}`;
    watches.set('networkpolicies', follow('/apis/networking.k8s.io/v1/networkpolicies', NetworkPolicy, own));
    watches.set('resourcequotas', follow('/api/v1/resourcequotas', ResourceQuota, own));
  }

  const waitingFor = new Set(watches.keys());
  const synced = Promise.all(
    [...watches].map(async ([resource, watch]) => {
      await watch.synced;
      waitingFor.delete(resource);
    }),
  ).then(() => {
    log.info({ server, namespaces: namespaceWatch.counters().objects }, 'the cluster is known');
    reconciler?.begin();
  });

  return {
    namespaces: createNamespaceSource(store, namespaceWatch.staleness, connection),
    synced,
    ready() {
      const [resource] = waitingFor;
      if (resource === undefined) return undefined;
      const trouble = watches.get(resource)?.trouble();
      return `the ${resource} of ${server} are not known yet${trouble === undefined ? '' : `: ${trouble}`}`;
    },
    tenancyChanged() {
      reconciler?.tenancyChanged();
    },
    counters: () => ({
      watches: [...watches].map(([resource, watch]) => ({
        resource,
        ...watch.counters(),
        stalenessMilliseconds: watch.staleness(),
      })),
      baseline: reconciler?.counters(),
    }),
    async stop() {
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
      await reconciler?.stop();
      connection.close();
    },
  };
}

function authenticationAt(location: ClusterLocation, clock: Clock): Authentication {
  return location.kind === 'in-cluster' ? inClusterAuthentication(location, clock) : kubeconfigAuthentication(location);
}
