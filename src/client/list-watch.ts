/**
 * Follows every object of one kind: a list, then a watch from where the list ended, for ever.
 *
 *   list ──► watch ──► connection lost, time over ──► watch again from the last change applied
 *    ▲         └────► history gone (410) or another one, answer unreadable, nothing heard for 90 s ──┐
 *    └───────────────────────────────────────────────────────────────────────────────────────────────┘ and the difference by uid
 *
 * A whole list, as of its beginning, and each line of the watch count as heard. That a watch was opened does not.
 * Every failure is waited out (backoff.ts) and tried again.
 */
import { fullJitter, reconnectBackoff } from './backoff.ts';
import { pause } from './clock.ts';
import { type DecodedObject, decodeEvent } from './decode.ts';
import { broken, describe, type Failure, needsNewList, statusFailure } from './failure.ts';
import { createFreshnessChecks } from './freshness.ts';
import { LineTooLong, linesOf } from './line-stream.ts';
import type { Log } from './log.ts';
import { createObjectCache, type Handler } from './object-cache.ts';
import { type Collection, longestObject, pathOf, readPages, readVersion } from './paged-list.ts';

export type { Handler };

/** Since the start. */
export interface WatchCounters {
  readonly objects: number;
  readonly lists: number;
  readonly watches: number;
  readonly failures: number;
  readonly handlerErrors: number;
}

export interface ListWatch {
  /** Resolves when the first list is handled. Never rejects. */
  readonly synced: Promise<void>;
  /** Milliseconds for which nothing was heard; infinite before the first list. A healthy watch is heard every minute. */
  staleness(): number;
  /** Whether memory counts without a live request: the watch was heard at most `trustedFor` ago (freshness.ts). */
  isCurrent(): boolean;
  /** The failure that is being waited out, in words. */
  trouble(): string | undefined;
  counters(): WatchCounters;
  /** Resolves when nothing runs any more; no change is handled after that. */
  stop(): Promise<void>;
}

export interface ListWatchOptions extends Collection {
  readonly handler: Handler;
  readonly log: Log;
}

/** A watch that lasts this long was healthy: what failed before it does not count any more. */
const healthyAfter = 120_000;

/** The server is asked to end a watch after this many seconds; spread, so that watches do not all begin in one instant. */
const watchSeconds = { least: 240, most: 480 };

/**
 * The API server sends a bookmark about every minute, so a connection that is silent for longer is dead. A collection that was not heard
 * for so long, over however many connections, is listed anew.
 */
const silenceLimit = 90_000;

type End = { readonly next: 'watch' | 'list'; readonly failure: Failure | undefined };

