/**
 * How long a namespace is without its baseline, while twenty are created every second: from the moment a watch tells of the
 * namespace until it tells of the closed door, and of the last object that src/baseline computes for it (p99 of both at most
 * 500 ms); and how long a closed door stays away that somebody has deleted or opened (p99 at most 1 s).
 *
 * Prints its figures and ends with 1 when one of them is missed, when a namespace has anything but exactly its baseline in the
 * end, and when a closed door was not healed. `node test/soak/latency.ts [seconds]`, 30 by default.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { baselineOf, defaultDenyName } from '../../src/baseline/baseline.ts';
import { isManagedName } from '../../src/baseline/managed.ts';
import type { DecodedObject } from '../../src/client/decode.ts';
import { defaultDenyPath } from '../../src/facts/isolated-namespaces.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type Crowd, withCrowd } from './crowd.ts';
import { eventually, observe, quantile, say, uidOfIsolatedNamespace } from './observer.ts';

const perSecond = 20;
const healsPerSecond = 4;
/** A namespace is left alone for its first seconds. */
const hurtAfter = 5 * perSecond;

export interface LatencyResult {
  readonly namespaces: number;
  /** Objects of one baseline. */
  readonly objects: number;
  /** Milliseconds, one for each namespace: until it was closed, and until its baseline was whole. NaN: it never was. */
  readonly closed: readonly number[];
  readonly whole: readonly number[];
  /** Closed doors that were deleted or opened: the API server has said yes. */
  readonly hurt: number;
  /** Milliseconds, one for each of those that was seen hurt, and closed again after it. */
  readonly healed: readonly number[];
  /** Requests of this run itself that were refused, and namespaces that in the end have something else than their baseline. */
  readonly wrong: readonly string[];
}

/** p99, in milliseconds. */
export const fullLimits = { closed: 500, whole: 500, healed: 1_000 };

/** What should have been otherwise. Without limits nothing is asked of the speed. */
export function missedLatency(result: LatencyResult, limits?: typeof fullLimits): string[] {
  const { namespaces, hurt, healed } = result;
  const missed = [...result.wrong];
  for (const what of ['closed', 'whole'] as const) {
    const known = result[what].filter(Number.isFinite).length;
    if (known < namespaces || namespaces === 0) missed.push(`${known} of ${namespaces} namespaces were ${what}`);
  }
  if (healed.length !== hurt || hurt === 0) missed.push(`${healed.length} of ${hurt} closed doors were healed`);
  for (const what of limits === undefined ? [] : (['closed', 'whole', 'healed'] as const)) {
    const figure = quantile(result[what], 0.99);
    if (!(figure <= (limits?.[what] ?? 0))) missed.push(`${what} after ${figure.toFixed(0)} ms (p99)`);
  }
  return missed;
}

/** Moments at which a watch told of something. */
interface Told {
  created?: number;
  closed?: number;
  /** The last object of the baseline. */
  whole?: number;
  /** Managed objects that there are now. */
  readonly present: Set<string>;
  /** When the closed door was seen open or gone, after it had been closed. */
  hurt?: number;
}

