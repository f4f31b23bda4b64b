/**
 * What is known of a cluster is what the cluster has, whatever lies between: 10,000 random creates, updates and deletes, followed
 * through a proxy that does everything a network can, while the API server is killed and started again twenty times, and etcd
 * forgets its history. Changes of one object arrive in order. The follower lives in this very process: what ends it ends the run, and
 * nobody starts it again.
 *
 * A replica does not compare its memory with the cluster; this does, after each kill and at the end, while the writers rest. Time passes
 * ten times as fast for the follower, so that silent connections are given up after 9 s. Chance comes from a seed that is printed. It goes on until every fault has happened often enough, for 20 minutes at most.
 * Prints its figures and ends with 1 when anything is missed. `node test/soak/watch.ts [changes] [kills] [seed]`, some minutes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '../../src/client/clock.ts';
import { createConnection } from '../../src/client/connection.ts';
import { type ListWatch, startListWatch, type WatchCounters } from '../../src/client/list-watch.ts';
import { findBinaries } from '../apiserver/binaries.ts';
import { type ControlPlane, startControlPlane } from '../apiserver/control-plane.ts';
import { compact, revisionIn } from './etcd.ts';
import { type Fault, faults, startFaultProxy } from './fault-proxy.ts';
import { eventually, say, silent } from './observer.ts';

const speed = 10;
const hurried: Clock = {
  now: () => systemClock.now() * speed,
  after: (milliseconds, run) => systemClock.after(milliseconds / speed, run),
  random: systemClock.random,
};
const namesPerKind = 150;
const writers = 4;
const faultEvery = 250;
const label = 'app.kubernetes.io/managed-by=bulkhead';

const kinds = [
  { path: '/api/v1/namespaces/default/configmaps', all: '/api/v1/configmaps', selector: undefined },
  {
    path: '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
    all: '/apis/networking.k8s.io/v1/networkpolicies',
    selector: label,
  },
] as const;

export interface WatchOptions {
  readonly changes: number;
  readonly kills: number;
  readonly seed: number;
  /** Of each fault of the proxy. */
  readonly faults: number;
  /** After so long it ends, and says what has not happened. */
  readonly seconds: number;
}

export interface WatchResult {
  readonly written: number;
  readonly inflicted: Readonly<Record<Fault, number>>;
  /** How often the API server was killed and came back. */
  readonly killed: number;
  readonly compactions: number;
  /** How often the API server itself said that history is gone. */
  readonly gone: number;
  /** How often each cache was found to be the list. */
  readonly comparisons: number;
  /** Objects of each kind that were known at rest. */
  readonly atRest: readonly number[];
  readonly counters: readonly WatchCounters[];
  /** Sentences about what should not have been. */
  readonly violations: readonly string[];
}

/** What should have been otherwise. */
export function missedWatch(result: WatchResult, wanted: Omit<WatchOptions, 'seed' | 'seconds'>): string[] {
  const missed = [...result.violations];
  const atLeast = (least: number, found: number, what: string): void => {
    if (!(found >= least)) missed.push(`${what}: ${found}, and not at least ${least}`);
  };
  atLeast(wanted.changes, result.written, 'changes');
  atLeast(wanted.kills, result.killed, 'kills of the API server');
  atLeast(wanted.kills, result.compactions, 'compactions');
  // A watch may be at the newest revision when history goes.
  atLeast(Math.ceil(wanted.kills / 2), result.gone, 'times the API server said 410');
  for (const fault of faults) atLeast(wanted.faults, result.inflicted[fault], `fault "${fault}"`);
  atLeast((wanted.kills + 1) * kinds.length, result.comparisons, 'comparisons without a difference');
  for (const [index, { all }] of kinds.entries()) {
    atLeast(10, result.atRest[index] ?? 0, `objects at rest of ${all}`);
    const { handlerErrors } = result.counters[index] ?? {};
    if (handlerErrors !== 0) missed.push(`${all}: ${handlerErrors} handler errors`);
  }
  return missed;
}

interface Listed {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly namespace: string;
      readonly uid: string;
      readonly resourceVersion: string;
    };
  }[];
}

