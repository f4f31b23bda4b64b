/** What is known of the cluster and done in it, for Prometheus. No label names a tenant or a namespace (SRV-15). */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Cluster, ClusterCounters } from '../cluster.ts';
import type { RegistrationCounters } from '../configuration/registration.ts';

interface Reading {
  /** Values of the label, where there is one. */
  readonly label?: string;
  readonly value: number;
}

/** Read when they are scraped, from counters that are kept anyway. What only grows ends in `_total`. */
export function registerClusterMetrics(registry: Registry, cluster: Pick<Cluster, 'counters'>): void {
  const register: Register = (name, help, label, read) => {
    const readings = () => read(cluster.counters());
    const labelNames = label === undefined ? [] : [label];
    const labelsOf = ({ label: value }: Reading): Record<string, string> =>
      label === undefined || value === undefined ? {} : { [label]: value };
    const common = { name: `bulkhead_${name}`, help, labelNames, registers: [registry] };
    const metric: Counter | Gauge = new (name.endsWith('_total') ? Counter : Gauge)({
      ...common,
      collect() {
        const found = readings();
        // What is not known now keeps its last value.
        if (found.length > 0) metric.reset();
        for (const reading of found) metric.inc(labelsOf(reading), reading.value);
      },
    });
  };

  const watched = (name: string, help: string, figure: (watch: ClusterCounters['watches'][number]) => number): void =>
    register(`watch_${name}`, help, 'resource', ({ watches }) =>
      watches.map((watch) => ({ label: watch.resource, value: figure(watch) })),
    );
  watched('objects', 'Objects in the cache.', ({ objects }) => objects);
  watched(
    'staleness_seconds',
    'Age of the cache: the time since the last list, change or bookmark. A healthy watch gets one every minute.',
    ({ stalenessMilliseconds }) => stalenessMilliseconds / 1000,
  );
  watched('lists_total', 'Lists that were begun.', ({ lists }) => lists);
  watched('watches_total', 'Watches that were begun.', ({ watches }) => watches);
  watched('failures_total', 'Lists and watches that failed; each is tried again.', ({ failures }) => failures);
  watched(
    'handler_errors_total',
    'Changes that could not be handled. Anything but 0 is a defect.',
    (watch) => watch.handlerErrors,
  );

  register(
    'policies_noncompliant',
    'Stored policies that would be rejected today, by the mode of their tenant, when all were last read. The log and an Event name them.',
    'mode',
    ({ storedPolicies }) =>
      Object.entries(storedPolicies.nonCompliant ?? {}).map(([label, value]) => ({ label, value })),
  );
  register(
    'policy_readings_total',
    'How often all stored policies were read and judged again: completed, failed (tried again).',
    'result',
    ({ storedPolicies }) => Object.entries(storedPolicies.readings).map(([label, value]) => ({ label, value })),
  );
  register(
    'live_requests',
    'GETs to the API server that reviews wait for now: in-flight, or waiting in the queue of their namespace.',
    'state',
    ({ requests }) => [
      { label: 'in-flight', value: requests.inFlight },
      { label: 'waiting', value: requests.waiting },
    ],
  );
  register(
    'live_requests_total',
    'GETs that reviews needed: sent to the API server, joined to an equal one in the queue, or refused with 503 because the queue of the namespace was full.',
    'result',
    ({ requests }) => Object.entries(requests.asked).map(([label, value]) => ({ label, value })),
  );
  if (cluster.counters().baselines !== undefined) registerBaselineMetrics(register);
  if (cluster.counters().registration !== undefined) registerRegistrationMetrics(register);
  if (cluster.counters().certificates !== undefined) registerCertificateMetrics(register);
}

type Register = (
  name: string,
  help: string,
  label: string | undefined,
  read: (counters: ClusterCounters) => readonly Reading[],
) => void;

/** Where registrations are completed. */
function registerCertificateMetrics(register: Register): void {
  const phases = ['steady', 'publishing', 'overlap'] as const;
  register(
    'certificate_in_ca_bundle',
    'Whether the CA bundle of every webhook configuration has the authority of the certificate that is served (1), or not (0).',
    undefined,
    ({ certificates }) => (certificates?.trusted === undefined ? [] : [{ value: certificates.trusted ? 1 : 0 }]),
  );
  register(
    'ca_bundle_writes_total',
    'Writes of the CA bundle to webhook configurations: written, failed (tried again).',
    'result',
    ({ certificates }) =>
      (['written', 'failed'] as const).map((label) => ({ label, value: certificates?.trust[label] ?? 0 })),
  );
  const rotation = (
    read: (figures: NonNullable<NonNullable<ClusterCounters['certificates']>['rotation']>) => readonly Reading[],
  ) => {
    return ({ certificates }: ClusterCounters) =>
      certificates?.rotation === undefined ? [] : read(certificates.rotation);
  };
  register(
    'certificate_rotation_phase',
    'Phase of the replacement of the authority: 1 for steady, publishing (its successor is added to the CA bundles) or overlap (the previous one is still in them).',
    'phase',
    rotation(({ phase }) => phases.map((label) => ({ label, value: label === phase ? 1 : 0 }))),
  );
  register(
    'certificate_authority_expiry_seconds',
    'Seconds until the authority in the Secret expires; negative afterwards. It is replaced at two thirds of its life.',
    undefined,
    rotation(({ authorityExpiry }) =>
      authorityExpiry === undefined ? [] : [{ value: (authorityExpiry - Date.now()) / 1000 }],
    ),
  );
  register(
    'certificate_writes_total',
    'Writes of certificates to the Secret: written, failed (tried again).',
    'result',
    rotation((figures) => (['written', 'failed'] as const).map((label) => ({ label, value: figures[label] }))),
  );
}

