/**
 * The race that a namespace and its first pod run: both are created within the same 10 ms, and a binder binds the pod as soon as
 * it exists. No pod may come to be, and none may be bound, before the default-deny policy of its very namespace is in etcd. The
 * order is that of etcd itself: each write has a revision, and a watch tells it as the object's resourceVersion.
 *
 * Prints its figures and ends with 1 when a pod was faster. `node test/soak/race.ts [rounds]`, 500 by default.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { namespaceClosedBy } from '../../src/baseline/closed-door.ts';
import type { WireObject } from '../../src/cluster/wire.ts';
import type { GuardedCluster } from '../e2e/guarded-cluster.ts';
import { withCrowd } from './crowd.ts';
import { eventually, observe, quantile, say } from './observer.ts';

export interface RaceResult {
  readonly rounds: number;
  /** Namespaces whose pod was created or bound before the namespace was closed; or whose pod never was. */
  readonly violations: readonly string[];
  /** How long after its namespace a pod was sent, in milliseconds; of all rounds the longest. */
  readonly longestGap: number;
  /** How long the first try to create a pod took, in milliseconds. */
  readonly answers: readonly number[];
  /** Refusals that could be tried again. */
  readonly retries: number;
}

/** Revisions of one round. */
interface Round {
  closed?: number;
  created?: number;
  bound?: number;
}

const atOnce = 8;
const containers = [{ name: 'main', image: 'example.org/web' }];
const target = { apiVersion: 'v1', kind: 'Node', name: 'n1' };

export async function race({ plane, kubeconfig }: GuardedCluster, rounds: number): Promise<RaceResult> {
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
      const uid = namespaceClosedBy(object);
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
  let longestGap = 0;
  let retries = 0;
  async function run(index: number): Promise<void> {
    const name = `acme-race-${index}`;
    const namespace = await plane.request('POST', '/api/v1/namespaces', { metadata: { name } }, alice);
    const at = performance.now();
    if (namespace.status !== 201) throw new Error(`${name}: ${namespace.status} ${JSON.stringify(namespace.body)}`);
    // Some are bound by whoever creates them.
    const placed = index % 3 === 0 ? { nodeName: 'n1' } : {};
    const pod = { metadata: { name: 'first' }, spec: { containers, ...placed } };
    for (let attempt = 0; attempt < 20; attempt++) {
      const sentAt = performance.now();
      if (attempt === 0) longestGap = Math.max(longestGap, sentAt - at);
      const { status, body } = await plane.request('POST', `/api/v1/namespaces/${name}/pods`, pod, alice);
      if (attempt === 0) answers.push(performance.now() - sentAt);
      if (status === 201) return;
      if (status !== 503) throw new Error(`${name}: ${status} ${JSON.stringify(body)}`);
      retries++;
      await sleep(100);
    }
  }

  try {
    for (let index = 0; index < rounds; index += atOnce) {
      const group = Array.from({ length: Math.min(atOnce, rounds - index) }, (_, offset) => run(index + offset));
      await Promise.all(group);
    }
    await eventually('every pod is bound', () => [...seen.values()].filter(({ bound }) => bound).length === rounds);
    await Promise.all(binding);
  } finally {
    await observer.stop();
  }
  const violations: string[] = [];
  for (let index = 0; index < rounds; index++) {
    const name = `acme-race-${index}`;
    const { closed = Number.NaN, created = Number.NaN, bound = Number.NaN } = seen.get(name) ?? {};
    const sameNamespace = uids.get(name) === uids.get(`closed ${name}`);
    if (!(closed < created && created <= bound && sameNamespace))
      violations.push(`${name}: closed at ${closed}, pod created at ${created}, bound at ${bound}`);
  }
  return { rounds, violations, longestGap, answers, retries };
}

function isBound({ object }: WireObject): boolean {
  const { spec } = object as { readonly spec?: { readonly nodeName?: string } };
  return spec?.nodeName !== undefined;
}

export function describeRace({ rounds, violations, longestGap, answers, retries }: RaceResult): string {
  return (
    `${rounds} rounds, ${violations.length} pods before their policy; pod sent at most ${longestGap.toFixed(1)} ms after its ` +
    `namespace, answered after ${quantile(answers, 0.5).toFixed(0)} ms (median), ${quantile(answers, 0.99).toFixed(0)} ms (p99); ` +
    `${retries} refusals to try again`
  );
}

if (import.meta.main) {
  const result = await withCrowd((cluster) => race(cluster, Number(process.argv[2] ?? 500)));
  say(describeRace(result));
  for (const violation of result.violations) say(violation);
  process.exitCode = result.violations.length === 0 && result.longestGap < 10 ? 0 : 1;
}
