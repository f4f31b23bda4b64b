/**
 * Compares webhooks at the API server, by its own histogram and by the time that a user waits: pods are created 200 times a second while 5,000
 * namespaces of a tenant are known, and in each round the API server calls in turn no webhook, a bare `node:https` server that allows
 * everything at once (bare-service.ts), and Bulkhead. The machine is the same for all three, in the same minute.
 *
 *   creates      what Bulkhead adds, the median of the rounds, is at most 1.25 times what the bare server adds at p50, and 1.5 times at p99
 *   calls        the share within 5 ms, as the API server's own histogram has it, is at most two percentage points below the bare server's
 *
 * Alike for both: the webhook configurations with their match conditions and paths, two processes with the flags of the image, the
 * warm-up before each block. Which one comes first rotates. The other one is idle meanwhile.
 *
 * The pods go to twenty of the namespaces. For each namespace that has no LimitRange the API server asks itself once in 30 seconds,
 * 50 times a second at most (LimitRanger, apiserver's loopback client): spread over all of them, a create waits 45 ms for that
 * alone, with or without a webhook.
 *
 * `node test/soak/api-server.ts [--rounds 5] [--namespaces 5000] [--per-second 200]`, about ten minutes: it begins when every namespace
 * has its baseline. Ends with 1 when something was missed.
 */
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { baselineOf } from '../../src/baseline/baseline.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type Arm, arms, callOnly, startBareService, type Webhook } from './bare-service.ts';
import { type GuardedService, guardService } from './guarded-service.ts';
import { eventually, quantile } from './observer.ts';
import { missedCounts } from './rollout.ts';
import { soakInNetwork } from './soak-network.ts';
import { conclude, milliseconds, table } from './table.ts';
import { since, type WebhookCounts, webhookCounts } from './webhook-counts.ts';

export interface ApiServerOptions {
  readonly rounds: number;
  readonly perSecond: number;
  readonly blockSeconds: number;
}

/** Milliseconds that the creates of a round took. */
export type Round = Readonly<Record<Arm, readonly number[]>>;

/** What the creates of some blocks have cost. */
interface Cost {
  readonly creates: number;
  /** Seconds of processor time of the API server alone. */
  readonly apiServer: number;
  /** Seconds, all processors together. */
  readonly busy: number;
  readonly idle: number;
}

/** What it is judged by. */
export interface Judged {
  readonly rounds: readonly Round[];
  readonly failed: readonly string[];
  readonly counts: Readonly<Record<Webhook, WebhookCounts>>;
}

export interface ApiServerResult extends Judged {
  readonly costs: Readonly<Record<Arm, Cost>>;
  /** Processes that ended otherwise than they should. */
  readonly wrong: readonly string[];
}

const busyNamespaces = 20;
/** Beyond so many without an answer nothing is sent: the load is bounded, whatever happens. */
const mostAtOnce = 400;

/** How many times what the bare server adds; and by how much its share of fast calls may be greater. */
export const fullLimits = { p50: 1.25, p99: 1.5, share: 0.02 };
const quantiles = { p50: 0.5, p99: 0.99 } as const;

function fastShare({ fast, timed }: WebhookCounts): number {
  return fast / timed;
}

/** How much slower creates are than without a webhook, in milliseconds: the median of the rounds. */
export function added(rounds: readonly Round[], webhook: Webhook, share: number): number {
  return quantile(
    rounds.map((round) => quantile(round[webhook], share) - quantile(round.none, share)),
    0.5,
  );
}

/** What should have been otherwise. Without limits nothing is asked of the speed. */
export function missedApiServer({ rounds, failed, counts }: Judged, limits?: typeof fullLimits): string[] {
  const missed: string[] = [];
  for (const webhook of ['bare', 'bulkhead'] as const) {
    const creates = rounds.reduce((sum, round) => sum + round[webhook].length, 0);
    missed.push(...missedCounts(creates, counts[webhook]).map((one) => `${webhook}: ${one}`));
    if (!Number.isFinite(added(rounds, webhook, 0.5))) missed.push(`${webhook}: there is nothing to compare`);
  }
  if (failed.length > 0) missed.push(`${failed.length} creates failed, the first: ${failed[0]}`);
  if (limits === undefined) return missed;
  for (const name of ['p50', 'p99'] as const) {
    const [bulkhead, bare] = [added(rounds, 'bulkhead', quantiles[name]), added(rounds, 'bare', quantiles[name])];
    if (!(bulkhead <= limits[name] * bare))
      missed.push(`${name}: ${milliseconds(bulkhead)} are added, and ${milliseconds(bare)} by the bare server`);
  }
  const [bulkhead, bare] = [fastShare(counts.bulkhead), fastShare(counts.bare)];
  if (!(bulkhead >= bare - limits.share))
    missed.push(
      `${percent(bulkhead)} of the calls took at most 5 ms, and ${percent(bare)} of those of the bare server`,
    );
  return missed;
}

