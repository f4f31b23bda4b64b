/** A cluster that is followed, asked, and reconciled: what it is given, what it offers, and what it counts. */
import type { Observed } from '../admission/admission.ts';
import type { BesideSource } from '../admission/beside.ts';
import type { BaselineSource, NamespaceSource, TenancySource } from '../admission/facts.ts';
import type { Clock } from '../client/clock.ts';
import type { RequestCounters } from '../client/fair-requests.ts';
import type { WatchCounters } from '../client/list-watch.ts';
import type { Log } from '../client/log.ts';
import type { CertificateCounters, ReplicaCertificates } from '../configuration/certificates.ts';
import type { FailurePolicyCounters } from '../configuration/failure-policy.ts';
import type { VouchedPair } from '../configuration/file-certificates.ts';
import type { CertificateSource } from '../configuration/own-configurations.ts';
import type { ListCounters } from '../facts/bounded-lists.ts';
import type { BaselinesCounters } from '../reconcile/baselines.ts';
import type { BorderCounters } from '../reconcile/data-plane-borders.ts';
import type { TenantCounts } from '../reconcile/isolation-count.ts';
import type { EventCounters } from '../reconcile/namespace-events.ts';
import type { TenantObjects } from '../reconcile/own-objects.ts';
import type { StatusCounters } from '../reconcile/status-writer.ts';
import type { StoredPolicyCounters } from '../reconcile/stored-policies.ts';
import type { Problem } from '../tenancy/problem.ts';
import type { Settings } from '../tenancy/settings.ts';

export interface ClusterOptions {
  /** A kubeconfig file; without one, the account of the pod. */
  readonly kubeconfig?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly tenancy: TenancySource | TenantObjects;
  /** Whether baselines, Events and status are written. */
  readonly reconcile: boolean;
  /** Whether Bulkhead manages its webhook configurations: failurePolicy, CA bundle and path. Default: no. */
  readonly managesWebhooks?: boolean;
  /** With `managesWebhooks`: where the certificates come from whose authority is written into the configurations. */
  readonly certificates?: CertificateSource | undefined;
  readonly clock?: Clock;
}

export interface Cluster {
  readonly namespaces: NamespaceSource;
  /** Lists for hints. */
  readonly beside: BesideSource;
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
  /** Where tenants are objects: what these settings count on and the API server does not serve. */
  problemsOf(settings: Settings): readonly Problem[];
  /** Where tenants are objects: puts settings in force, or says why they do not go together with the tenants. */
  settingsChanged(settings: Settings): readonly Problem[];
  /** Reviews are answered from now on, or will soon not be any more. */
  serving(serves: boolean): void;
  counters(): ClusterCounters;
  stop(): Promise<void>;
}

/** What the parts of a cluster count, for the metrics. */
export interface ClusterCounters {
  readonly watches: readonly (WatchCounters & {
    readonly resource: string;
    /** Since the API server was last heard; infinite before it first was. */
    readonly stalenessMilliseconds: number;
  })[];
  /** Undefined where nothing is reconciled. */
  readonly baselines: BaselinesCounters | undefined;
  /** Undefined where nothing is reconciled. */
  readonly borders: BorderCounters | undefined;
  /** Undefined where tenants are not objects, and where nothing is written. */
  readonly tenantStatus: StatusCounters | undefined;
  readonly storedPolicies: StoredPolicyCounters;
  /** Looks at each tenant. */
  readonly tenants: () => TenantCounts;
  /** Of Events about requests that would be refused. Undefined where nothing is written. */
  readonly observations: EventCounters | undefined;
  /** The GETs of the request path. */
  readonly requests: RequestCounters;
  /** The lists for hints. */
  readonly beside: ListCounters;
  /** Undefined where Bulkhead does not manage its webhook configurations. */
  readonly failurePolicy: FailurePolicyCounters | undefined;
  /** Undefined where Bulkhead does not write CA bundles. */
  readonly certificates: CertificateCounters | undefined;
}