/** Where baselines are put in place. */
function registerBaselineMetrics(register: Register): void {
  const results = ['applied', 'healed', 'pruned', 'failed'] as const;
  register(
    'baseline_objects_total',
    'Managed objects: applied, healed after another client had deleted or changed them, pruned, failed (tried again).',
    'result',
    ({ baselines }) => results.map((label) => ({ label, value: baselines?.baseline[label] ?? 0 })),
  );
  const now = (
    name: string,
    help: string,
    read: (counters: NonNullable<ClusterCounters['baselines']>) => number,
  ): void =>
    register(name, help, undefined, ({ baselines }) => (baselines === undefined ? [] : [{ value: read(baselines) }]));
  now('baseline_waiting_namespaces', 'Namespaces that wait for their baseline.', ({ baseline }) => baseline.waiting);
  now(
    'baseline_longest_wait_seconds',
    'How long the first of these namespaces has waited. More than a few seconds: something keeps baselines from being applied.',
    ({ baseline }) => baseline.longestWaitMilliseconds / 1000,
  );
  now(
    'baseline_withheld_namespaces',
    'Namespaces that are not isolated because their tenant is in mode audit or warn.',
    ({ baseline }) => baseline.withheld,
  );
  now(
    'baseline_conflicting_objects',
    'Managed objects that another client has changed or deleted again and again in the last minutes: a replica with different settings, or a person. The log and an Event name the last writer.',
    ({ baseline }) => baseline.contested,
  );
  now('pods_held', 'Pods that wait until their namespace is isolated.', ({ holds }) => holds.waiting);
  register(
    'pods_held_total',
    'Pods that had to wait: until it was isolated, until the wait was ended, or refused at once because too many waited.',
    'result',
    ({ baselines }) => Object.entries(baselines?.holds.held ?? {}).map(([label, value]) => ({ label, value })),
  );
  register(
    'events_total',
    'Events about namespaces: written, suppressed as too many, failed.',
    'result',
    ({ baselines, storedPolicies, registration }) =>
      [baselines?.events, storedPolicies.events, registration?.events].flatMap((events) =>
        Object.entries(events ?? {}).map(([label, value]) => ({ label, value })),
      ),
  );
}

/** Where the webhook configurations are looked after. */
function registerRegistrationMetrics(register: Register): void {
  const each = (
    name: string,
    help: string,
    is: (one: RegistrationCounters['configurations'][number]) => boolean,
  ): void =>
    register(name, help, 'configuration', ({ registration }) =>
      (registration?.configurations ?? []).map((one) => ({ label: one.name, value: is(one) ? 1 : 0 })),
    );
  each(
    'webhook_configuration_present',
    'Whether a webhook configuration of Bulkhead exists.',
    ({ present }) => present,
  );
  each(
    'webhook_configuration_failure_policy_fail',
    'Whether its failurePolicy is Fail. validating/bulkhead-workloads only warns and stays at 0; another one at 0 enforces nothing while Bulkhead cannot be reached.',
    ({ closed }) => closed,
  );
  register(
    'probes_total',
    'Writes that Bulkhead must refuse, sent through the API server: proven (Bulkhead refused it), admitted, refused by another webhook or policy, failed without an answer.',
    'result',
    ({ registration }) => Object.entries(registration?.handshakes ?? {}).map(([label, value]) => ({ label, value })),
  );
  const rules = (name: string, help: string, read: (counters: RegistrationCounters) => number): void =>
    register(name, help, undefined, ({ registration }) =>
      registration === undefined ? [] : [{ value: read(registration) }],
    );
  rules(
    'webhook_configuration_unknown_rules',
    'Entries in the rules of the webhook configurations that the API server does not serve, such as a misspelt subresource. The log names them.',
    (counters) => counters.rules.unknown,
  );
  rules(
    'webhook_configuration_missing_rules',
    'Resources that Bulkhead must review and that no rule names. The log names them.',
    (counters) => counters.rules.missing,
  );
}
