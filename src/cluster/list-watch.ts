/**
 * Follows every object of one kind: a list, then a watch from where the list ended, for ever.
 *
 *   list ──► watch ──► connection lost, time over ──► watch again from the last change applied
 *    ▲         └────► history gone (410), answer unreadable ──┐
 *    └────────────────────────────────────────────────────────┘ and the difference by uid
 *
 * Every failure is waited out (backoff.ts) and tried again; nothing the server or the network does ends it. What a handler
 * throws is counted and logged, and the next change is handled all the same.
 */
import { fullJitter, reconnectBackoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import type { Connection } from './connection.ts';
import { broken, describe, type Failure, needsNewList, statusFailure } from './failure.ts';
import { LineTooLong, linesOf } from './lines.ts';
import { readList } from './list-items.ts';
import type { Log } from './log.ts';
import { decodeEvent, decodeListMeta, decodeObject, type ListMeta, type WireMeta, type WireObject } from './wire.ts';

/** Told of every change, in the order of the server, one at a time. */
export interface Handler {
  /** It is new or changed. The first list comes this way too. */
  changed(object: WireObject): void;
  /** It is gone. An object that was made anew under its name while nobody looked is first `removed`, then `changed`. */
  removed(object: { readonly namespace: string; readonly name: string; readonly uid: string }): void;
}

/** Since the start. */
export interface WatchCounters {
  readonly objects: number;
  readonly lists: number;
  readonly watches: number;
  readonly failures: number;
  /** How often what is known here was compared with the server. */
  readonly comparisons: number;
  /** Objects that a comparison found different here. Anything but 0 is a defect. */
  readonly divergences: number;
  readonly handlerErrors: number;
}

export interface ListWatch {
  /** Resolves when the first list is handled. Never rejects. */
  readonly synced: Promise<void>;
  /** Milliseconds since the server was last heard; infinite before the first list. A healthy watch is heard every minute. */
  staleness(): number;
  /** The failure that is being waited out, in words. */
  trouble(): string | undefined;
  counters(): WatchCounters;
  /** Resolves when nothing runs any more; no change is handled after that. */
  stop(): Promise<void>;
}

export interface ListWatchOptions {
  readonly connection: Connection;
  /** Of the collection, for example `/apis/networking.k8s.io/v1/networkpolicies`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly handler: Handler;
  readonly clock: Clock;
  readonly log: Log;
}

const pageSize = 500;

/** For a whole page. The API server itself ends a request after 60 s; half of it leaves room for a second try. */
const pageLimit = 30_000;

/** A watch that lasts this long was healthy: what failed before it does not count any more. */
const healthyAfter = 120_000;

/** The server is asked to end a watch after this many seconds; spread, so that watches do not all begin in one instant. */
const watchSeconds = { least: 240, most: 480 };

/** The API server sends a bookmark about every minute; a connection that is silent for longer is dead, whatever TCP believes. */
const silenceLimit = 90_000;

/** The largest object that etcd takes is 1.5 MiB, and a request to the API server 3 MiB; JSON escapes can double that. */
const longestLine = 8 * 1024 * 1024;

/**
 * How often what is known here is compared with the server: ten minutes, a quarter more or less, so that neither the lists of
 * one replica nor those of all of them come at once.
 */
const comparisonPeriod = { least: 450_000, spread: 300_000 };

/** How a watch ended. */
type End = { readonly next: 'watch' | 'list'; readonly failure: Failure | undefined };

export function startListWatch(options: ListWatchOptions): ListWatch {
  const { connection, path, handler, clock, log } = options;
  const stopping = new AbortController();
  /** Tens of thousands of them: a version takes no memory of its own as a number, which it is (KEP-5504). */
  const known = new Map<string, { readonly uid: string; readonly version: number }>();
  const counters = { lists: 0, watches: 0, failures: 0, comparisons: 0, divergences: 0, handlerErrors: 0 };
  let applied = '';
  let heardAt: number | undefined;
  let trouble: Failure | undefined;
  /** A watch is open: what is known here is the state at `applied`. */
  let following = false;
  /** The keys that changed since a comparison began; undefined while there is none. */
  let changedMeanwhile: Set<string> | undefined;
  let markSynced: () => void = () => {};
  const synced = new Promise<void>((resolve) => {
    markSynced = resolve;
  });

  function guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      counters.handlerErrors++;
      log.error({ path, error: String(error) }, 'a change could not be handled');
    }
  }

  function put(object: WireObject): void {
    const key = keyOf(object.metadata);
    const { uid } = object.metadata;
    const version = Number(object.metadata.resourceVersion);
    const before = known.get(key);
    if (before?.version === version && before.uid === uid) return;
    if (before !== undefined && before.uid !== uid) remove(key);
    known.set(key, { uid, version });
    changedMeanwhile?.add(key);
    guarded(() => handler.changed(object));
  }

  function remove(key: string): void {
    const before = known.get(key);
    if (before === undefined) return;
    known.delete(key);
    changedMeanwhile?.add(key);
    const slash = key.indexOf('/');
    guarded(() => handler.removed({ namespace: key.slice(0, slash), name: key.slice(slash + 1), uid: before.uid }));
  }

  function query(parameters: Readonly<Record<string, string>>): string {
    const search = new URLSearchParams(parameters);
    if (options.labelSelector !== undefined) search.set('labelSelector', options.labelSelector);
    return `${path}?${search}`;
  }

  /**
   * Reads the whole list, page by page.
   *
   * @param at a resourceVersion: the state at exactly that moment; otherwise the newest
   * @returns the resourceVersion of the list
   */
  async function list(
    each: (object: WireObject) => void,
    at: string | undefined,
  ): Promise<{ readonly ok: true; readonly resourceVersion: string } | Failure> {
    const moment = at === undefined ? undefined : { resourceVersion: at, resourceVersionMatch: 'Exact' };
    let position: Readonly<Record<string, string>> | undefined = moment;
    for (;;) {
      const page = await listPage({ limit: String(pageSize), ...position }, each);
      if ('ok' in page) return page;
      // From the second page on, the token holds the moment of the first.
      if (page.next === '') return { ok: true, resourceVersion: page.resourceVersion };
      position = { continue: page.next };
    }
  }

  async function listPage(
    parameters: Readonly<Record<string, string>>,
    each: (object: WireObject) => void,
  ): Promise<ListMeta | Failure> {
    const late = new AbortController();
    const cancel = clock.after(pageLimit, () => late.abort(new Error(`no whole page within ${pageLimit / 1000} s`)));
    try {
      const answer = await connection.open(query(parameters), AbortSignal.any([stopping.signal, late.signal]));
      if (!answer.ok) return answer;
      const list = await readList(answer.chunks, longestLine, (item) => {
        const object = decodeObject(item);
        if (object === undefined) throw new Error('an item of the list cannot be followed');
        each(object);
      });
      return decodeListMeta(list) ?? broken(new Error('the answer is not a list of objects'));
    } catch (error) {
      return broken(late.signal.aborted ? late.signal.reason : error);
    } finally {
      cancel();
    }
  }

  /**
   * Brings what is known here to a new list. Objects that are already known in that version are not handled again. A list
   * that breaks off leaves objects of different moments behind; the next one puts that right.
   */
  async function relist(): Promise<Failure | undefined> {
    counters.lists++;
    const listed = new Set<string>();
    const result = await list((object) => {
      listed.add(keyOf(object.metadata));
      put(object);
    }, undefined);
    if (!result.ok) return result;
    heardAt = clock.now();
    for (const key of known.keys()) if (!listed.has(key)) remove(key);
    applied = result.resourceVersion;
    return undefined;
  }

  /** Applies one line of a watch. */
  function apply(line: string): End | undefined {
    const event = decodeEvent(line);
    if (event === undefined) return { next: 'list', failure: broken(new Error('a line of the watch is unreadable')) };
    if (event.type === 'ERROR') {
      const failure = statusFailure(event.status, 500);
      return { next: needsNewList(failure) ? 'list' : 'watch', failure };
    }
    // Versions only grow; a smaller one is another history, as after a restore of etcd from a backup.
    if (Number(event.resourceVersion) < Number(applied)) {
      return { next: 'list', failure: broken(new Error('the resourceVersion went backwards')) };
    }
    if (event.type === 'CHANGED') put(event.object);
    if (event.type === 'DELETED') remove(keyOf(event.object.metadata));
    applied = event.resourceVersion;
    return undefined;
  }

  async function watch(): Promise<End> {
    counters.watches++;
    const seconds = watchSeconds.least + Math.floor(clock.random() * (watchSeconds.most - watchSeconds.least));
    const parameters = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: applied,
      timeoutSeconds: String(seconds),
    };
    const silence = new AbortController();
    const signal = AbortSignal.any([stopping.signal, silence.signal]);
    const answer = await connection.open(query(parameters), signal);
    if (!answer.ok) return { next: needsNewList(answer) ? 'list' : 'watch', failure: answer };
    heardAt = clock.now();
    trouble = undefined;
    following = true;
    let cancel = watchSilence(silence);
    const heard = (): void => {
      heardAt = clock.now();
      cancel();
      cancel = watchSilence(silence);
    };
    try {
      for await (const line of linesOf(told(answer.chunks, heard), longestLine)) {
        const end = apply(line);
        if (end !== undefined) return end;
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

  /**
   * Compares what is known here with the list at the moment of the last change applied, while the watch goes on: what
   * changes meanwhile is left out. A difference is counted, and put right.
   */
  async function compare(): Promise<void> {
    if (!following || changedMeanwhile !== undefined) return;
    const changed = new Set<string>();
    changedMeanwhile = changed;
    const listed = new Set<string>();
    const wrong: WireObject[] = [];
    const result = await list((object) => {
      const key = keyOf(object.metadata);
      listed.add(key);
      if (known.get(key)?.version !== Number(object.metadata.resourceVersion)) wrong.push(object);
    }, applied);
    changedMeanwhile = undefined;
    if (stopping.signal.aborted) return;
    if (!result.ok) {
      log.info({ path, failure: describe(result) }, 'the comparison with the server is left out this time');
      return;
    }
    counters.comparisons++;
    const missing = wrong.filter((object) => !changed.has(keyOf(object.metadata)));
    const surplus = [...known.keys()].filter((key) => !listed.has(key) && !changed.has(key));
    if (missing.length + surplus.length === 0) return;
    counters.divergences += missing.length + surplus.length;
    log.error(
      { path, missing: missing.length, surplus: surplus.length },
      'what is known here differed from the server',
    );
    for (const object of missing) put(object);
    for (const key of surplus) remove(key);
  }

  let cancelComparison = (): void => {};
  let comparing: Promise<void> = Promise.resolve();
  function scheduleComparison(): void {
    const wait = comparisonPeriod.least + clock.random() * comparisonPeriod.spread;
    cancelComparison = clock.after(wait, () => {
      scheduleComparison();
      comparing = compare();
    });
  }

  async function run(): Promise<void> {
    let failures = 0;
    let next: 'watch' | 'list' = 'list';
    while (!stopping.signal.aborted) {
      const startedAt = clock.now();
      let failure: Failure | undefined;
      if (next === 'list') {
        failure = await relist();
        if (failure === undefined) {
          next = 'watch';
          markSynced();
        }
      } else {
        const end = await watch();
        next = end.next;
        failure = end.failure;
        const lasted = clock.now() - startedAt;
        if (lasted >= healthyAfter) failures = 0;
        // A server that ends every watch at once is not healthy either.
        else failure ??= broken(new Error(`the watch was ended after ${Math.round(lasted)} ms`));
      }
      if (stopping.signal.aborted) return;
      trouble = failure;
      if (failure === undefined) continue;
      counters.failures++;
      failures++;
      const asked = failure.kind === 'refused' ? (failure.retryAfter ?? 0) : 0;
      const wait = Math.max(asked, fullJitter(reconnectBackoff, failures - 1, clock));
      log.warn({ path, failure: describe(failure), wait: Math.round(wait) }, `the ${next} is tried again`);
      await pause(clock, wait, stopping.signal);
    }
  }

  scheduleComparison();
  const running = run();
  return {
    synced,
    staleness: () => (heardAt === undefined ? Number.POSITIVE_INFINITY : clock.now() - heardAt),
    trouble: () => trouble && describe(trouble),
    counters: () => ({ objects: known.size, ...counters }),
    async stop() {
      cancelComparison();
      stopping.abort();
      await running;
      await comparing;
    },
  };
}

/** Neither a namespace nor a name holds a slash. Joined, because what a template makes keeps its parts in memory. */
function keyOf({ namespace, name }: Pick<WireMeta, 'namespace' | 'name'>): string {
  return [namespace, name].join('/');
}

/** The same chunks; `heard` is called with each. */
async function* told(chunks: AsyncIterable<Buffer>, heard: () => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    heard();
    yield chunk;
  }
}