export async function measureApiServer(service: GuardedService, options: ApiServerOptions): Promise<ApiServerResult> {
  const { plane } = service;
  const rounds: Round[] = [];
  const failed: string[] = [];
  const namespaces = service.namespaces.slice(0, busyNamespaces);
  const counts = { bare: noCounts, bulkhead: noCounts };
  const costs = { none: noCost, bare: noCost, bulkhead: noCost };
  let index = 0;
  let waiting = 0;

  async function block(): Promise<number[]> {
    const took: number[] = [];
    const requests: Promise<void>[] = [];
    const start = performance.now();
    for (let sent = 0; sent < options.perSecond * options.blockSeconds; sent++) {
      const due = start + (sent * 1000) / options.perSecond;
      await sleep(Math.max(0, due - performance.now()));
      if (waiting < mostAtOnce) requests.push(create(due, took));
      else failed.push(`${mostAtOnce} creates are without an answer already`);
    }
    await Promise.all(requests);
    return took;
  }

  async function create(due: number, took: number[]): Promise<void> {
    const name = `compared-${index++}`;
    const path = `/api/v1/namespaces/${namespaces[index % namespaces.length]}/pods`;
    const pod = { metadata: { name }, spec: { containers: [{ name: 'main', image: 'example.org/web' }] } };
    waiting++;
    const { status, text } = await plane.request('POST', path, pod, { kubeconfig: service.kubeconfig });
    waiting--;
    took.push(performance.now() - due);
    if (status !== 201) failed.push(`${status} ${text}`);
  }

  async function measure(arm: Arm): Promise<number[]> {
    await callOnly(arm, service);
    // Connections are open, and what was under way is over.
    await warmUp(plane, service);
    const before = await plane.metrics();
    const processors = processorTimes();
    const took = await block();
    const now = processorTimes();
    const after = await plane.metrics();
    if (arm !== 'none') counts[arm] = sumOf(counts[arm], since(webhookCounts(before), webhookCounts(after)));
    costs[arm] = {
      creates: costs[arm].creates + took.length,
      apiServer: costs[arm].apiServer + processorSeconds(after) - processorSeconds(before),
      busy: costs[arm].busy + now.busy - processors.busy,
      idle: costs[arm].idle + now.idle - processors.idle,
    };
    return took;
  }

  const bare = await startBareService(service);
  try {
    for (let round = 0; round < options.rounds; round++) {
      const took: Record<Arm, number[]> = { none: [], bare: [], bulkhead: [] };
      for (const arm of inOrder(round)) took[arm] = await measure(arm);
      rounds.push(took);
    }
    await callOnly('bulkhead', service);
  } finally {
    await bare.stop();
  }
  return { rounds, failed, counts, costs, wrong: bare.wrong };
}

/** Every arm is first, second and last in turn, and follows either of the others. */
export function inOrder(round: number): Arm[] {
  const first = round % arms.length;
  const rotated = [...arms.slice(first), ...arms.slice(0, first)];
  return Math.floor(round / arms.length) % 2 === 0 ? rotated : rotated.reverse();
}

const noCost: Cost = { creates: 0, apiServer: 0, busy: 0, idle: 0 };
const noCounts: WebhookCounts = { requests: 0, callErrors: 0, failOpen: 0, fast: 0, timed: 0 };

function sumOf(one: WebhookCounts, other: WebhookCounts): WebhookCounts {
  return {
    requests: one.requests + other.requests,
    callErrors: one.callErrors + other.callErrors,
    failOpen: one.failOpen + other.failOpen,
    fast: one.fast + other.fast,
    timed: one.timed + other.timed,
  };
}