export async function measureLatency({ plane, kubeconfig, tenancy }: Crowd, seconds: number): Promise<LatencyResult> {
  const alice = { kubeconfig: await kubeconfig('alice') };
  const observer = observe(plane.adminKubeconfig);
  const told = new Map<string, Told>();
  const healed: number[] = [];
  const acme = tenancy.tenants.get('acme');
  if (acme === undefined) throw new Error('the crowd has no tenant acme');
  const expected = new Set(
    baselineOf('any', acme, tenancy.settings).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
  );
  const tell = (name: string): Told => {
    const one = told.get(name) ?? { present: new Set() };
    told.set(name, one);
    return one;
  };
  const seen = (kind: string, { metadata: { namespace, name } }: DecodedObject): Told | undefined => {
    if (!isManagedName(name)) return undefined;
    const one = tell(namespace);
    one.present.add(`${kind} ${name}`);
    if (expected.isSubsetOf(one.present)) one.whole ??= performance.now();
    return one;
  };
  await observer.follow('/api/v1/namespaces', {
    changed({ metadata: { name } }) {
      if (name.startsWith('acme-late-')) tell(name).created ??= performance.now();
    },
  });
  await observer.follow('/apis/networking.k8s.io/v1/networkpolicies', {
    changed(policy) {
      const one = seen('NetworkPolicy', policy);
      if (one === undefined || policy.metadata.name !== defaultDenyName) return;
      const now = performance.now();
      if (uidOfIsolatedNamespace(policy.object) === undefined) one.hurt ??= now;
      else {
        one.closed ??= now;
        if (one.hurt !== undefined) healed.push(now - one.hurt);
        delete one.hurt;
      }
    },
    removed({ namespace, name }) {
      tell(namespace).present.delete(`NetworkPolicy ${name}`);
      if (name === defaultDenyName) tell(namespace).hurt ??= performance.now();
    },
  });
  await observer.follow('/api/v1/resourcequotas', {
    changed: (quota) => void seen('ResourceQuota', quota),
    removed: ({ namespace, name }) => void tell(namespace).present.delete(`ResourceQuota ${name}`),
  });

  const total = seconds * perSecond;
  const made = () => [...told].filter(([, { created }]) => created !== undefined);
  const wrong = () =>
    made()
      .filter(([, one]) => one.hurt !== undefined || one.present.symmetricDifference(expected).size > 0)
      .map(
        ([name, one]) =>
          `${name} ${one.hurt === undefined ? '' : 'is open, and '}has ${[...one.present].join(', ') || 'nothing'}`,
      );
  const refused: string[] = [];
  let hurt = 0;
  try {
    await createAndHurt();
    const quiet = () => made().length === total && healed.length === hurt && wrong().length === 0;
    // What is missing is said by the result.
    await eventually('every namespace has its baseline', quiet, 30).catch(() => {});
  } finally {
    await observer.stop();
  }
  async function send(...request: Parameters<ControlPlane['request']>): Promise<boolean> {
    const [method, path] = request;
    const { status, body } = await plane.request(...request);
    if (status > 299) refused.push(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return status <= 299;
  }
  async function hurtDoor(namespace: string, opened: boolean): Promise<void> {
    const path = defaultDenyPath(namespace);
    // Not to everybody: nobody gets that past the checks.
    const open = { spec: { ingress: [{ from: [{ podSelector: {} }] }] } };
    const merge = { contentType: 'application/merge-patch+json' };
    if (await (opened ? send('PATCH', path, open, merge) : send('DELETE', path))) hurt++;
  }
  async function createAndHurt(): Promise<void> {
    const requests: Promise<unknown>[] = [];
    const startedAt = performance.now();
    for (let index = 0; index < total; index++) {
      await sleep(Math.max(0, startedAt + (index * 1000) / perSecond - performance.now()));
      const metadata = { name: `acme-late-${index}` };
      requests.push(send('POST', '/api/v1/namespaces', { metadata }, alice));
      const old = `acme-late-${index - hurtAfter}`;
      if (index % (perSecond / healsPerSecond) === 0 && told.get(old)?.closed !== undefined)
        requests.push(hurtDoor(old, index % 2 === 0));
    }
    await Promise.all(requests);
  }
  const since = (moment: (one: Told) => number | undefined) =>
    made().map(([, one]) => (moment(one) ?? Number.NaN) - (one.created ?? Number.NaN));
  return {
    namespaces: total,
    objects: expected.size,
    closed: since(({ closed }) => closed),
    whole: since(({ whole }) => whole),
    hurt,
    healed,
    wrong: [...refused, ...wrong()],
  };
}

export function describeLatency({ namespaces, objects, closed, whole, hurt, healed }: LatencyResult): string {
  const figures = (values: readonly number[]): string =>
    `${quantile(values, 0.5).toFixed(0)} ms (median), ${quantile(values, 0.99).toFixed(0)} ms (p99), ${Math.max(...values).toFixed(0)} ms (longest)`;
  return [
    `${namespaces} namespaces, ${perSecond} a second`,
    `closed after ${figures(closed)}`,
    `whole after  ${figures(whole)}, ${objects} objects each`,
    `healed after ${figures(healed)}, ${healed.length} of ${hurt}`,
  ].join('\n');
}

if (import.meta.main) {
  const result = await withCrowd((cluster) => measureLatency(cluster, Number(process.argv[2] ?? 30)));
  say(describeLatency(result));
  const missed = missedLatency(result, fullLimits);
  for (const one of missed) say(one);
  process.exitCode = missed.length === 0 ? 0 : 1;
}
