/** The rooms that know the API server, put together: a cluster that is followed, asked, and reconciled. */
import type { NamespaceRecord, TenancySource } from '../admission/facts.ts';
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { systemClock } from '../client/clock.ts';
import { createConnection } from '../client/connection.ts';
import { createFairRequests } from '../client/fair-requests.ts';
import { type Handler, type ListWatch, startListWatch } from '../client/list-watch.ts';
import { authenticationAt, locateCluster } from '../client/location.ts';
import { keepOwnConfigurations } from '../configuration/own-configurations.ts';
import { createBoundedLists } from '../facts/bounded-lists.ts';
import { namespaceHandler } from '../facts/namespace-handler.ts';
import { createNamespaceSource, namespacesPath } from '../facts/namespaces.ts';
import { createReservations, propagationDelay } from '../facts/reservations.ts';
import { entry } from '../kubernetes/objects.ts';
import { keepBaselines } from '../reconcile/baselines.ts';
import { keepBorders } from '../reconcile/borders-with-events.ts';
import { countTenants } from '../reconcile/isolation-count.ts';
import { createNamespaceEvents, hashed } from '../reconcile/namespace-events.ts';
import { createObservations } from '../reconcile/observations.ts';
import { keepOwnObjects, type OwnObjects } from '../reconcile/own-objects.ts';
import { createStoredPolicies } from '../reconcile/stored-policies.ts';
import { keepUnreadObjects } from '../reconcile/unread-objects.ts';
import { formatProblem } from '../tenancy/problem.ts';
import type { Cluster, ClusterOptions } from './cluster.ts';

/**
 * Milliseconds. There is no live request for the members and gates of tenants, for exemptions, nor for GateRequests: when their watch was
 * not heard for so long, they are no longer known. A watch that is cut, one after it that brings nothing, and the list after that take less.
 */
const tenantsTrustedFor = 300_000;

/** Resources of Bulkhead's own that a cluster serves once manifests/crds are applied. */
const ownKinds: ReadonlySet<string> = new Set(['tenants', 'exemptions', 'gaterequests']);

/** Where Bulkhead runs; Events about itself go there. */
const ownNamespace = 'bulkhead-system';

/**
 * Connects, and begins to follow the cluster. An API server that cannot be reached is waited for, in the background.
 *
 * @throws when nothing says where a cluster is, and when the kubeconfig or the service account cannot be read
 */
