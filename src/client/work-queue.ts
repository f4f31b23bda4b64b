import { type BackoffLimits, fullJitter } from './backoff.ts';
import type { Clock } from './clock.ts';

/** Per key, after failures in a row. Client-go begins with the same 5 ms and ends at 1000 s. */
const retryBackoff: BackoffLimits = { first: 5, limit: 60_000 };

/** For so many milliseconds keys are taken one after the other; then reviews are answered. Thousands come at once when tenants change. */
const longestSlice = 2;

/** Thrown by work that is to be tried again, and not before so many milliseconds. */
export class RetryLater extends Error {
  readonly milliseconds: number;
  constructor(message: string, milliseconds: number) {
    super(message);
    this.milliseconds = milliseconds;
  }
}

export interface WorkQueue {
  /**
   * Works on the key soon. A waiting key is not taken twice, a working one is taken once more, and a resting one is taken now. A key that
   * waits for its next try after a failure goes on waiting: the failing work may be what adds it.
   */
  add(key: string): void;
  /** Like `add`, with priority: of the keys that wait it is taken first. */
  expedite(key: string): void;
  /** Milliseconds for which the first key has been waiting; 0 when none does. Neither a failure nor a rest begins the wait anew. */
  longestWait(): number;
  /** How many keys wait, are being worked on, rest, or wait for their next try. */
  size(): number;
  /** Takes nothing more; resolves when the work in hand has ended. */
  stop(): Promise<void>;
}

interface Entry {
  state: 'waiting' | 'working' | 'working, once more' | 'resting' | 'pausing';
  failures: number;
  readonly since: number;
  cancel: () => void;
}

/**
 * Work by key: one key is never worked on twice at once, different keys are, up to `concurrency` of them. Work that fails
 * is tried again, ever later, for ever.
 *
 * @param work   resolves to the milliseconds after which there is more to do for the key (it rests), if there is; rejects when it
 *               failed; gets a signal that ends with the queue
 * @param failed called for every failure
 */
export function createWorkQueue(
  concurrency: number,
  clock: Clock,
  work: (key: string, signal: AbortSignal) => Promise<number | undefined>,
  failed: (key: string, error: unknown, wait: number) => void,
): WorkQueue {
  const entries = new Map<string, Entry>();
  const waiting = new Set<string>();
  const expedited = new Set<string>();
  const working = new Set<Promise<void>>();
  const stopping = new AbortController();
  let sliceEnd: number | undefined;

  /** Whether there is time left in this slice; what waits is taken in the next one. */
  function mayTake(): boolean {
    if (sliceEnd === undefined) {
      sliceEnd = clock.now() + longestSlice;
      setImmediate(() => {
        sliceEnd = undefined;
        next();
      });
    }
    return clock.now() < sliceEnd;
  }

  function add(key: string, priority = waiting): void {
    if (stopping.signal.aborted) return;
    const entry = entries.get(key);
    if (entry === undefined) {
      const fresh: Entry = { state: 'waiting', failures: 0, since: clock.now(), cancel: () => {} };
      entries.set(key, fresh);
      resume(key, fresh, priority);
    } else if (entry.state === 'working') entry.state = 'working, once more';
    else if (entry.state === 'resting') resume(key, entry, priority);
  }

  function next(): void {
    for (const keys of [expedited, waiting]) {
      for (const key of keys) {
        if (working.size >= concurrency || stopping.signal.aborted || !mayTake()) return;
        keys.delete(key);
        const running = run(key).finally(() => {
          working.delete(running);
          next();
        });
        working.add(running);
      }
    }
  }

  async function run(key: string): Promise<void> {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entry.state = 'working';
    let rest: number | undefined;
    try {
      rest = await work(key, stopping.signal);
      entry.failures = 0;
    } catch (error) {
      if (stopping.signal.aborted) return;
      const asked = error instanceof RetryLater ? error.milliseconds : 0;
      const wait = Math.max(asked, fullJitter(retryBackoff, entry.failures++, clock));
      failed(key, error, wait);
      entry.state = 'pausing';
      entry.cancel = clock.after(wait, () => resume(key, entry));
      return;
    }
    if (isWantedAgain(entry)) resume(key, entry);
    else if (rest === undefined || stopping.signal.aborted) entries.delete(key);
    else {
      entry.state = 'resting';
      entry.cancel = clock.after(rest, () => resume(key, entry));
    }
  }

  function resume(key: string, entry: Entry, priority = waiting): void {
    entry.cancel();
    entry.state = 'waiting';
    priority.add(key);
    next();
  }

  return {
    add: (key) => add(key),
    expedite(key) {
      if (waiting.delete(key)) expedited.add(key);
      else add(key, expedited);
    },
    longestWait() {
      const now = clock.now();
      let since = now;
      for (const entry of entries.values()) since = Math.min(since, entry.since);
      return now - since;
    },
    size: () => entries.size,
    async stop() {
      stopping.abort();
      for (const entry of entries.values()) entry.cancel();
      await Promise.all(working);
    },
  };
}

/** Read anew: the state changes while the work is awaited. */
function isWantedAgain(entry: Entry): boolean {
  return entry.state === 'working, once more';
}
