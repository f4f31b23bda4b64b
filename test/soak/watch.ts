/**
 * What is known of a cluster is what the cluster has, whatever lies between: 10,000 random creates, updates and deletes, followed
 * through a proxy that does everything a network can, while the API server is killed and started again twenty times, and etcd
 * forgets its history. Changes of one object arrive in order, and at rest the cache is the list.
 *
 * Time passes ten times as fast for the follower, so that silent connections are given up after 9 s and comparisons with the
 * server happen every minute. Chance comes from a seed that is printed. Prints its figures and ends with 1 when anything is
 * missed. `node test/soak/watch.ts [changes] [kills] [seed]`, some minutes.
 */
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '../../src/cluster/clock.ts';
import { createConnection } from '../../src/cluster/connection.ts';
import { type ListWatch, startListWatch, type WatchCounters } from '../../src/cluster/list-watch.ts';
import { findBinaries } from '../apiserver/binaries.ts';
import { type ControlPlane, startControlPlane } from '../apiserver/control-plane.ts';
import { faults, startFaultProxy } from './fault-proxy.ts';
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
}

export interface WatchResult {
  readonly written: number;
  readonly inflicted: Readonly<Record<string, number>>;
  readonly compactions: number;
  /** How often the API server itself said that history is gone. */
  readonly gone: number;
  readonly counters: readonly WatchCounters[];
  /** Sentences about what should not have been. */
  readonly violations: readonly string[];
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
  { changes, kills, seed }: WatchOptions,
): Promise<WatchResult> {
  const chance = mulberry32(seed);
  const proxy = await startFaultProxy(plane);
  const violations: string[] = [];
  const authentication = { credentials: async () => ({ server: proxy.url, headers: {}, tls: {} }), refused: () => {} };
  const connection = createConnection(authentication, hurried);
  const followed = kinds.map(({ all, selector }) => {
    const cache = new Map<string, { readonly uid: string; readonly version: number }>();
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
          if (before !== undefined && before.version >= version)
            violations.push(`${key}: ${version} after ${before.version}`);
          cache.set(key, { uid, version });
        },
        removed({ namespace, name, uid }) {
          const key = `${namespace}/${name}`;
          if (cache.get(key)?.uid !== uid) violations.push(`${key}: the end of what is not known`);
          cache.delete(key);
        },
      },
    });
    return { cache, watch };
  });

  let written = 0;
  let done = false;
  async function write(): Promise<void> {
    while (written < changes) {
      const { path } = kinds[chance() < 0.5 ? 0 : 1];
      const name = `object-${Math.floor(chance() * namesPerKind)}`;
      try {
        if (await change(plane, path, name, chance())) written++;
      } catch {
        // The API server is away.
        await sleep(100);
      }
    }
  }
  async function disturb(): Promise<void> {
    while (!done) {
      const fault = faults[Math.floor(chance() * faults.length)];
      if (fault !== undefined) proxy.inflict(fault, chance());
      await sleep(faultEvery);
    }
  }
  let compactions = 0;
  async function kill(): Promise<void> {
    for (let killed = 0; killed < kills; killed++) {
      await eventually('so many are written', () => written >= ((killed + 1) * changes) / (kills + 2), 600);
      if (await compact(plane)) compactions++;
      await plane.killApiServer();
      await plane.startApiServer();
    }
  }
  try {
    const disturbing = disturb();
    await Promise.all([kill(), ...Array.from({ length: writers }, write)]);
    done = true;
    await disturbing;

    // From now on everything works. A connection that has gone silent is noticed after 9 s.
    for (const [index, { cache }] of followed.entries()) {
      const kind = kinds[index];
      if (kind === undefined) continue;
      const selector = kind.selector === undefined ? '' : `?labelSelector=${encodeURIComponent(kind.selector)}`;
      const same = async (): Promise<boolean> => {
        const { items } = (await plane.request('GET', `${kind.all}${selector}`)).body as Listed;
        const listed = items.map(
          ({ metadata }) => `${metadata.namespace}/${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`,
        );
        const known = [...cache].map(([key, { uid, version }]) => `${key} ${uid} ${version}`);
        return listed.sort().join() === known.sort().join();
      };
      await eventually(`what is known of ${kind.all} is the list`, same, 30).catch((error: Error) =>
        violations.push(error.message),
      );
    }
    const counters = followed.map(({ watch }) => watch.counters());
    for (const { divergences, handlerErrors } of counters) {
      if (divergences + handlerErrors > 0)
        violations.push(`${divergences} divergences, ${handlerErrors} handler errors`);
    }
    return { written, inflicted: proxy.inflicted, compactions, gone: proxy.gone(), counters, violations };
  } finally {
    done = true;
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

/** Has etcd forget everything up to now, over the socket in the control plane's folder. */
async function compact(plane: ControlPlane): Promise<boolean> {
  const { body } = await plane.request('GET', '/api/v1/namespaces?limit=1');
  const { metadata } = body as { readonly metadata: { readonly resourceVersion: string } };
  return await new Promise((resolve) => {
    const request = httpRequest(
      { socketPath: join(plane.directory, 'etcd:1'), method: 'POST', path: '/v3/kv/compaction' },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on('error', () => resolve(false));
    request.end(JSON.stringify({ revision: metadata.resourceVersion }));
  });
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

export function describeWatch({ written, inflicted, compactions, gone, counters, violations }: WatchResult): string {
  const total = (figure: (one: WatchCounters) => number): number => counters.reduce((sum, one) => sum + figure(one), 0);
  return [
    `${written} changes; ${Object.entries(inflicted)
      .map(([fault, times]) => `${fault}: ${times}`)
      .join(', ')}; ${compactions} compactions, ${gone} times the API server said 410`,
    `${total(({ lists }) => lists)} lists, ${total(({ watches }) => watches)} watches, ${total(({ comparisons }) => comparisons)} comparisons, ` +
      `${total(({ divergences }) => divergences)} divergences`,
    ...violations,
  ].join('\n');
}

if (import.meta.main) {
  const [changes = 10_000, kills = 20, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
  say(`seed ${seed}`);
  const binaries = await findBinaries();
  if ('missing' in binaries) throw new Error(binaries.missing);
  const plane = await startControlPlane({ binaries, controllers: false });
  try {
    const result = await watchThroughFaults(plane, { changes, kills, seed });
    say(describeWatch(result));
    process.exitCode = result.violations.length === 0 ? 0 : 1;
  } finally {
    await plane.stop();
  }
}
