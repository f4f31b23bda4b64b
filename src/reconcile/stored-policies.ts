/**
 * Judges stored policies again. What was admitted under a gate, a prefix or a range stays as it is when that is given up. Such a policy
 * would be rejected today, and is reported as non-compliant: in the log, in the metrics, and in an Event.
 *
 * The policies of tenants are many, so none is kept. All of a kind are read page by page when tenants or settings change, when a gate
 * or a vouched address expires, and every ten minutes while some are non-compliant, so that corrections are seen. One reading runs at a time. After each the
 * kind rests, within bounds, so long that the readings of all kinds together take about a twentieth of the time at most.
 *
 * A cluster may lack a kind, and may get it later: then its API is asked for every ten minutes.
 */
import type { NamespaceRecord, NamespaceSource, TenancySource } from '../admission/facts.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { describe } from '../client/failure.ts';
import type { Log } from '../client/log.ts';
import { readServed } from '../client/paged-list.ts';
import { createWorkQueue, RetryLater } from '../client/work-queue.ts';
import type { PolicyKind } from '../kinds/kind.ts';
import { listedPolicyKinds } from '../kinds/policy-kind.ts';
import { collectionPaths } from '../kinds/resource-name.ts';
import type { Direction, Mode } from '../tenancy/tenant.ts';
import { countIsolation, type IsolationCounts } from './isolation-count.ts';
import type { EventCounters, NamespaceEvents } from './namespace-events.ts';
import { createPolicyFindings, type PolicyFindings } from './policy-findings.ts';

export interface StoredPolicyCounters {
  /** The number of policies of all kinds, by the mode of their tenant, as of the last whole readings; undefined before the first. */
  readonly nonCompliant: Readonly<Record<Mode, number>> | undefined;
  /** Of these, policies that open a crossing between tenants which nothing agrees on. */
  readonly crossing: Readonly<Record<Direction, number>> | undefined;
  /** Namespaces of tenants by the directions in which a policy isolates all their pods; undefined before the first. Looks at each. */
  readonly isolation: () => IsolationCounts | undefined;
  /** Since the start; one that failed is tried again. */
  readonly readings: { readonly completed: number; readonly failed: number };
  /** Undefined where nothing is written. */
  readonly events: EventCounters | undefined;
}

export interface StoredPolicies {
  /** Tenants and namespaces are known: from now on policies are read. */
  begin(): void;
  /** Tenants, settings, or the owner of a namespace have changed. */
  changed(): void;
  counters(): StoredPolicyCounters;
  stop(): Promise<void>;
}

export interface StoredPolicyOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly tenancy: TenancySource;
  readonly namespaces: Pick<NamespaceSource, 'lookup' | 'isKept' | 'all'>;
  /** Whether the default-deny that Bulkhead keeps in the namespace is there. */
  readonly hasDefaultDeny: (namespace: NamespaceRecord) => boolean;
  /** Of their own, so that many of these leave room for those about baselines. Undefined where nothing is written. */
  readonly events: NamespaceEvents | undefined;
}

/** Milliseconds. Changes come in crowds; spread, so that replicas do not all read in one instant. */
const debounce = { least: 300, most: 1_500 };
const rest = { times: 20 * listedPolicyKinds.length - 1, least: 2_000, most: 600_000, mostAfterFailure: 60_000 };
const repeatAfter = 600_000;
/** A timer takes at most 2^31 ms, and the wall clock may be set meanwhile: an expiry that is further off is looked at again. */
const longestTimer = 3_600_000;

interface Judged {
  readonly kind: PolicyKind;
  /** Undefined before the first whole reading. */
  last: Pick<ReturnType<PolicyFindings['end']>, 'counts' | 'crossing' | 'isolated'> | undefined;
  /** The uids of those that were logged already and were still non-compliant in the last reading. */
  logged: ReadonlySet<string>;
  /** The moment as of which they were last judged, by the wall clock. */
  judgedAt: number;
  /** The next reading, by the clock; infinite: not before something changes. */
  wantedAt: number;
  restUntil: number;
}