export async function watchThroughFaults(
  plane: ControlPlane,
  { changes, kills, seed, faults: faultsWanted, seconds }: WatchOptions,
): Promise<WatchResult> {
  const chance = mulberry32(seed);
  const proxy = await startFaultProxy(plane);
  const violations: string[] = [];
  const authentication = { credentials: async () => ({ server: proxy.url, headers: {}, tls: {} }), refused: () => {} };
  const connection = createConnection(authentication, hurried);
  const followed = kinds.map((kind) => {
    const { all, selector } = kind;
    const cache = new Map<string, { readonly uid: string; readonly version: number }>();
    /** Also of what is gone: a version of before must not come back. */
    const newest = new Map<string, number>();
    const watch: ListWatch = startListWatch({
      connection,
      path: all,
      clock: hurried,
      log: silent,
      ...(selector === undefined ? {} : { labelSelector: selector }),
      handler: {
        changed({ metadata: { namespace, name, uid, resourceVersion } }) {
          const key = `${namespace}/${name}`;
          const before = cache.get(key);
          const version = Number(resourceVersion);
          if (before !== undefined && before.uid !== uid)
            violations.push(`${key}: a new one before the end of the old`);
          const last = newest.get(key) ?? 0;
          if (last >= version) violations.push(`${key}: ${version} after ${last}`);
          newest.set(key, version);
          cache.set(key, { uid, version });
        },
        removed({ namespace, name, uid }) {
          const key = `${namespace}/${name}`;
          if (cache.get(key)?.uid !== uid) violations.push(`${key}: the end of what is not known`);
          cache.delete(key);
        },
      },
    });
    return { kind, cache, watch };
  });

  let written = 0;
  let killed = 0;
  let compactions = 0;
  let comparisons = 0;
  /** Changes that are being written now; none begins while the caches are compared. */
  const writing = new Set<Promise<unknown>>();
  let resting = false;
  /** Longer is not waited for: what is missing by then is said by the result. */
  const end = performance.now() + seconds * 1000;
  const isEnough = (): boolean =>
    performance.now() >= end ||
    (written >= changes && killed >= kills && faults.every((fault) => proxy.inflicted[fault] >= faultsWanted));
  async function write(): Promise<void> {
    while (!isEnough()) {
      // Faults take their time, however fast the API server writes: something is to change during each of them.
      if (resting || written >= changes) await sleep(100);
      if (resting) continue;
      const { path } = kinds[chance() < 0.5 ? 0 : 1];
      const name = `object-${Math.floor(chance() * namesPerKind)}`;
      const changing = change(plane, path, name, chance());
      writing.add(changing);
      try {
        if (await changing) written++;
      } catch {
        // The API server is away.
        await sleep(100);
      } finally {
        writing.delete(changing);
      }
    }
  }
  /** Nothing is written meanwhile. A connection that has gone silent is noticed after 9 s. */
  async function compare(): Promise<void> {
    resting = true;
    await Promise.allSettled(writing);
    for (const { kind, cache } of followed) {
      const selector = kind.selector === undefined ? '' : `?labelSelector=${encodeURIComponent(kind.selector)}`;
      const same = async (): Promise<boolean> => {
        const { items } = (await plane.request('GET', `${kind.all}${selector}`)).body as Listed;
        const listed = items.map(
          ({ metadata }) => `${metadata.namespace}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`,
        );
        const known = [...cache].map(([key, { uid, version }]) => `${key} ${uid} ${version}`);
        return listed.sort().join() === known.sort().join();
      };
      try {
        await eventually(`what is known of ${kind.all} is the list`, same, 30);
        comparisons++;
      } catch (error) {
        violations.push(String(error));
      }
    }
    resting = false;
  }
  async function disturb(): Promise<void> {
    let round: Fault[] = [];
    while (!isEnough()) {
      if (killed < kills && written >= ((killed + 1) * changes) / (kills + 2)) await kill();
      if (round.length === 0) round = [...faults];
      const [fault] = round.splice(Math.floor(chance() * round.length), 1);
      if (fault !== undefined) await inflict(fault);
    }
  }
  /** A watch that has gone silent is not there for others before it is given up. */
  async function inflict(fault: Fault): Promise<void> {
    const before = proxy.inflicted[fault];
    for (let attempt = 0; attempt < 100 && proxy.inflicted[fault] === before; attempt++) {
      proxy.inflict(fault, chance());
      await sleep(faultEvery);
    }
  }
  async function kill(): Promise<void> {
    // A watch that hears nothing while others write is behind when history goes, and gets a 410.
    await inflict('silence');
    await sleep(500);
    if (await compact(plane, (await revisionIn(plane)).revision)) compactions++;
    await plane.killApiServer();
    const answers = await plane.request('GET', '/livez').catch(() => undefined);
    if (answers !== undefined) violations.push('the API server answers although it was killed');
    await plane.startApiServer();
    killed++;
    await compare();
  }
  try {
    await Promise.all([disturb(), ...Array.from({ length: writers }, write)]);
    await compare();
    const counters = followed.map(({ watch }) => watch.counters());
    const atRest = followed.map(({ cache }) => cache.size);
    const { inflicted } = proxy;
    const counts = { written, inflicted, killed, compactions, gone: proxy.gone(), comparisons };
    return { ...counts, atRest, counters, violations };
  } finally {
    await Promise.all(followed.map(({ watch }) => watch.stop()));
    connection.close();
    await proxy.stop();
  }
}

