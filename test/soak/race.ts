/**
 * The race that a namespace and its first pod run: both are created within the same 10 ms, and a binder binds the pod as soon as
 * it exists. No pod may come to be, and none may be bound, before the default-deny policy of its very namespace is in etcd. The
 * order is that of etcd itself: each write has a revision, and a watch tells it as the object's resourceVersion.
 *
 * Both are sent at once; the API server gives a pod 50 ms for its namespace to appear, and then it is sent again at once. A round
 * counts when, by the clock of the API server itself, the request that created the pod arrived at most 10 ms after the answer for
 * its namespace. Others are raced all the same, and made up for by further rounds.
 *
 * Prints its figures and ends with 1 when a pod was faster, when too few rounds count, and when the binder did not bind.
 * `node test/soak/race.ts [rounds]`, 500 by default.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DecodedObject } from '../../src/client/decode.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import type { GuardedCluster } from '../e2e/guarded-cluster.ts';
import { withCrowd } from './crowd.ts';
import { eventually, observe, quantile, say, uidOfIsolatedNamespace } from './observer.ts';

export interface RaceResult {
  /** All rounds, also those that do not count. */
  readonly rounds: number;
  /** Milliseconds from namespace to pod, one for each round; below 0 the pod came first. NaN: the API server does not know. */
  readonly gaps: readonly number[];
  /** Pods that were there without a node first, and that the binder has bound since. */
  readonly bound: number;
  /** Namespaces whose pod was created or bound before the namespace was closed; or whose pod never was. */
  readonly violations: readonly string[];
  /** How long it took to create a pod whose namespace was there, in milliseconds. */
  readonly answers: readonly number[];
  /** Refusals that could be tried again. */
  readonly retries: number;
}

/** Within so many milliseconds is at once. */
const longestGap = 10;
/** Bound by whoever creates them, which leaves the binder the others. */
const placedEvery = 3;

function counted({ gaps }: Pick<RaceResult, 'gaps'>): number {
  return gaps.filter((gap) => gap <= longestGap).length;
}

/** What should have been otherwise. */
export function missedRace(result: RaceResult, wanted: number): string[] {
  const missed = [...result.violations];
  if (counted(result) < wanted)
    missed.push(
      `namespace and pod were created within ${longestGap} ms in ${counted(result)} rounds instead of ${wanted}`,
    );
  const binds = Math.floor(wanted / 2);
  if (result.bound < binds) missed.push(`the binder bound ${result.bound} pods, and not at least ${binds}`);
  return missed;
}

/** Revisions of one round. */
interface Round {
  closed?: number;
  created?: number;
  bound?: number;
}

const atOnce = 4;
const containers = [{ name: 'main', image: 'example.org/web' }];
const target = { apiVersion: 'v1', kind: 'Node', name: 'n1' };

