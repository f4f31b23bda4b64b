/** The rooms that know the API server, put together: a cluster that is followed, asked, and reconciled. */
import type { Observed } from './admission/admission.ts';
import type { BaselineSource, NamespaceRecord, NamespaceSource, TenancySource } from './admission/facts.ts';
import { createNamespaceStore } from './admission/namespace-store.ts';
import { type Clock, systemClock } from './client/clock.ts';
import { createConnection } from './client/connection.ts';
import { createFairRequests, type RequestCounters } from './client/fair-requests.ts';
import { type Handler, type ListWatch, startListWatch, type WatchCounters } from './client/list-watch.ts';
import { authenticationAt, locateCluster } from './client/location.ts';
import type { Log } from './client/log.ts';
import type { CertificateCounters, ReplicaCertificates } from './configuration/certificates.ts';
import { type FailurePolicyCounters, keepFailurePolicies } from './configuration/failure-policy.ts';
import { type FileCertificates, keepFileCertificates, type VouchedPair } from './configuration/file-certificates.ts';
import { keepNamespaceSelectors } from './configuration/namespace-selectors.ts';
import { keepSecretCertificates, type SecretCertificatesOptions } from './configuration/secret-certificates.ts';
import { createWebhookConfigurations } from './configuration/webhook-configurations.ts';
import { createExemptions, exemptionsPath } from './facts/exemptions.ts';
import { createGateRequests, gateRequestsPath } from './facts/gate-requests.ts';
import { createNamespaceSource, namespaceRecord, namespacesPath } from './facts/namespaces.ts';
import { createReservations, propagationDelay } from './facts/reservations.ts';
import { createTenants, type Tenants, type TenantsOptions, tenantsPath } from './facts/tenants.ts';
import { noRequests } from './gates/agreement.ts';
import { entry } from './kubernetes/objects.ts';
import { type BaselinesCounters, keepBaselines } from './reconcile/baselines.ts';
import { createExemptionStatusWriter } from './reconcile/exemption-status.ts';
import { createGateRequestStatusWriter } from './reconcile/gate-request-status.ts';
import { createNamespaceEvents, type EventCounters, hashed } from './reconcile/namespace-events.ts';
import { createObservations } from './reconcile/observations.ts';
import type { StatusCounters } from './reconcile/status-writer.ts';
import { createStoredPolicies, type StoredPolicyCounters } from './reconcile/stored-policies.ts';
import { createTenantStatusWriter } from './reconcile/tenant-status-writer.ts';
import { keepUnreadObjects } from './reconcile/unread-objects.ts';
import { probeNamespace } from './tenancy/probe.ts';
import { formatProblem, type Problem } from './tenancy/problem.ts';
import type { Settings } from './tenancy/settings.ts';
import { fixOfMisplaced, misplacedKeys } from './tenancy/trusted-labels.ts';

/**
 * Milliseconds. There is no live request for the members and gates of tenants, for exemptions, nor for GateRequests: when their watch was not heard for so long, they are no
 * longer known. A watch that is cut, one after it that brings nothing, and the list after that take less.
 */
const tenantsTrustedFor = 300_000;

/** Resources of Bulkhead's own that a cluster serves once manifests/crds are applied. */
const ownKinds: ReadonlySet<string> = new Set(['tenants', 'exemptions', 'gaterequests']);

/** Where Bulkhead runs; Events about itself go there. */
const ownNamespace = 'bulkhead-system';

/** Tenants that are objects of the cluster. */
export interface TenantObjects extends Pick<TenantsOptions, 'onTenants'> {
  /** In force until {@link Cluster.settingsChanged}. */
  readonly settings: Settings;
}

export interface ClusterOptions {
  /** A kubeconfig file; without one, the account of the pod. */
  readonly kubeconfig?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly tenancy: TenancySource | TenantObjects;
  /** Whether baselines, Events and status are written. */
  readonly reconcile: boolean;
  /** Whether Bulkhead manages its webhook configurations: failurePolicy, CA bundle and path. Default: no. */
  readonly registration?: boolean;
  /** With `registration`: where the certificates come from whose authority is written into the configurations. */
  readonly certificates?: CertificateSource | undefined;
  readonly clock?: Clock;
}