/** Creates, updates, deletes, or moves it in or out of the selection. False: that could not be, as things stand. */
async function change(plane: ControlPlane, path: string, name: string, choice: number): Promise<boolean> {
  const merge = { contentType: 'application/merge-patch+json' };
  const spec = path.endsWith('networkpolicies') ? { spec: { podSelector: {} } } : {};
  const labels = { 'app.kubernetes.io/managed-by': 'bulkhead' };
  let status: number;
  if (choice < 0.3) ({ status } = await plane.request('POST', path, { metadata: { name, labels }, ...spec }));
  else if (choice < 0.6) {
    const annotations = { at: String(performance.now()) };
    ({ status } = await plane.request('PATCH', `${path}/${name}`, { metadata: { annotations } }, merge));
  } else if (choice < 0.75) {
    const value = choice < 0.675 ? null : 'bulkhead';
    const moved = {
      metadata: { labels: { 'app.kubernetes.io/managed-by': value }, annotations: { at: String(choice) } },
    };
    ({ status } = await plane.request('PATCH', `${path}/${name}`, moved, merge));
  } else ({ status } = await plane.request('DELETE', `${path}/${name}`));
  return status < 300;
}

/** A small generator of numbers at least 0 and less than 1 (Tommy Ettinger's, public domain): the same seed, the same numbers. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function describeWatch({
  written,
  inflicted,
  killed,
  compactions,
  gone,
  comparisons,
  atRest,
  counters,
}: WatchResult): string {
  const total = (figure: (one: WatchCounters) => number): number => counters.reduce((sum, one) => sum + figure(one), 0);
  return [
    `${written} changes; ${Object.entries(inflicted)
      .map(([fault, times]) => `${fault}: ${times}`)
      .join(', ')}`,
    `${killed} kills and ${compactions} compactions, ${gone} times the API server said 410; ${atRest.join(' and ')} objects at rest`,
    `${total(({ lists }) => lists)} lists, ${total(({ watches }) => watches)} watches, ${comparisons} comparisons without a difference`,
  ].join('\n');
}

if (import.meta.main) {
  const [changes = 10_000, kills = 20, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
  say(`seed ${seed}`);
  const binaries = await findBinaries();
  if ('missing' in binaries) throw new Error(binaries.missing);
  const plane = await startControlPlane({ binaries, controllers: false });
  try {
    const wanted = { changes, kills, faults: 20 };
    const result = await watchThroughFaults(plane, { ...wanted, seed, seconds: 1200 });
    say(describeWatch(result));
    const missed = missedWatch(result, wanted);
    for (const one of missed) say(one);
    process.exitCode = missed.length === 0 ? 0 : 1;
  } finally {
    await plane.stop();
  }
}
