/**
 * Finds out whether memory is current while requests need to know it. A quiet watch is heard only once a minute, and a connection that
 * is silently broken looks the same.
 *
 * A second watch begins just before the newest event that memory has. The API server replays that event at once, and after it all that
 * are newer. So when the event comes, and then nothing for a tenth of a second, nothing has happened since. A restored etcd has no such
 * event. An API server that has started since answers 410. Both leave memory as old as it is.
 */
import type { Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import { decodeEvent } from './decode.ts';
import { linesOf } from './line-stream.ts';
import { type Collection, longestObject, pathOf } from './paged-list.ts';

/** Milliseconds without a newer event after which there is none. */
const quietFor = 100;
/** Milliseconds until the event must have come. */
const answerWithin = 2_000;
/** Of the watch. It is closed long before. */
const watchSeconds = 5;
/** Milliseconds until the next watch after one that proved nothing. Meanwhile each name costs a GET. */
const pauseAfterFailure = 10_000;

/**
 * Milliseconds. The namespace controller empties a namespace five seconds after its deletion at the earliest, as a rule
 * (k8s.io/kubernetes, pkg/controller/namespace, namespaceDeletionGracePeriod), so a namespace that existed three seconds ago still has
 * its name; the rest is for the way of the news.
 */
export const trustedFor = 3_000;
/** Milliseconds after which a check begins, so that memory stays current while requests come. */
const checkAfter = 2_000;

export interface FreshnessChecks {
  /**
   * Whether memory counts without a live request. When it soon will not, begins a check, unless one is running or just failed.
   *
   * @param staleness milliseconds since the watch was heard
   * @param newest    the resourceVersion of the newest event or object in memory; 0 where there is nothing to check
   */
  isCurrent(staleness: number, newest: number): boolean;
  stop(): Promise<void>;
}

/** @param confirmed called with the time at which memory was current, on the clock of `collection` */
export function createFreshnessChecks(
  collection: Collection & { readonly connection: Pick<Connection, 'open'>; readonly clock: Clock },
  confirmed: (time: number) => void,
): FreshnessChecks {
  const { connection, clock } = collection;
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  async function isNewest(version: number): Promise<boolean> {
    const ended = new AbortController();
    const signal = AbortSignal.any([stopping.signal, ended.signal]);
    const parameters = { watch: '1', resourceVersion: String(version - 1), timeoutSeconds: String(watchSeconds) };
    let quiet = false;
    let cancel = clock.after(answerWithin, () => ended.abort());
    try {
      const answer = await connection.open(pathOf(collection, parameters), signal);
      if (!answer.ok) return false;
      let replayed = false;
      for await (const line of linesOf(answer.chunks, longestObject)) {
        const event = decodeEvent(line);
        if (replayed || event === undefined || event.type === 'ERROR') return false;
        if (Number(event.resourceVersion) !== version) return false;
        replayed = true;
        cancel();
        cancel = clock.after(quietFor, () => {
          quiet = true;
          ended.abort();
        });
      }
      return false;
    } catch {
      // The first watch reports what is wrong with the connection.
      return quiet;
    } finally {
      cancel();
      ended.abort();
    }
  }

  function check(newest: number): void {
    if (running !== undefined || stopping.signal.aborted || clock.now() < pausedUntil) return;
    const asked = clock.now();
    running = isNewest(newest).then((current) => {
      running = undefined;
      if (current) confirmed(asked);
      else pausedUntil = clock.now() + pauseAfterFailure;
    });
  }

  return {
    isCurrent(staleness, newest) {
      if (staleness > checkAfter && newest > 0) check(newest);
      return staleness <= trustedFor;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