export type CertificateSource =
  | ({ readonly from: 'secret' } & SecretCertificatesOptions)
  | { readonly from: 'files'; readonly first: VouchedPair };

export interface ClusterCounters {
  readonly watches: readonly (WatchCounters & {
    readonly resource: string;
    /** Since the API server was last heard; infinite before it first was. */
    readonly stalenessMilliseconds: number;
  })[];
  /** Undefined where nothing is reconciled. */
  readonly baselines: BaselinesCounters | undefined;
  /** Undefined where tenants are not objects, and where nothing is written. */
  readonly tenantStatus: StatusCounters | undefined;
  readonly storedPolicies: StoredPolicyCounters;
  /** Of Events about requests that would be refused. Undefined where nothing is written. */
  readonly observations: EventCounters | undefined;
  /** The GETs of the request path. */
  readonly requests: RequestCounters;
  /** Undefined where Bulkhead does not manage its webhook configurations. */
  readonly failurePolicy: FailurePolicyCounters | undefined;
  /** Undefined where Bulkhead does not write CA bundles. */
  readonly certificates: CertificateCounters | undefined;
}

export interface Cluster {
  readonly namespaces: NamespaceSource;
  /** Undefined where nothing is reconciled: no namespace gets a baseline there. */
  readonly baselines: BaselineSource | undefined;
  /** Undefined where nothing is written. Tells of a request that would be denied if the settings said enforce. */
  readonly observed: ((observed: Observed) => void) | undefined;
  /** What is in force: the one that was given, or that of the Tenant objects. */
  readonly tenancy: TenancySource;
  /** Undefined where Bulkhead does not write CA bundles. */
  readonly certificates: ReplicaCertificates | undefined;
  /** Where certificates come from files: these have changed. */
  certificateFilesChanged(files: VouchedPair): void;
  /** Tenant, Exemption and GateRequest objects are known once they have been listed, until five minutes of silence. */
  tenantsKnown(): boolean;
  /** Resolves when everything that exists is known. Never rejects. */
  readonly synced: Promise<void>;
  /** Why the cluster is not known, or undefined while it is. */
  ready(): string | undefined;
  /** To be called after a reload. */
  tenancyChanged(): void;
  /** What was read last is not in force for these problems: an Event. */
  rejected(problems: readonly Problem[]): void;
  /** Where tenants are objects: puts settings in force, or says why they do not go together with the tenants. */
  settingsChanged(settings: Settings): readonly Problem[];
  /** Reviews are answered from now on, or will soon not be any more. */
  serving(serves: boolean): void;
  counters(): ClusterCounters;
  stop(): Promise<void>;
}

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
  const home = options.tenancy;
  let tenants: Tenants | undefined;
  let tenancy: TenancySource;
  if (typeof home === 'function') tenancy = home;
  else {
    tenants = createTenants({
      ...common,
      settings: home.settings,
      agree: (settings, isInForce) => gateRequests?.agree(settings, isInForce) ?? noRequests,
      onTenants(refused) {
        home.onTenants(refused);
        tenancyChanged();
      },
      onObjects: () => tenantStatus?.changed(),
    });
    tenancy = tenants.current;
  }
  const exemptions =
    tenants &&
    createExemptions({
      clock,
      log,
      onExemptions(inForce, refused) {
        tenants?.exemptionsChanged(inForce);
        const count = [...inForce.values()].reduce((sum, { length }) => sum + length, 0);
        log.info({ exemptions: count, refused }, 'new exemptions are in force');
        storedPolicies.changed();
        exemptionStatus?.changed();
      },
    });
  const gateRequests =
    tenants &&
    createGateRequests({
      clock,
      tenantLabel: () => tenancy().settings.tenantLabel,
      lookup: (name) => store.lookup(name),
      onRequests: requestsChanged,
    });
  const reservations = createReservations(
    tenancy,
    tenants === undefined ? propagationDelay.files : propagationDelay.objects,
    clock,
  );
  const store = createNamespaceStore(tenancy);
  const tenantStatus =
    tenants !== undefined && options.reconcile
      ? createTenantStatusWriter({ ...common, tenants, countOwned: (tenant) => store.countOwned(tenant) })
      : undefined;
  const unreadObjects = tenants === undefined && options.reconcile ? keepUnreadObjects(common) : undefined;
  const baselines = options.reconcile
    ? keepBaselines(common, follow, tenancy, (name) => store.lookup(name), requests)
    : undefined;
  const events = options.reconcile ? createNamespaceEvents(connection, clock) : undefined;
  const observations = options.reconcile ? createNamespaceEvents(connection, clock) : undefined;
  const exemptionStatus =
    exemptions &&
    events &&
    createExemptionStatusWriter({
      ...common,
      exemptions,
      tenancy: () => tenancy(),
      lookup: (name) => store.lookup(name),
      ownNamespace,
      events,
    });
  const gateRequestStatus =
    tenants !== undefined && gateRequests !== undefined && options.reconcile
      ? createGateRequestStatusWriter({ ...common, requests: gateRequests, agreement: tenants.agreement })
      : undefined;
  const storedPolicies = createStoredPolicies({ ...common, tenancy, namespaces: store, events });
  function tenancyChanged(): void {
    reservations.changed();
    baselines?.tenancyChanged();
    storedPolicies.changed();
    selectors?.changed();
    exemptionStatus?.changed();
    gateRequestStatus?.changed();
    failurePolicies?.settingsChanged();
  }
  function requestsChanged(): void {
    if (tenants?.requestsChanged()) {
      log.info({}, 'other gates by GateRequests are in force');
      storedPolicies.changed();
    }
    gateRequestStatus?.changed();
  }
  const ownerLabel = ({ labels }: NamespaceRecord) => entry(labels, tenancy().settings.tenantLabel);
  const misplacedOn = (one: NamespaceRecord | undefined) =>
    one === undefined ? [] : misplacedKeys(one, tenancy().settings);
  const namespaceWatch = follow(namespacesPath, {
    changed(object) {
      const record = namespaceRecord(object);
      const before = store.lookup(record.name);
      store.set(record);
      const [was, is] = [misplacedOn(before), misplacedOn(record)];
      const isMoved = before !== undefined && ownerLabel(before) !== ownerLabel(record);
      if (isMoved || was.join() !== is.join()) storedPolicies.changed();
      for (const key of is)
        if (!was.includes(key))
          log.error(
            { namespace: record.name },
            `no policy can rely on the label ${key}, as a namespace has it that the settings do not list: ${fixOfMisplaced(record.name, key)}`,
          );
      if (before === undefined || isMoved || before.terminating !== record.terminating)
        gateRequests?.namespaceChanged(record.name);
      baselines?.namespaceChanged(object.metadata.name);
      tenantStatus?.changed();
      exemptionStatus?.changed();
    },
    removed({ name }) {
      if (misplacedOn(store.lookup(name)).length > 0) storedPolicies.changed();
      store.delete(name);
      gateRequests?.namespaceChanged(name);
      baselines?.namespaceChanged(name);
      tenantStatus?.changed();
      exemptionStatus?.changed();
    },
  });
  const configurations = options.registration ? createWebhookConfigurations(connection, follow) : undefined;
  const tools = configurations && { connection, clock, log, wallClock: Date.now, configurations };
  const source = options.certificates;
  let fromFiles: FileCertificates | undefined;
  if (tools && source?.from === 'files') fromFiles = keepFileCertificates(tools, source.first);
  const certificates = tools && source?.from === 'secret' ? keepSecretCertificates(tools, source) : fromFiles;
  const selectors =
    tools &&
    keepNamespaceSelectors({
      ...tools,
      tenantLabel: () => tenancy().settings.tenantLabel,
      observes: () => tenancy().settings.enforcement === 'observe',
      isCarried: (key) =>
        [...store.all()].some(
          (one) => one.name !== probeNamespace && entry(one.labels, key) !== undefined && ownerLabel(one) === undefined,
        ),
    });
  const failurePolicies =
    tools &&
    selectors &&
    keepFailurePolicies({
      ...tools,
      selectors,
      namespaceOf: (name) => store.lookup(name),
      ownNamespace,
      tenantLabel: () => tenancy().settings.tenantLabel,
      wantsFail: () => tenancy().settings.enforcement === 'enforce',
    });
  const watches = new Map<string, ListWatch>([['namespaces', namespaceWatch], ...(baselines?.watches ?? [])]);
  if (tenants !== undefined) watches.set('tenants', follow(tenantsPath, tenants.handler));
  if (exemptions !== undefined) watches.set('exemptions', follow(exemptionsPath, exemptions.handler));

  const waitingFor = new Set(watches.keys());
  // Followed in any case, and waited for only where requests count: a cluster need not serve the kind.
  if (gateRequests !== undefined) {
    const watch = follow(gateRequestsPath, gateRequests.handler);
    watches.set('gaterequests', watch);
    void watch.synced.then(() => gateRequests.begin());
  }
  // No review depends on the webhook configurations, so readiness does not: a rollout would wait for itself.
  for (const [resource, watch] of configurations?.watches ?? []) watches.set(resource, watch);
  /** There is no live request for these: what they grant must be heard of again and again. Requests count by the owners of namespaces. */
  const unheard = (): string | undefined =>
    [
      ...['tenants', 'exemptions'],
      ...(gateRequests !== undefined && tenancy().settings.gates.from === 'tenants'
        ? ['gaterequests', 'namespaces']
        : []),
    ].find((resource) => waitingFor.has(resource) || (watches.get(resource)?.staleness() ?? 0) > tenantsTrustedFor);
  const synced = Promise.all(
    [...waitingFor].map(async (resource) => {
      await watches.get(resource)?.synced;
      if (resource === 'tenants') tenants?.begin();
      if (resource === 'exemptions') exemptions?.begin();
      waitingFor.delete(resource);
    }),
  ).then(() => {
    log.info({ server, namespaces: namespaceWatch.counters().objects }, 'the cluster is known');
    baselines?.begin();
    tenantStatus?.begin();
    exemptionStatus?.begin();
    unreadObjects?.begin();
    // By the owners of all namespaces.
    requestsChanged();
    gateRequestStatus?.begin();
    storedPolicies.begin();
  });

  return {
    namespaces: createNamespaceSource(store, namespaceWatch, reservations, requests, clock),
    tenancy,
    tenantsKnown: () => unheard() === undefined,
    certificates,
    certificateFilesChanged: (changed) => fromFiles?.offer(changed),
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
      if (serves)
        void synced.then(() => {
          selectors?.begin();
          failurePolicies?.begin();
        });
      else failurePolicies?.end();
    },
    rejected(problems) {
      const own = store.lookup(ownNamespace);
      const message = `${problems.map((one) => formatProblem(one)).join('\n')}\nthe settings and tenants before stay in force`;
      if (own !== undefined) events?.record(own, 'ConfigurationRejected', message, hashed(message));
    },
    settingsChanged: (settings) => tenants?.settingsChanged(settings) ?? [],
    counters: () => ({
      watches: [...watches, ...(certificates?.watches ?? [])].map(([resource, watch]) => ({
        resource,
        ...watch.counters(),
        stalenessMilliseconds: watch.staleness(),
      })),
      baselines: baselines?.counters(),
      tenantStatus: tenantStatus?.counters(),
      storedPolicies: storedPolicies.counters(),
      observations: observations?.counters(),
      requests: requests.counters(),
      failurePolicy: failurePolicies?.counters(),
      certificates: certificates?.counters(),
    }),
    async stop() {
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
      tenants?.stop();
      exemptions?.stop();
      gateRequests?.stop();
      await tenantStatus?.stop();
      await exemptionStatus?.stop();
      await unreadObjects?.stop();
      await gateRequestStatus?.stop();
      await baselines?.stop();
      await storedPolicies.stop();
      await observations?.stop();
      await selectors?.stop();
      await failurePolicies?.stop();
      await certificates?.stop();
      connection.close();
    },
  };
}
