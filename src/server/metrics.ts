/** What the webhook counts, for Prometheus. Every label has a fixed, small set of values, and none names a tenant (SRV-15). */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Decision } from '../admission/decision.ts';
import { kindNames } from '../kinds/kind-names.ts';
import { type Refusal, refusals } from './refusals.ts';
import { ReviewDurations } from './review-durations.ts';

/** The decision's own words where they are of these or a kind of the table, else `other`: they come from the request, and a forged one may say anything. */
const operations: ReadonlySet<string> = new Set(['CREATE', 'UPDATE', 'DELETE']);

/** How often event-loop delay is sampled, in milliseconds. The default of 10 wakes an idle process a hundred times a second. */
const eventLoopSampling = 100;

export interface Metrics {
  readonly registry: Registry;
  /** @param seconds from the arrival of the request's headers to its answer */
  reviewed(decision: Decision, seconds: number): void;
  refused(reason: Refusal): void;
  inFlight(count: number): void;
  /** @param expires of the certificate that is served, milliseconds since the epoch */
  serving(expires: number): void;
  /** @param count of what is wrong with the tenants and settings that were read last, and so did not replace the good ones */
  tenancyProblems(count: number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopSampling });
  const registers = [registry];

  const reviews = tally(registry, {
    name: 'bulkhead_reviews_total',
    help: 'Admission reviews answered, by kind, operation and result.',
    labelNames: ['phase', 'kind', 'operation', 'allowed', 'code'],
  });
  const findings = tally(registry, {
    name: 'bulkhead_findings_total',
    help: 'Reviews in which a check found something, by the mode of the tenant, or observe: findings about a border are refused in enforce alone.',
    labelNames: ['check', 'mode'],
  });
  const exemptions = tally(registry, {
    name: 'bulkhead_exemptions_used_total',
    help: 'Reviews in which an exemption covered what a check found. The log and the audit log name the exemption.',
    labelNames: ['check'],
  });
  const refused = new Counter({
    name: 'bulkhead_requests_refused_total',
    help: 'Requests that were not judged: overloaded, no-room and late (503), displaced and slow-body (503; their bodies were incomplete), too-large (413; by their bytes, or by what they become in memory), aborted by the client, failed (500), no-certificate (401) and other-client (403) where clients are checked. Late ones of at most 1 MiB are answered, and counted, as reviews too.',
    labelNames: ['reason'],
    registers,
  });
  // From the start: Prometheus sees no increase in a series that begins with 1.
  for (const reason of Object.keys(refusals)) refused.inc({ reason }, 0);
  const durations = new ReviewDurations(registry);
  let reading = 0;
  new Gauge({
    name: 'bulkhead_requests_in_flight',
    help: 'Requests that are complete and wait for their answer.',
    registers,
    collect() {
      this.set(reading);
    },
  });
  const problems = new Gauge({
    name: 'bulkhead_tenancy_reload_problems',
    help: 'Problems in the tenants, settings and namespaces that were read last; above zero, older ones are in force.',
    registers,
  });
  let servingUntil: number | undefined;
  new Gauge({
    name: 'bulkhead_tls_certificate_expiry_seconds',
    help: 'Seconds until the certificate that is served expires; negative afterwards.',
    registers,
    collect() {
      if (servingUntil === undefined) this.remove();
      else this.set(Math.round((servingUntil - Date.now()) / 1000));
    },
  });

  return {
    registry,
    reviewed({ phase, kind, operation, allowed, code, mode, checks, exempted }, seconds) {
      const knownKind = kindNames.has(kind) ? kind : 'other';
      const knownOperation = operations.has(operation) ? operation : 'other';
      reviews.at(phase).at(knownKind).at(knownOperation).at(allowed).at(code).count++;
      for (const check of checks) findings.at(check).at(mode).count++;
      // Phase warn speaks of pods that are yet to come.
      if (phase === 'validate') for (const check of exempted) exemptions.at(check).count++;
      durations.add(phase, seconds);
    },
    refused(reason) {
      refused.inc({ reason });
    },
    inFlight(count) {
      reading = count;
    },
    serving(expires) {
      servingUntil = expires;
    },
    tenancyProblems(count) {
      problems.set(count);
    },
  };
}

/**
 * A count for each combination of label values, one level of maps for each label. prom-client's own counting sorts, checks and joins the
 * labels every time, and one key for all of them would be put together and hashed every time: 3,400 instructions, against 900.
 */
class Tally {
  count = 0;
  readonly #inner = new Map<string | number | boolean, Tally>();

  at(value: string | number | boolean): Tally {
    let inner = this.#inner.get(value);
    if (inner === undefined) {
      inner = new Tally();
      this.#inner.set(value, inner);
    }
    return inner;
  }

  *all(values: readonly string[] = []): Generator<{ readonly values: readonly string[]; readonly count: number }> {
    if (this.count > 0) yield { values, count: this.count };
    for (const [value, inner] of this.#inner) yield* inner.all([...values, String(value)]);
  }
}

/** Counts are passed to prom-client only when the metrics are read. */
function tally(registry: Registry, options: { name: string; help: string; labelNames: string[] }): Tally {
  const counted = new Tally();
  new Counter({
    ...options,
    registers: [registry],
    collect() {
      this.reset();
      for (const { values, count } of counted.all()) this.labels(...values).inc(count);
    },
  });
  return counted;
}