export async function connectCluster(options: ClusterOptions): Promise<Cluster> {
  const { log, clock = systemClock } = options;
  const location = locateCluster(options.kubeconfig, options.environment);
  if (location === undefined) throw new Error('no cluster is known here: give a kubeconfig, or run in a pod');
  const authentication = authenticationAt(location, clock);
  const { server } = await authentication.credentials();
  const connection = createConnection(authentication, clock);
  const common = { connection, clock, log, wallClock: Date.now };
  const follow = (path: string, handler: Handler, labelSelector?: string): ListWatch =>
    startListWatch({ connection, path, handler, clock, log, labelSelector });

  const requests = createFairRequests(connection, clock);
  const beside = createBoundedLists(connection, clock);
  const home = options.tenancy;
  const events = options.reconcile ? createNamespaceEvents(connection, clock) : undefined;
  let own: OwnObjects | undefined;
  let tenancy: TenancySource;
  if (typeof home === 'function') tenancy = home;
  else {
    own = keepOwnObjects({
      ...{ common, follow, home, events, ownNamespace },
      namespaces: { lookup: (name) => store.lookup(name), countOwned: (tenant) => store.countOwned(tenant) },
      onTenants: tenancyChanged,
      onGrants() {
        storedPolicies.changed();
        borders?.tenancyChanged();
      },
      borderOf: (tenant) => borders?.stateOf(tenant),
    });
    tenancy = own.tenancy;
  }
  const reservations = createReservations(
    tenancy,
    own === undefined ? propagationDelay.files : propagationDelay.objects,
    clock,
  );
  const store = createNamespaceStore(tenancy);
  const unreadObjects = own === undefined && options.reconcile ? keepUnreadObjects(common) : undefined;
  const baselines = options.reconcile
    ? keepBaselines(common, follow, tenancy, (name) => store.lookup(name), requests)
    : undefined;
  const borders =
    events &&
    keepBorders({
      ...{ ...common, tenancy, follow, events, ownNamespace, namespaces: store },
      onState: () => own?.bordersChanged(),
    });
  const observations = options.reconcile ? createNamespaceEvents(connection, clock) : undefined;
  const hasDefaultDeny = (namespace: NamespaceRecord) => baselines?.hasDefaultDeny(namespace) === true;
  const storedPolicies = createStoredPolicies({ ...common, tenancy, namespaces: store, events, hasDefaultDeny });
  function tenancyChanged(): void {
    reservations.changed();
    baselines?.tenancyChanged();
    borders?.tenancyChanged();
    storedPolicies.changed();
    own?.tenancyChanged();
    configurations?.tenancyChanged();
  }
  const ownerLabel = ({ labels }: NamespaceRecord) => entry(labels, tenancy().settings.tenantLabel);
  const namespaceWatch = follow(
    namespacesPath,
    namespaceHandler({
      ...{ store, tenancy, ownerLabel, log },
      labelsMoved: () => storedPolicies.changed(),
      changed(name, affectsTenants) {
        baselines?.namespaceChanged(name);
        own?.namespaceChanged(name, affectsTenants);
        if (affectsTenants) borders?.namespaceChanged();
      },
    }),
  );
  const configurations = options.managesWebhooks
    ? keepOwnConfigurations({
        ...{ common, follow, tenancy, ownerLabel, ownNamespace },
        source: options.certificates,
        namespaces: store,
      })
    : undefined;
  const certificates = configurations?.certificates;
  const watches = new Map<string, ListWatch>([
    ['namespaces', namespaceWatch],
    ...(baselines?.watches ?? []),
    ...(own?.watches ?? []),
  ]);
  const waitingFor = new Set(['namespaces', ...(baselines?.watches.keys() ?? []), ...(own?.needed ?? [])]);
  // No review depends on the webhook configurations, so readiness does not: a rollout would wait for itself.
  for (const [resource, watch] of configurations?.watches ?? []) watches.set(resource, watch);
  /** There is no live request for these: what they grant must be heard of again and again. Requests count by the owners of namespaces. */
  const unheard = (): string | undefined =>
    [...(own?.needed ?? []), ...(own?.readRequests() ? ['gaterequests', 'namespaces'] : [])].find(
      (resource) => waitingFor.has(resource) || (watches.get(resource)?.staleness() ?? 0) > tenantsTrustedFor,
    );
  const synced = Promise.all(
    [...waitingFor].map(async (resource) => {
      await watches.get(resource)?.synced;
      waitingFor.delete(resource);
    }),
  ).then(() => {
    log.info({ server, namespaces: namespaceWatch.counters().objects }, 'the cluster is known');
    for (const one of [baselines, own, unreadObjects, borders, storedPolicies]) one?.begin();
  });

  return {
    namespaces: createNamespaceSource(store, namespaceWatch, reservations, requests, clock),
    beside,
    tenancy,
    tenantsKnown: () => unheard() === undefined,
    certificates,
    certificateFilesChanged: (changed) => configurations?.certificateFilesChanged(changed),
    baselines: baselines?.source,
    observed:
      observations &&
      createObservations({ log, events: observations, namespaceOf: (name) => store.lookup(name), ownNamespace }),
    synced,
    ready() {
      const [first] = waitingFor;
      const resource = first ?? unheard();
      if (resource === undefined) return certificates?.ready();
      const trouble = watches.get(resource)?.trouble();
      if (trouble?.startsWith('404') && ownKinds.has(resource))
        return `${server} does not serve ${resource}.bulkhead.dev: apply manifests/crds, or give the tenants as files`;
      const isNew = first !== undefined || watches.get(resource)?.staleness() === Number.POSITIVE_INFINITY;
      return `the ${resource} of ${server} are not known ${isNew ? 'yet' : 'any more'}${trouble === undefined ? '' : `: ${trouble}`}`;
    },
    tenancyChanged,
    serving(serves) {
      if (serves) void synced.then(() => configurations?.begin());
      else configurations?.end();
    },
    rejected(problems) {
      own?.settingsRejected(problems);
      const home = store.lookup(ownNamespace);
      const message = `${problems.map((one) => formatProblem(one)).join('\n')}\nthe settings and tenants before stay in force`;
      if (home !== undefined) events?.record(home, 'ConfigurationRejected', message, hashed(message));
    },
    problemsOf: (settings) => own?.problemsOf(settings) ?? [],
    settingsChanged: (settings) => own?.settingsChanged(settings) ?? [],
    counters: () => ({
      watches: [...watches, ...(certificates?.watches ?? []), ...(borders?.watches ?? [])].map(([resource, watch]) => ({
        resource,
        ...watch.counters(),
        stalenessMilliseconds: watch.staleness(),
      })),
      baselines: baselines?.counters(),
      borders: borders?.counters(),
      tenantStatus: own?.tenantStatus(),
      storedPolicies: storedPolicies.counters(),
      tenants: () => countTenants(tenancy(), Date.now()),
      observations: observations?.counters(),
      requests: requests.counters(),
      beside: beside.counters(),
      failurePolicy: configurations?.counters(),
      certificates: certificates?.counters(),
    }),
    async stop() {
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
      for (const one of [own, unreadObjects, baselines, borders, storedPolicies, observations, configurations])
        await one?.stop();
      connection.close();
    },
  };
}
