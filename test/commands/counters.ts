/** Figures of a cluster, each different, so that none is taken for another. */
import type { ClusterCounters } from '../../src/cluster/cluster.ts';

const watch = {
  resource: 'namespaces',
  objects: 7,
  lists: 2,
  watches: 3,
  failures: 1,
  handlerErrors: 0,
  stalenessMilliseconds: 1500,
};
export const baselines: NonNullable<ClusterCounters['baselines']> = {
  baseline: {
    applied: 5,
    healed: 4,
    pruned: 3,
    failed: 2,
    waiting: 1,
    longestWaitMilliseconds: 2500,
    withheld: 6,
    conflicts: 13,
  },
  events: { written: 8, suppressed: 9, failed: 0 },
  holds: { waiting: 2, held: { isolated: 10, ended: 11, refused: 12 } },
};

const storedPolicies: ClusterCounters['storedPolicies'] = {
  nonCompliant: { enforce: 14, warn: 15, audit: 16 },
  crossing: { ingress: 53, egress: 54 },
  isolation: () => ({ both: 55, ingress: 56, egress: 57, none: 58 }),
  readings: { completed: 17, failed: 18 },
  events: { written: 19, suppressed: 20, failed: 21 },
};

export const failurePolicy: NonNullable<ClusterCounters['failurePolicy']> = {
  configurations: [
    { name: 'validating/bulkhead', present: true, fails: true },
    { name: 'validating/bulkhead-workloads', present: true, fails: false },
    { name: 'mutating/bulkhead', present: false, fails: false },
  ],
  wantsFail: true,
  probes: { proven: 22, admitted: 23, refused: 24, failed: 25 },
  rules: { unknown: 26, missing: 28 },
  events: { written: 30, suppressed: 31, failed: 32 },
};

export const certificates: NonNullable<ClusterCounters['certificates']> = {
  rotation: { phase: 'publishing', authorityExpiry: 0, written: 33, failed: 34 },
  caBundles: { written: 35, failed: 36 },
  inBundles: true,
};

export const borders: NonNullable<ClusterCounters['borders']> = {
  ...{ applied: 42, healed: 43, pruned: 44, failed: 45, conflicts: 46, wanted: true, served: true },
  tenants: { InPlace: 47, Pending: 48, Withheld: 49, NotServed: 50, NameTaken: 51, Failed: 52 },
};

export const counters: ClusterCounters = {
  watches: [watch],
  baselines,
  tenantStatus: undefined,
  storedPolicies,
  tenants: () => ({
    modes: { enforce: 59, warn: 60, audit: 61 },
    gates: { Open: 62, HalfOpen: 63, Mismatched: 64, Expired: 65 },
  }),
  observations: undefined,
  requests: { inFlight: 37, waiting: 38, asked: { sent: 39, joined: 40, refused: 41 } },
  beside: { listed: 53, skipped: { late: 54, busy: 55, often: 56, large: 57, failed: 58 } },
  failurePolicy,
  certificates,
  borders,
};