export function createStoredPolicies(options: StoredPolicyOptions): StoredPolicies {
  const { connection, clock, log, wallClock, tenancy, events, namespaces, hasDefaultDeny } = options;
  const readings = { completed: 0, failed: 0 };
  const delay = debounce.least + clock.random() * (debounce.most - debounce.least);
  const judged = new Map<string, Judged>();
  for (const kind of listedPolicyKinds)
    judged.set(collectionPaths(kind)[0], {
      ...{ kind, last: undefined, logged: new Set<string>() },
      ...{ judgedAt: wallClock(), wantedAt: Number.POSITIVE_INFINITY, restUntil: Number.NEGATIVE_INFINITY },
    });
  let begun = false;

  const queue = createWorkQueue(1, clock, judgeAgain, (path, error, wait) => {
    const failure = error instanceof Error ? error.message : String(error);
    const message = 'the stored policies could not all be read, and are read again';
    log.warn({ path, failure, wait: Math.round(wait) }, message);
  });

  /** Milliseconds until the policies of the kind must be read. */
  function due({ judgedAt, wantedAt, restUntil }: Judged): number {
    let wait = wantedAt - clock.now();
    for (const { network } of tenancy().tenants.values())
      for (const { expires } of [...network.gates, ...network.vouched])
        if (expires !== undefined && expires > judgedAt) wait = Math.min(wait, expires - wallClock() + delay);
    return Math.max(0, wait, restUntil - clock.now());
  }

  async function judgeAgain(path: string, signal: AbortSignal): Promise<number | undefined> {
    const ofKind = judged.get(path);
    if (ofKind === undefined) return undefined;
    if (due(ofKind) === 0) await read(ofKind, signal);
    return Math.min(longestTimer, due(ofKind));
  }

  async function read(ofKind: Judged, signal: AbortSignal): Promise<void> {
    const { kind } = ofKind;
    ofKind.wantedAt = Number.POSITIVE_INFINITY;
    ofKind.judgedAt = wallClock();
    const began = clock.now();
    const findings = createPolicyFindings(kind, options, ofKind.logged, ofKind.judgedAt);
    const result = await readServed({ connection, clock }, collectionPaths(kind), findings.see, signal);
    if (signal.aborted) return;
    const pause = Math.min(rest.most, Math.max(rest.least, (clock.now() - began) * rest.times));
    if (result?.ok === false) {
      readings.failed++;
      ofKind.wantedAt = clock.now();
      throw new RetryLater(describe(result), Math.max(result.retryAfter, Math.min(rest.mostAfterFailure, pause)));
    }
    const { seen, logged, ...last } = findings.end();
    const { counts } = last;
    Object.assign(ofKind, { last, logged, restUntil: clock.now() + pause });
    const nonCompliant = counts.enforce + counts.warn + counts.audit;
    if (result === undefined || nonCompliant > 0) wantAfter(ofKind, repeatAfter);
    if (result === undefined) return;
    readings.completed++;
    const more = nonCompliant > logged.size ? { notShown: nonCompliant - logged.size } : {};
    log.info({ kind: kind.kind, policies: seen, nonCompliant, ...more }, 'the stored policies were judged again');
  }

  function wantAfter(ofKind: Judged, milliseconds: number): void {
    ofKind.wantedAt = Math.min(ofKind.wantedAt, clock.now() + milliseconds);
  }

  function changed(): void {
    if (!begun) return;
    for (const [path, ofKind] of judged) {
      wantAfter(ofKind, delay);
      queue.add(path);
    }
  }

  return {
    begin() {
      begun = true;
      changed();
    },
    changed,
    counters() {
      const known = [...judged.values()].flatMap(({ last }) => last ?? []);
      const sum = (mode: Mode): number => known.reduce((total, { counts }) => total + counts[mode], 0);
      const over = (direction: Direction): number =>
        known.reduce((total, { crossing }) => total + crossing[direction], 0);
      const nonCompliant = { enforce: sum('enforce'), warn: sum('warn'), audit: sum('audit') };
      return {
        nonCompliant: known.length === 0 ? undefined : nonCompliant,
        crossing: known.length === 0 ? undefined : { ingress: over('ingress'), egress: over('egress') },
        isolation() {
          // A kind that was not read yet could isolate any.
          if (known.length < judged.size) return undefined;
          const isolated = (name: string) => known.reduce((all, one) => all | (one.isolated.get(name) ?? 0), 0);
          return countIsolation(namespaces.all(), tenancy(), isolated, hasDefaultDeny);
        },
        readings: { ...readings },
        events: events?.counters(),
      };
    },
    async stop() {
      await queue.stop();
      await events?.stop();
    },
  };
}