function processorSeconds(metrics: string): number {
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(metrics)?.[1]);
}

/** Seconds since the start of the machine. */
function processorTimes(): Pick<Cost, 'busy' | 'idle'> {
  const times = cpus().map((one) => one.times);
  const seconds = (field: keyof (typeof times)[number]) => times.reduce((sum, one) => sum + one[field], 0) / 1000;
  return { busy: seconds('user') + seconds('nice') + seconds('sys') + seconds('irq'), idle: seconds('idle') };
}

/** Opens the connections of the API server to its webhook. */
export async function warmUp(plane: ControlPlane, { kubeconfig, namespaces }: GuardedService): Promise<void> {
  const pod = { metadata: { name: 'warm' }, spec: { containers: [{ name: 'main', image: 'example.org/web' }] } };
  const path = `/api/v1/namespaces/${namespaces[0]}/pods?dryRun=All`;
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 20 }, () => plane.request('POST', path, pod, { kubeconfig })));
    await sleep(100);
  }
}

/** Before every namespace has its baseline Bulkhead has other things to do. */
export async function untilIsolated({ plane, namespaces, tenancy }: GuardedService): Promise<void> {
  const acme = tenancy.tenants.get('acme');
  if (acme === undefined) throw new Error('there is no tenant acme');
  const policies = baselineOf('any', acme, tenancy.settings).filter(({ kind }) => kind === 'NetworkPolicy');
  const path = '/apis/networking.k8s.io/v1/networkpolicies?limit=1';
  await eventually(
    'every namespace has its baseline',
    async () => {
      await sleep(1000);
      const { items, metadata } = (await plane.request('GET', path)).body as {
        readonly items: readonly unknown[];
        readonly metadata: { readonly remainingItemCount?: number };
      };
      return items.length + (metadata.remainingItemCount ?? 0) >= namespaces.length * policies.length;
    },
    1200,
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

export function describeApiServer({ rounds, failed, counts, costs }: ApiServerResult): string {
  const cost = ({ apiServer, creates }: Cost) => milliseconds((apiServer * 1000) / creates);
  const busy = ({ busy, idle }: Cost) => `${((100 * busy) / (busy + idle)).toFixed(0)} %`;
  const rows = arms.map((arm) => {
    const all = rounds.flatMap((round) => round[arm]);
    const adds = (share: number) => (arm === 'none' ? '' : `${added(rounds, arm, share).toFixed(2)} ms`);
    const times = [0.5, 0.99].map((share) => milliseconds(quantile(all, share)));
    const calls = arm === 'none' ? '' : percent(fastShare(counts[arm]));
    return [arm, all.length, ...times, adds(0.5), adds(0.99), calls, cost(costs[arm]), busy(costs[arm])];
  });
  const heads = ['p50', 'p99', 'adds at p50', 'at p99', 'calls within 5 ms', 'API server a create', 'processors busy'];
  const times = (share: number) => (added(rounds, 'bulkhead', share) / added(rounds, 'bare', share)).toFixed(2);
  return [
    table([['create pod', 'creates', ...heads], ...rows]),
    `Bulkhead adds ${times(0.5)} times what the bare server adds at p50, and ${times(0.99)} times at p99`,
    `${counts.bulkhead.timed} calls of Bulkhead; calling_webhook_error ${counts.bulkhead.callErrors}, ` +
      `fail_open_count ${counts.bulkhead.failOpen}, ${failed.length} creates failed`,
  ].join('\n');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      namespaces: { type: 'string', default: '5000' },
      'per-second': { type: 'string', default: '200' },
    },
  });
  await soakInNetwork(import.meta.url, async (plane) => {
    const service = await guardService(plane, { namespaces: Number(values.namespaces) });
    try {
      await untilIsolated(service);
      const options = { rounds: Number(values.rounds), perSecond: Number(values['per-second']), blockSeconds: 10 };
      const result = await measureApiServer(service, options);
      const missed = missedApiServer(result, fullLimits);
      conclude(describeApiServer(result), [...missed, ...result.wrong, ...service.replicas.wrong]);
    } finally {
      await service.stop();
    }
  });
}
