import type { RequestCounters } from '../client/fair-requests.ts';
import type { WatchCounters } from '../client/list-watch.ts';
import type { CertificateCounters } from '../configuration/certificates.ts';
import type { FailurePolicyCounters } from '../configuration/failure-policy.ts';
import type { ListCounters } from '../facts/bounded-lists.ts';
import type { BaselinesCounters } from '../reconcile/baselines.ts';
import type { BorderCounters } from '../reconcile/data-plane-borders.ts';
import type { TenantCounts } from '../reconcile/isolation-count.ts';
import type { EventCounters } from '../reconcile/namespace-events.ts';
import type { StatusCounters } from '../reconcile/status-writer.ts';
import type { StoredPolicyCounters } from '../reconcile/stored-policies.ts';

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