/** @param wanted rounds that count; at most four times as many are run */
export async function race({ plane, kubeconfig }: GuardedCluster, wanted: number): Promise<RaceResult> {
  const alice = { kubeconfig: await kubeconfig('alice') };
  const observer = observe(plane.adminKubeconfig);
  const seen = new Map<string, Round>();
  const uids = new Map<string, string>();
  const binding = new Set<Promise<unknown>>();
  const roundOf = (name: string): Round => {
    const round = seen.get(name) ?? {};
    seen.set(name, round);
    return round;
  };
  const bind = (namespace: string): void => {
    const request = plane
      .request('POST', `/api/v1/namespaces/${namespace}/pods/first/binding`, { metadata: { name: 'first' }, target })
      .finally(() => binding.delete(request));
    binding.add(request);
  };
  await observer.follow('/api/v1/namespaces', {
    changed: ({ metadata }) => void uids.set(metadata.name, metadata.uid),
  });
  await observer.follow('/apis/networking.k8s.io/v1/networkpolicies', {
    changed({ metadata: { namespace, resourceVersion }, object }) {
      const uid = uidOfIsolatedNamespace(object);
      if (uid === undefined) return;
      const round = roundOf(namespace);
      // The watch of the namespaces may be behind; whose uid it is, is looked at when all is told.
      uids.set(`closed ${namespace}`, uid);
      round.closed ??= Number(resourceVersion);
    },
  });
  await observer.follow('/api/v1/pods', {
    changed(pod) {
      const { namespace, resourceVersion } = pod.metadata;
      const round = roundOf(namespace);
      if (round.created === undefined && !isBound(pod)) bind(namespace);
      round.created ??= Number(resourceVersion);
      if (isBound(pod)) round.bound ??= Number(resourceVersion);
    },
  });

  const answers: number[] = [];
  let retries = 0;
  async function run(index: number): Promise<void> {
    const name = nameOf(index);
    const creating = plane.request('POST', '/api/v1/namespaces', { metadata: { name } }, alice);
    // Only the platform may choose a node.
    const [placed, sender] = isPlaced(index) ? [{ nodeName: 'n1' }, {}] : [{}, alice];
    const pod = { metadata: { name: 'first' }, spec: { containers, ...placed } };
    for (let attempt = 0; attempt < 50; attempt++) {
      const sentAt = performance.now();
      const { status, body } = await plane.request('POST', `/api/v1/namespaces/${name}/pods`, pod, sender);
      if (status === 201) {
        answers.push(performance.now() - sentAt);
        const namespace = await creating;
        if (namespace.status === 201) return;
        throw new Error(`${name}: ${namespace.status} ${JSON.stringify(namespace.body)}`);
      }
      if (status !== 404 && status !== 503) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`);
      if (status === 404) continue;
      retries++;
      await sleep(100);
    }
    throw new Error(`${name}: no pod was let in`);
  }

  let rounds = 0;
  let gaps: readonly number[] = [];
  try {
    while (counted({ gaps }) < wanted && rounds < 4 * wanted) {
      const missing = Math.min(wanted - counted({ gaps }), 4 * wanted - rounds);
      for (let left = missing; left > 0; left -= atOnce) {
        const group = Array.from({ length: Math.min(atOnce, left) }, () => run(rounds++));
        await Promise.all(group);
      }
      gaps = await gapsOf(plane, rounds);
    }
    const isEveryPodBound = () => [...seen.values()].filter(({ bound }) => bound).length === rounds;
    // Which are not is said by the violations.
    await eventually('every pod is bound', isEveryPodBound, 30).catch(() => {});
    await Promise.all(binding);
  } finally {
    await observer.stop();
  }
  const violations: string[] = [];
  let bindings = 0;
  for (let index = 0; index < rounds; index++) {
    const name = nameOf(index);
    const { closed = Number.NaN, created = Number.NaN, bound = Number.NaN } = seen.get(name) ?? {};
    const sameNamespace = uids.get(name) === uids.get(`closed ${name}`);
    if (created < bound) bindings++;
    const isBoundInTime = isPlaced(index) ? created === bound : created < bound;
    if (!(closed < created && isBoundInTime && sameNamespace))
      violations.push(`${name}: closed at ${closed}, pod created at ${created}, bound at ${bound}`);
  }
  return { rounds, gaps, bound: bindings, violations, answers, retries };
}

function nameOf(index: number): string {
  return `acme-race-${index}`;
}

function isPlaced(index: number): boolean {
  return index % placedEvery === 0;
}

/** From the answer for the namespace to the arrival of the request that created its pod, as the audit log has it. */
async function gapsOf(plane: ControlPlane, rounds: number): Promise<number[]> {
  const answered = new Map<string, number>();
  const arrived = new Map<string, number>();
  await eventually('the audit log has every round', async () => {
    for (const {
      verb,
      objectRef,
      responseStatus,
      requestReceivedTimestamp,
      stageTimestamp,
    } of await plane.auditEvents()) {
      const { resource, subresource, namespace, name } = objectRef ?? {};
      if (verb !== 'create' || subresource !== undefined || responseStatus?.code !== 201) continue;
      if (resource === 'namespaces') answered.set(name ?? '', millisecondsOf(stageTimestamp));
      if (resource === 'pods') arrived.set(namespace ?? '', millisecondsOf(requestReceivedTimestamp));
    }
    return answered.size >= rounds && arrived.size >= rounds;
  });
  return Array.from({ length: rounds }, (_, index) => {
    const name = nameOf(index);
    return (arrived.get(name) ?? Number.NaN) - (answered.get(name) ?? Number.NaN);
  });
}

/** Of a time with microseconds, which Date would cut off. */
function millisecondsOf(time: string): number {
  const [, seconds = '', fraction = '0'] = /^(.+?)(\.\d+)?Z$/.exec(time) ?? [];
  return Date.parse(`${seconds}Z`) + Number(fraction) * 1000;
}

function isBound({ object }: DecodedObject): boolean {
  const { spec } = object as { readonly spec?: { readonly nodeName?: string } };
  return spec?.nodeName !== undefined;
}

export function describeRace(result: RaceResult): string {
  const { rounds, gaps, bound, violations, answers, retries } = result;
  const figures = (values: readonly number[], digits: number): string =>
    `${quantile(values, 0.5).toFixed(digits)} ms (median), ${quantile(values, 0.99).toFixed(digits)} ms (p99)`;
  return [
    `${rounds} rounds, ${counted(result)} within ${longestGap} ms; ${violations.length} violations; ${bound} pods bound by the binder`,
    `the pod came ${figures(gaps, 1)} after its namespace, and was answered after ${figures(answers, 0)}; ${retries} refusals to try again`,
  ].join('\n');
}

if (import.meta.main) {
  const wanted = Number(process.argv[2] ?? 500);
  const result = await withCrowd((cluster) => race(cluster, wanted));
  say(describeRace(result));
  const missed = missedRace(result, wanted);
  for (const one of missed) say(one);
  process.exitCode = missed.length === 0 ? 0 : 1;
}
