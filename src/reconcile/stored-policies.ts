/**
 * Judges stored policies again. What was admitted under a gate, a prefix or a range stays as it is when that is given up. Such a policy
 * would be rejected today, and is reported as non-compliant: in the log, in the metrics, and in an Event.
 *
 * The policies of tenants are many, so none is kept. All are read page by page when tenants or settings change, when a gate expires,
 * and every ten minutes while some are non-compliant, so that corrections are seen. One reading at a time, and a rest after each of at least
 * nineteen times as long as it took, within bounds: reading takes about a twentieth of the time at most.
 */
import type { NamespaceSource, TenancySource } from '../admission/facts.ts';
import { judgeStoredPolicy, type NonCompliantPolicy } from '../admission/stored-policy.ts';
import { fullJitter, reconnectBackoff } from '../client/backoff.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { describe, type Failure } from '../client/failure.ts';
import type { Log } from '../client/log.ts';
import { readPages } from '../client/paged-list.ts';
import type { NetworkPolicy } from '../kubernetes/objects.ts';
import type { Mode } from '../tenancy/tenant.ts';
import type { EventCounters, NamespaceEvents } from './namespace-events.ts';

export interface StoredPolicyCounters {
  /** Their number, by the mode of their tenant, as of the last whole reading; undefined before the first. */
  readonly nonCompliant: Readonly<Record<Mode, number>> | undefined;
  /** Since the start; one that failed is tried again. */
  readonly readings: { readonly completed: number; readonly failed: number };
  /** Undefined where nothing is written. */
  readonly events: EventCounters | undefined;
}

export interface StoredPolicies {
  /** Tenants and namespaces are known: from now on policies are read. */
  begin(): void;
  /** Tenants, settings, or whose a namespace is, have changed. */
  changed(): void;
  counters(): StoredPolicyCounters;
  /** Resolves when nothing is read or written any more. */
  stop(): Promise<void>;
}

export interface StoredPolicyOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly tenancy: TenancySource;
  readonly namespaces: Pick<NamespaceSource, 'lookup'>;
  /** Of their own, so that many of these leave room for those about baselines. Undefined where nothing is written. */
  readonly events: NamespaceEvents | undefined;
}

export const policiesPath = '/apis/networking.k8s.io/v1/networkpolicies';

/** Milliseconds. Changes come in crowds; spread, so that replicas do not all read in one instant. */
const settling = { least: 300, most: 1_500 };
const rest = { times: 19, least: 2_000, most: 600_000, mostAfterFailure: 60_000 };
const repeatAfter = 600_000;
/** A timer takes at most 2^31 ms, and the wall clock may be set meanwhile: what is further off is looked at again. */
const longestTimer = 3_600_000;
/** The log shows so many non-compliant policies one by one, and the number of the others. */
const maxLogged = 100;

