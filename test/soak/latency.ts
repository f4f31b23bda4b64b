/**
 * How long a namespace is without its baseline, while twenty are created every second: from the moment a watch tells of the
 * namespace until it tells of the last object of its baseline (p99 at most 500 ms), and how long a closed door stays away that
 * somebody has deleted or opened (p99 at most 1 s).
 *
 * Prints its figures and ends with 1 when one of them is missed. `node test/soak/latency.ts [seconds]`, 30 by default.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { namespaceClosedBy } from '../../src/baseline/closed-door.ts';
import { isManagedName } from '../../src/baseline/managed.ts';
import { closedDoorPath } from '../../src/cluster/closed-namespaces.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import type { GuardedCluster } from '../e2e/guarded-cluster.ts';
import { withCrowd } from './crowd.ts';
import { eventually, observe, quantile, say } from './observer.ts';

const perSecond = 20;
const healsPerSecond = 4;
const limits = { baseline: 500, heal: 1_000 };

export interface LatencyResult {
  readonly namespaces: number;
  /** Milliseconds, one for each namespace: until it was closed, and until its baseline was whole. */
  readonly closed: readonly number[];
  readonly whole: readonly number[];
  /** Milliseconds, one for each closed door that was deleted or opened. */
  readonly healed: readonly number[];
}

/** Moments at which a watch told of something. */
interface Told {
  created?: number;
  closed?: number;
  policies: Set<string>;
  lastPolicy?: number;
  /** When it was seen open, after it had been closed. */
  hurt?: number;
}

export async function measureLatency(cluster: GuardedCluster, seconds: number): Promise<LatencyResult> {
  const { plane, kubeconfig } = cluster;
  const alice = { kubeconfig: await kubeconfig('alice') };
  const observer = observe(plane.adminKubeconfig);
  const told = new Map<string, Told>();
  const healed: number[] = [];
  const tell = (name: string): Told => {
    const one = told.get(name) ?? { policies: new Set() };
    told.set(name, one);
    return one;
  };
  await observer.follow('/api/v1/namespaces', {
    changed({ metadata: { name } }) {
      if (name.startsWith('acme-late-')) tell(name).created ??= performance.now();
    },
  });
  await observer.follow('/apis/networking.k8s.io/v1/networkpolicies', {
    changed({ metadata: { namespace, name }, object }) {
      if (!isManagedName(name)) return;
      const one = tell(namespace);
      const now = performance.now();
      if (!one.policies.has(name)) one.lastPolicy = now;
      one.policies.add(name);
      if (name !== 'bulkhead-default-deny') return;
      if (namespaceClosedBy(object) === undefined) one.hurt ??= now;
      else {
        one.closed ??= now;
        if (one.hurt !== undefined) healed.push(now - one.hurt);
        delete one.hurt;
      }
    },
    removed({ namespace, name }) {
      if (name === 'bulkhead-default-deny') tell(namespace).hurt ??= performance.now();
    },
  });

  const total = seconds * perSecond;
  const made = () => [...told.values()].filter(({ created }) => created !== undefined);
  try {
    await createAndHurt();
    const most = () => Math.max(...made().map(({ policies }) => policies.size));
    await eventually('every namespace has its baseline', () => {
      const full = most();
      return (
        made().length === total && made().every(({ policies, hurt }) => policies.size === full && hurt === undefined)
      );
    });
  } finally {
    await observer.stop();
  }
  async function createAndHurt(): Promise<void> {
    const requests: Promise<unknown>[] = [];
    const startedAt = performance.now();
    for (let index = 0; index < total; index++) {
      await sleep(Math.max(0, startedAt + (index * 1000) / perSecond - performance.now()));
      const metadata = { name: `acme-late-${index}` };
      requests.push(plane.request('POST', '/api/v1/namespaces', { metadata }, alice));
      const old = `acme-late-${index - 5 * perSecond}`;
      if (index % (perSecond / healsPerSecond) === 0 && told.get(old)?.closed !== undefined)
        requests.push(hurt(plane, old, index));
    }
    await Promise.all(requests);
  }
  const since = (moment: (one: Told) => number | undefined) =>
    made().map((one) => (moment(one) ?? Number.NaN) - (one.created ?? Number.NaN));
  return {
    namespaces: total,
    closed: since(({ closed }) => closed),
    whole: since(({ lastPolicy }) => lastPolicy),
    healed,
  };
}

async function hurt(plane: ControlPlane, namespace: string, index: number): Promise<void> {
  const path = closedDoorPath(namespace);
  if (index % 2 === 0) await plane.request('DELETE', path);
  else await plane.request('PATCH', path, { spec: { ingress: [{}] } }, { contentType: 'application/merge-patch+json' });
}

export function describeLatency({ namespaces, closed, whole, healed }: LatencyResult): string {
  const figures = (values: readonly number[]): string =>
    `${quantile(values, 0.5).toFixed(0)} ms (median), ${quantile(values, 0.99).toFixed(0)} ms (p99), ${Math.max(...values).toFixed(0)} ms (longest)`;
  return [
    `${namespaces} namespaces, ${perSecond} a second`,
    `closed after        ${figures(closed)}`,
    `whole baseline after ${figures(whole)}`,
    `healed after        ${figures(healed)}, ${healed.length} times`,
  ].join('\n');
}

if (import.meta.main) {
  const result = await withCrowd((cluster) => measureLatency(cluster, Number(process.argv[2] ?? 30)));
  say(describeLatency(result));
  const met =
    quantile(result.whole, 0.99) <= limits.baseline &&
    quantile(result.healed, 0.99) <= limits.heal &&
    result.healed.length > 0;
  process.exitCode = met ? 0 : 1;
}