export function startListWatch(options: ListWatchOptions): ListWatch {
  const { connection, path, handler, clock, log } = options;
  const stopping = new AbortController();
  const known = createObjectCache(handler, (error) =>
    log.error({ path, error: String(error) }, 'a change could not be handled'),
  );
  const counters = { lists: 0, watches: 0, failures: 0 };
  let applied = '';
  /** The greatest resourceVersion of an object or event; 0 before the first. */
  let newest = 0;
  let heardAt = Number.NEGATIVE_INFINITY;
  let trouble: Failure | undefined;
  /** A watch is open: what is known here is the state at `applied`. */
  let following = false;
  const { promise: synced, resolve: markSynced } = Promise.withResolvers<void>();

  const staleness = (): number => clock.now() - heardAt;

  // Only while the watch is open: without it, what happens after the check is missed.
  const freshness = createFreshnessChecks(options, (time) => {
    if (following) heardAt = Math.max(time, heardAt);
  });

  /** Versions only grow; a smaller one is another history, as after a restore of etcd from a backup. */
  function isEarlier(resourceVersion: string): boolean {
    return Number(resourceVersion) < Number(applied);
  }

  async function relist(): Promise<Failure | undefined> {
    counters.lists++;
    // Its pages show the state at the moment of the first.
    const began = clock.now();
    if (handler.forgetVersions !== undefined) known.forgetVersions();
    const listing = known.replace();
    let newestListed = 0;
    const each = (object: DecodedObject): void => {
      newestListed = Math.max(newestListed, Number(object.metadata.resourceVersion));
      listing.each(object);
    };
    const result = await readPages(options, each, stopping.signal);
    if (!result.ok) return result;
    if (isEarlier(result.resourceVersion)) {
      log.warn({ path }, 'the resourceVersion went backwards: everything is listed anew');
      applied = '';
      known.forgetVersions();
      return relist();
    }
    listing.end();
    heardAt = began;
    newest = newestListed;
    applied = result.resourceVersion;
    return undefined;
  }

  function apply(line: string): End | undefined {
    const event = decodeEvent(line);
    if (event === undefined) return { next: 'list', failure: broken(new Error('a line of the watch is unreadable')) };
    if (event.type === 'ERROR') {
      const failure = statusFailure(event.status, 500);
      return { next: needsNewList(failure) ? 'list' : 'watch', failure };
    }
    if (isEarlier(event.resourceVersion))
      return { next: 'list', failure: broken(new Error('the resourceVersion went backwards')) };
    if (event.type === 'CHANGED') known.put(event.object);
    if (event.type === 'DELETED') known.remove(event.object.metadata);
    if (event.type !== 'BOOKMARK') newest = Number(event.resourceVersion);
    applied = event.resourceVersion;
    return undefined;
  }

  /**
   * Before a watch goes on: one from a later version than the newest stays silent. A handler that remembers versions gets a list, as
   * another history may have come as far as the one before.
   */
  async function resume(): Promise<End | undefined> {
    if (handler.forgetVersions === undefined) {
      const newest = await readVersion(options, stopping.signal);
      if (!newest.ok) return { next: 'watch', failure: newest };
      if (!isEarlier(newest.resourceVersion)) return undefined;
    }
    const failure = await relist();
    return failure && { next: 'list', failure };
  }

  /** @param suspicious after a failure: history may be another one */
  async function watch(suspicious: boolean): Promise<End> {
    counters.watches++;
    const end = suspicious ? await resume() : undefined;
    if (end !== undefined) return end;
    const seconds = watchSeconds.least + Math.floor(clock.random() * (watchSeconds.most - watchSeconds.least));
    const parameters = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: applied,
      timeoutSeconds: String(seconds),
    };
    const silence = new AbortController();
    const signal = AbortSignal.any([stopping.signal, silence.signal]);
    const answer = await connection.open(pathOf(options, parameters), signal);
    if (!answer.ok) return { next: needsNewList(answer) ? 'list' : 'watch', failure: answer };
    trouble = undefined;
    following = true;
    let cancel = watchSilence(silence);
    try {
      for await (const line of linesOf(answer.chunks, longestObject)) {
        const end = apply(line);
        if (end !== undefined) return end;
        heardAt = clock.now();
        cancel();
        cancel = watchSilence(silence);
      }
      return { next: 'watch', failure: undefined };
    } catch (error) {
      // The list brings what the watch cannot.
      const failure = broken(silence.signal.aborted ? silence.signal.reason : error);
      return { next: error instanceof LineTooLong ? 'list' : 'watch', failure };
    } finally {
      following = false;
      cancel();
    }
  }

  function watchSilence(silence: AbortController): () => void {
    return clock.after(silenceLimit, () => silence.abort(new Error(`nothing was heard for ${silenceLimit / 1000} s`)));
  }

  async function run(): Promise<void> {
    let failures = 0;
    let suspicious = false;
    let next: 'watch' | 'list' = 'list';
    while (!stopping.signal.aborted) {
      const startedAt = clock.now();
      let failure: Failure | undefined;
      if (next === 'list') {
        failure = await relist();
        if (failure === undefined) {
          next = 'watch';
          suspicious = false;
          markSynced();
        }
      } else {
        const end = await watch(suspicious);
        next = staleness() >= silenceLimit ? 'list' : end.next;
        failure = end.failure;
        const lasted = clock.now() - startedAt;
        if (lasted >= healthyAfter) failures = 0;
        // A server that ends every watch at once is not healthy either.
        else failure ??= broken(new Error(`the watch was ended after ${Math.round(lasted)} ms`));
        suspicious = failure !== undefined;
      }
      if (stopping.signal.aborted) return;
      trouble = failure;
      if (failure === undefined) continue;
      counters.failures++;
      failures++;
      const wait = Math.max(failure.retryAfter, fullJitter(reconnectBackoff, failures - 1, clock));
      log.warn({ path, failure: describe(failure), wait: Math.round(wait) }, `the ${next} is tried again`);
      await pause(clock, wait, stopping.signal);
    }
  }

  const running = run();
  return {
    synced,
    staleness,
    isCurrent: () => freshness.isCurrent(staleness(), following ? newest : 0),
    trouble: () => trouble && describe(trouble),
    counters: () => ({ objects: known.size(), handlerErrors: known.handlerErrors(), ...counters }),
    async stop() {
      stopping.abort();
      await freshness.stop();
      await running;
    },
  };
}
