/** How far namespaces are isolated, and tenants are: what the metrics count. */
import type { NamespaceRecord } from '../admission/facts.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Mode } from '../tenancy/tenant.ts';
import { type GateStatus, gateStatuses } from './gate-status.ts';

export const isolationStates = ['both', 'ingress', 'egress', 'none'] as const;
export type IsolationState = (typeof isolationStates)[number];
export type IsolationCounts = Readonly<Record<IsolationState, number>>;

/** What is known of tenants as a whole. */
export interface TenantCounts {
  readonly modes: Readonly<Record<Mode, number>>;
  /** Halves of gates: each side of an open gate counts. */
  readonly gates: Readonly<Record<Exclude<GateStatus['state'], 'Asked'>, number>>;
}

/** By the bits of kinds/isolated-by.ts. */
const byBits = ['none', 'ingress', 'egress', 'both'] as const;

/**
 * @param isolated by the name of a namespace: what the policies that were read do
 * @param hasDefaultDeny whether the one that Bulkhead keeps is there
 */
export function countIsolation(
  namespaces: Iterable<NamespaceRecord>,
  tenancy: Tenancy,
  isolated: (namespace: string) => number,
  hasDefaultDeny: (namespace: NamespaceRecord) => boolean,
): IsolationCounts {
  const counts = { both: 0, ingress: 0, egress: 0, none: 0 };
  for (const namespace of namespaces) {
    if (namespace.terminating || tenancy.ownerByLabels(namespace.labels) === 'platform') continue;
    const state = hasDefaultDeny(namespace) ? 'both' : byBits[isolated(namespace.name)];
    counts[state ?? 'none']++;
  }
  return counts;
}

/** @param now milliseconds since the epoch */
export function countTenants(tenancy: Tenancy, now: number): TenantCounts {
  const modes = { enforce: 0, warn: 0, audit: 0 };
  const gates = { Open: 0, HalfOpen: 0, Mismatched: 0, Expired: 0 };
  for (const tenant of tenancy.tenants.values()) {
    modes[tenant.mode]++;
    for (const { state } of gateStatuses(tenant, tenancy, now)) if (state !== 'Asked') gates[state]++;
  }
  return { modes, gates };
}