export function createStoredPolicies(options: StoredPolicyOptions): StoredPolicies {
  const { connection, clock, log, wallClock, tenancy, events } = options;
  const stopping = new AbortController();
  const readings = { completed: 0, failed: 0 };
  let nonCompliant: StoredPolicyCounters['nonCompliant'];
  /** The uids of those that were logged already and were still non-compliant in the last reading. */
  let logged: ReadonlySet<string> = new Set();
  let begun = false;
  let stale = true;
  /** The moment as of which policies were last judged, by the wall clock. */
  let judgedAt = Number.NEGATIVE_INFINITY;
  let restUntil = Number.NEGATIVE_INFINITY;
  let repeatAt = Number.POSITIVE_INFINITY;
  let failures = 0;
  let reading: Promise<void> | undefined;
  let timer: { readonly at: number; readonly cancel: () => void } | undefined;

  /** Milliseconds until policies must be read again, whatever changes. */
  function due(): number {
    if (stale) return 0;
    let wait = repeatAt - clock.now();
    for (const { network } of tenancy().tenants.values())
      for (const { expires } of network.gates)
        if (expires !== undefined && expires > judgedAt) wait = Math.min(wait, expires - wallClock());
    return Math.max(0, wait);
  }

  function arm(): void {
    if (!begun || reading !== undefined || stopping.signal.aborted) return;
    const spread = settling.least + clock.random() * (settling.most - settling.least);
    const wait = Math.min(longestTimer, Math.max(due() + spread, restUntil - clock.now()));
    const at = clock.now() + wait;
    if (timer !== undefined && timer.at <= at) return;
    timer?.cancel();
    timer = { at, cancel: clock.after(wait, wake) };
  }

  function wake(): void {
    timer = undefined;
    if (due() === 0)
      reading = read().finally(() => {
        reading = undefined;
        arm();
      });
    else arm();
  }

  async function read(): Promise<void> {
    stale = false;
    judgedAt = wallClock();
    const began = clock.now();
    const found = createFindings(options, logged, judgedAt);
    const result = await readPages({ connection, path: policiesPath, clock }, found.see, stopping.signal);
    if (stopping.signal.aborted) return;
    const took = clock.now() - began;
    const resting = Math.min(rest.most, Math.max(rest.least, took * rest.times));
    if (!result.ok) {
      stale = true;
      restUntil = clock.now() + Math.max(waitAfter(result), Math.min(rest.mostAfterFailure, resting));
      return;
    }
    restUntil = clock.now() + resting;
    failures = 0;
    readings.completed++;
    const { seen, counts, logged: now } = found.end();
    nonCompliant = counts;
    logged = now;
    const all = counts.enforce + counts.warn + counts.audit;
    repeatAt = all > 0 ? clock.now() + repeatAfter : Number.POSITIVE_INFINITY;
    const more = all > logged.size ? { notShown: all - logged.size } : {};
    log.info({ policies: seen, nonCompliant: all, ...more }, 'the stored policies were judged again');
  }

  function waitAfter(failure: Failure): number {
    readings.failed++;
    const asked = failure.kind === 'refused' ? (failure.retryAfter ?? 0) : 0;
    const wait = Math.max(asked, fullJitter(reconnectBackoff, failures++, clock));
    log.warn({ failure: describe(failure) }, 'the stored policies could not all be read, and are read again');
    return wait;
  }

  return {
    begin() {
      begun = true;
      arm();
    },
    changed() {
      stale = true;
      arm();
    },
    counters: () => ({ nonCompliant, readings: { ...readings }, events: events?.counters() }),
    async stop() {
      stopping.abort();
      timer?.cancel();
      await reading;
      await events?.stop();
    },
  };
}

interface Findings {
  see(policy: { readonly metadata: { readonly uid: string }; readonly object: NetworkPolicy }): void;
  end(): { seen: number; counts: Readonly<Record<Mode, number>>; logged: ReadonlySet<string> };
}

/** What one reading finds: a namespace's policies come one after the other, and its Event goes out behind the last of them. */
function createFindings(
  { tenancy: current, namespaces, log, events }: StoredPolicyOptions,
  before: ReadonlySet<string>,
  now: number,
): Findings {
  const tenancy = current();
  const counts = { enforce: 0, warn: 0, audit: 0 };
  const logged = new Set<string>();
  let seen = 0;
  let first: NonCompliantPolicy | undefined;
  let others = 0;

  function recordEvent(): void {
    const namespace = first && namespaces.lookup(first.namespace);
    // Mode audit reports to the platform alone.
    if (first !== undefined && namespace !== undefined && first.tenant.mode !== 'audit')
      events?.record(namespace, 'PolicyNonCompliant', messageOf(first, others));
    first = undefined;
    others = 0;
  }

  return {
    see({ metadata, object }) {
      seen++;
      const found = judgeStoredPolicy(object, { tenancy, namespaces, now });
      if (found === undefined) return;
      const { tenant, namespace, name, findings } = found;
      counts[tenant.mode]++;
      if (logged.size < maxLogged) {
        const { check, path, reason } = findings[0];
        const fields = { tenant: tenant.name, mode: tenant.mode, namespace, policy: name, check, path };
        if (!before.has(metadata.uid)) log.warn(fields, `a stored policy would be rejected today: ${path} ${reason}`);
        logged.add(metadata.uid);
      }
      if (first?.namespace !== namespace) recordEvent();
      if (first === undefined) first = found;
      else others++;
    },
    end() {
      recordEvent();
      return { seen, counts, logged };
    },
  };
}

function messageOf({ name, findings: [{ check, path, reason, fix }] }: NonCompliantPolicy, others: number): string {
  const more = others === 0 ? '' : ` (and ${others} more ${others === 1 ? 'policy' : 'policies'})`;
  return `NetworkPolicy ${name}${more} would be rejected today: ${path} ${reason}; fix: ${fix} (${check})`;
}
