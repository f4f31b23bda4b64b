/** What is known of the cluster and done in it, for Prometheus. No label names a tenant or a namespace (SRV-15). */
import type { Registry } from 'prom-client';
import type { Cluster, ClusterCounters } from '../cluster/cluster.ts';
import { registerCertificateMetrics, registerConfigurationMetrics } from './configuration-metrics.ts';
import { type Register, registerOf } from './metric-register.ts';

export function registerClusterMetrics(registry: Registry, cluster: Pick<Cluster, 'counters'>): void {
  const register = registerOf(registry, cluster);
  registerWatchMetrics(register);
  register.each(
    'policies_noncompliant',
    'Stored policies that would be rejected today, by the mode of their tenant, when all were last read. The log and an Event name them.',
    'mode',
    ({ storedPolicies }) => Object.entries(storedPolicies.nonCompliant ?? {}),
  );
  register.each(
    'policies_crossing',
    'Stored policies that open a crossing between tenants that no gate or shared service agrees on, by direction, when all were last read.',
    'direction',
    ({ storedPolicies }) => Object.entries(storedPolicies.crossing ?? {}),
  );
  register.each(
    'tenant_namespaces',
    'Namespaces of tenants by the directions in which a policy isolates all their pods: both, ingress, egress, none. The default-deny policy of Bulkhead counts at once, others when all were last read.',
    'isolation',
    ({ storedPolicies }) => Object.entries(storedPolicies.isolation() ?? {}),
  );
  register.each('tenants', 'Tenants by mode.', 'mode', ({ tenants }) => Object.entries(tenants().modes));
  register.each(
    'gates',
    'Halves of gates that tenants declare or request, by state: Open, HalfOpen (the other half is missing), Mismatched (it is for other ports), Expired.',
    'state',
    ({ tenants }) => Object.entries(tenants().gates),
  );
  register.each(
    'policy_readings_total',
    'How often all stored policies were read and judged again: completed, failed (tried again).',
    'result',
    ({ storedPolicies }) => Object.entries(storedPolicies.readings),
  );
  register.each(
    'live_requests',
    'GETs to the API server that reviews wait for now: in-flight, or waiting in the queue of their namespace.',
    'state',
    ({ requests }) => Object.entries({ 'in-flight': requests.inFlight, waiting: requests.waiting }),
  );
  register.each(
    'live_requests_total',
    'GETs that reviews needed: sent to the API server, joined to an equal one in the queue, or refused with 503 because the queue of the namespace was full.',
    'result',
    ({ requests }) => Object.entries(requests.asked),
  );
  register.each(
    'layer_comparisons_total',
    'Written policies that were compared with a live list: their namespace for layers 4 and 7, their kind for priorities. listed; or skipped: late, busy (others list), often (a tenant lists too much), large (the namespace holds too much), failed.',
    'result',
    ({ beside }) => [['listed', beside.listed], ...Object.entries(beside.skipped)],
  );
  const { baselines, borders, failurePolicy, certificates } = cluster.counters();
  if (baselines !== undefined) registerBaselineMetrics(register);
  if (borders !== undefined) registerBorderMetrics(register);
  if (failurePolicy !== undefined) registerConfigurationMetrics(register);
  if (certificates !== undefined) registerCertificateMetrics(register);
}

function registerWatchMetrics(register: Register): void {
  const each = (name: string, help: string, figure: (watch: ClusterCounters['watches'][number]) => number): void =>
    register.each(`watch_${name}`, help, 'resource', ({ watches }) =>
      watches.map((watch) => [watch.resource, figure(watch)] as const),
    );
  each('objects', 'Objects in the cache.', ({ objects }) => objects);
  each(
    'staleness_seconds',
    'Age of the cache: the time since the last list, change or bookmark. A healthy watch gets one every minute.',
    ({ stalenessMilliseconds }) => stalenessMilliseconds / 1000,
  );
  each('lists_total', 'Lists that were begun.', ({ lists }) => lists);
  each('watches_total', 'Watches that were begun.', ({ watches }) => watches);
  each('failures_total', 'Lists and watches that failed; each is tried again.', ({ failures }) => failures);
  each(
    'handler_errors_total',
    'Changes that could not be handled. Anything but 0 is a defect.',
    ({ handlerErrors }) => handlerErrors,
  );
}

function registerBaselineMetrics(register: Register): void {
  register.each(
    'baseline_objects_total',
    'Managed objects: applied, healed after another client had deleted or changed them, pruned, failed (tried again).',
    'result',
    ({ baselines }) => {
      if (baselines === undefined) return [];
      const { applied, healed, pruned, failed } = baselines.baseline;
      return Object.entries({ applied, healed, pruned, failed });
    },
  );
  register.one(
    'baseline_waiting_namespaces',
    'Namespaces that wait for their baseline.',
    ({ baselines }) => baselines?.baseline.waiting,
  );
  register.one(
    'baseline_longest_wait_seconds',
    'How long the first of these namespaces has waited. More than a few seconds: something keeps baselines from being applied.',
    ({ baselines }) => baselines && baselines.baseline.longestWaitMilliseconds / 1000,
  );
  register.one(
    'baseline_withheld_namespaces',
    'Namespaces that are not isolated because their tenant is in mode audit or warn.',
    ({ baselines }) => baselines?.baseline.withheld,
  );
  register.one(
    'baseline_conflicting_objects',
    'Managed objects that another client has changed or deleted again and again in the last minutes: a replica with different settings, or a person. The log and an Event name the last writer.',
    ({ baselines }) => baselines?.baseline.conflicts,
  );
  register.one(
    'pods_held',
    'Pods that wait until their namespace is isolated.',
    ({ baselines }) => baselines?.holds.waiting,
  );
  register.each(
    'pods_held_total',
    'Pods that had to wait: until it was isolated, until the wait was ended, or refused at once because too many waited.',
    'result',
    ({ baselines }) => Object.entries(baselines?.holds.held ?? {}),
  );
  register.each(
    'events_total',
    'Events about namespaces: written, suppressed as too many, failed.',
    'result',
    ({ baselines, storedPolicies, failurePolicy, observations }) =>
      [baselines?.events, storedPolicies.events, failurePolicy?.events, observations].flatMap((events) =>
        Object.entries(events ?? {}),
      ),
  );
}

/** Of network.clusterPolicy. */
function registerBorderMetrics(register: Register): void {
  register.each(
    'border_tenants',
    'Tenants by the state of their border in the network: InPlace, Pending, Withheld, NotServed, NameTaken, Failed. No value without network.clusterPolicy.',
    'state',
    ({ borders }) => (borders?.wanted === true ? Object.entries(borders.tenants) : []),
  );
  register.each(
    'border_objects_total',
    'ClusterNetworkPolicies of borders: applied, healed after another client had deleted or changed them, pruned, failed (tried again).',
    'result',
    ({ borders }) => {
      if (borders === undefined) return [];
      const { applied, healed, pruned, failed } = borders;
      return Object.entries({ applied, healed, pruned, failed });
    },
  );
  register.one(
    'border_conflicting_objects',
    'ClusterNetworkPolicies of borders that another client has changed or deleted again and again in the last minutes.',
    ({ borders }) => borders?.conflicts,
  );
}
