/**
 * Writes the status of objects of Bulkhead's own kinds. Every replica does, by server-side apply: what is written already is not
 * written again, so that the first one writes and the others see that it is done.
 *
 * Replicas that see an object differently (one has newer settings) must not overwrite each other for ever. So a replica writes
 * what it sees when that changes, and what it has once written again only after minutes.
 */
import { type Clock, pause } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { describe } from '../client/failure.ts';
import type { Log } from '../client/log.ts';
import { createRateLimits, type RateLimitOptions } from '../client/rate-limits.ts';
import { createWorkQueue, RetryLater } from '../client/work-queue.ts';
import { textOf } from './ready-condition.ts';

/** Since the start. */
export interface StatusCounters {
  readonly written: number;
  readonly failed: number;
}

export interface StatusWriter {
  /** Everything that exists is known: from now on the cluster is written to. */
  begin(): void;
  /** Objects, or what their status is made of, have changed. */
  changed(): void;
  counters(): StatusCounters;
  stop(): Promise<void>;
}

export interface StatusWriterOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

/** The objects of one kind of bulkhead.dev/v1alpha1. */
export interface StatusSource {
  readonly kind: string;
  /** The path of an object. */
  pathOf(name: string): string;
  /** Of a namespaced kind `NAMESPACE/NAME`. */
  names(): readonly string[];
  /** Undefined: it is gone, or not judged yet. */
  look(name: string, now: number): Seen | undefined;
}

export interface Seen {
  readonly uid: string;
  /** What it should be. */
  readonly status: object;
  /** What it is. */
  readonly stored: unknown;
  /** Milliseconds until the status changes by itself; infinite: never. */
  readonly lasts: number;
}

/** Changes come in crowds; their result is written. Spread, so that of several replicas one is the first. */
const debounce = { least: 300, most: 1_500 };

/** No replica writes more often than twenty times a second, however many objects there are. */
const spacing = 50;

/** What was written once is written again after five to ten minutes, if another client has replaced it. */
const rewriteLimits: RateLimitOptions = { free: 1, first: 600_000, limit: 600_000 };

const lookEvery = 300_000;

export function createStatusWriter(options: StatusWriterOptions, source: StatusSource): StatusWriter {
  const { connection, clock, log, wallClock } = options;
  const counters = { written: 0, failed: 0 };
  /** What this replica last wrote, or saw to be written, of an object. */
  const written = new Map<string, { readonly uid: string; readonly text: string }>();
  const rewrites = createRateLimits(rewriteLimits, clock);
  let begun = false;
  let cancel: (() => void) | undefined;

  const queue = createWorkQueue(1, clock, write, (name, error, wait) => {
    counters.failed++;
    const failure = error instanceof Error ? error.message : String(error);
    const fields = { [source.kind.toLowerCase()]: name, failure, wait: Math.round(wait) };
    log.warn(fields, 'the status could not be written and is tried again');
  });

  function noteWritten(name: string, uid: string, text: string): void {
    written.set(name, { uid, text });
    rewrites.forget(name);
    rewrites.begin(name);
  }

  /** @returns the milliseconds after which the object is looked at again; undefined: there is none */
  async function write(name: string, signal: AbortSignal): Promise<number | undefined> {
    const seen = source.look(name, wallClock());
    if (seen === undefined) {
      written.delete(name);
      return undefined;
    }
    const { uid, status } = seen;
    const text = textOf(status);
    const before = written.get(name);
    const isKnown = before?.uid === uid && before.text === text;
    if (text === textOf(seen.stored)) noteWritten(name, uid, text);
    else if (!isKnown || rewrites.left(name) === 0) {
      const path = `${source.pathOf(name)}/status?fieldManager=bulkhead&force=true`;
      const metadata = { name: name.slice(name.indexOf('/') + 1), uid };
      const body = { apiVersion: 'bulkhead.dev/v1alpha1', kind: source.kind, metadata, status };
      const contentType = 'application/apply-patch+yaml';
      const answer = await connection.request('PATCH', path, { body, contentType, signal });
      // 404: it is gone. 409: another object has its name. The watch reports both.
      if (!answer.ok && ![404, 409].includes(answer.status)) throw new RetryLater(describe(answer), answer.retryAfter);
      if (answer.ok) {
        counters.written++;
        noteWritten(name, uid, text);
      }
      await pause(clock, spacing, signal);
    }
    return Math.min(lookEvery, seen.lasts);
  }

  function changed(): void {
    if (!begun) return;
    cancel ??= clock.after(debounce.least + clock.random() * (debounce.most - debounce.least), () => {
      cancel = undefined;
      for (const name of source.names()) queue.add(name);
    });
  }

  return {
    begin() {
      begun = true;
      changed();
    },
    changed,
    counters: () => ({ ...counters }),
    async stop() {
      begun = false;
      cancel?.();
      await queue.stop();
    },
  };
}
