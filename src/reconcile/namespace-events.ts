/**
 * Events (core/v1) about namespaces, for the users who work in them.
 *
 * There is one Event for each namespace, reason and subject, updated in place, so their number is bounded. Each is written at most once
 * a minute, and all together at most as often as the bucket allows: a loop of deletions makes no flood of writes.
 */
import { createHash } from 'node:crypto';
import type { NamespaceKey } from '../admission/facts.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';

/** Why, in one word, as `kubectl get events` shows it. */
export type EventReason =
  | 'BaselineHealed'
  | 'BaselineConflict'
  | 'BaselineFailed'
  | 'BaselineKept'
  | 'BaselineWithheld'
  | 'BorderHealed'
  | 'BorderConflict'
  | 'BorderFailed'
  | 'BorderNameTaken'
  | 'BorderNotServed'
  | 'PolicyNonCompliant'
  | 'ExemptionEndsSoon'
  | 'ExemptionExpired'
  | 'ExemptionMatchesNothing'
  | 'WebhookConfigurationDeleted'
  | 'ConfigurationRejected'
  | 'ReservedKeyWritten'
  | 'WouldBeRefused';

export interface EventCounters {
  readonly written: number;
  /** Left out because there were too many. */
  readonly suppressed: number;
  /** Not taken by the API server; they are not tried again. */
  readonly failed: number;
}

export interface NamespaceEvents {
  /**
   * Never fails, and nothing waits for it.
   *
   * @param about one namespace has an Event for each of these, a part of its name
   * @returns whether it is written; otherwise there are too many
   */
  record(namespace: NamespaceKey, reason: EventReason, message: string, about?: string): boolean;
  counters(): EventCounters;
  stop(): Promise<void>;
}

const eachAtMostEvery = 60_000;
/** Of all namespaces together: so many at once, and then one a second. */
const bucket = { size: 30, refill: 1_000 };
/** The API server forgets an Event after an hour, too. */
const rememberedFor = 3_600_000;
const longestMessage = 1_000;

interface Remembered {
  /** The wall clock's, as in the Event. */
  readonly first: string;
  readonly firstAt: number;
  count: number;
  writtenAt: number;
}

export function createNamespaceEvents(connection: Connection, clock: Clock): NamespaceEvents {
  const counters = { written: 0, suppressed: 0, failed: 0 };
  const remembered = new Map<string, Remembered>();
  const sending = new Set<Promise<void>>();
  const stopping = new AbortController();
  let tokens = bucket.size;
  let refilledAt = clock.now();

  function takeToken(): boolean {
    const gained = Math.floor((clock.now() - refilledAt) / bucket.refill);
    refilledAt += gained * bucket.refill;
    tokens = Math.min(bucket.size, tokens + gained);
    if (tokens === 0) return false;
    tokens--;
    return true;
  }

  function forgetOld(): void {
    for (const [key, { firstAt }] of remembered) {
      if (clock.now() - firstAt < rememberedFor) return;
      remembered.delete(key);
    }
  }

  async function send(body: ReturnType<typeof eventOf>): Promise<void> {
    const { name, namespace } = body.metadata;
    const path = `/api/v1/namespaces/${namespace}/events/${name}?fieldManager=bulkhead&force=true`;
    const contentType = 'application/apply-patch+yaml';
    const answer = await connection.request('PATCH', path, { body, contentType, signal: stopping.signal });
    counters[answer.ok ? 'written' : 'failed']++;
  }

  return {
    record(namespace, reason, message, about = '') {
      if (stopping.signal.aborted) return false;
      forgetOld();
      const key = `${namespace.uid} ${reason} ${about}`;
      const now = clock.now();
      const known = remembered.get(key);
      if (known !== undefined) known.count++;
      if ((known !== undefined && now - known.writtenAt < eachAtMostEvery) || !takeToken()) {
        counters.suppressed++;
        return false;
      }
      const seen = known ?? { first: new Date().toISOString(), firstAt: now, count: 1, writtenAt: now };
      seen.writtenAt = now;
      // Remembered only now, once it is written: users choose what Events are about.
      remembered.set(key, seen);
      const sent = send(eventOf(namespace, reason, message, about, seen)).finally(() => sending.delete(sent));
      sending.add(sent);
      return true;
    },
    counters: () => ({ ...counters }),
    async stop() {
      stopping.abort();
      await Promise.all(sending);
    },
  };
}

/** For `about`: text of a user or a file is no part of a name. */
export function hashed(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** In the namespace itself, for its users. The type holds whole seconds. */
function eventOf(
  { name, uid }: NamespaceKey,
  reason: EventReason,
  message: string,
  about: string,
  { first, count }: Remembered,
) {
  const seconds = (time: string): string => `${time.slice(0, 19)}Z`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: ['bulkhead', reason.toLowerCase(), about].filter(Boolean).join('.'), namespace: name },
    involvedObject: { apiVersion: 'v1', kind: 'Namespace', name, namespace: name, uid },
    reason,
    message: message.slice(0, longestMessage),
    type: 'Warning',
    source: { component: 'bulkhead' },
    firstTimestamp: seconds(first),
    lastTimestamp: seconds(new Date().toISOString()),
    count,
  };
}
