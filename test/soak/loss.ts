/**
 * A replica is lost under load.
 *
 *   SIGKILL   of one of two, again and again, at every phase of the kubelet's look at its processes: from one second later on no
 *             create fails. Until then some do: what was in flight, and new connections to an address that the API server still has
 *   SIGSTOP   of one of two: nobody waits longer than `timeoutSeconds` (and what the way there and back takes), and in every second
 *             others get through
 *
 * `node test/soak/loss.ts [--kills 10] [--hang 20]`: so many kills, so many seconds without a sign of life; about five minutes.
 * Ends with 1 when something was missed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Create, startCreates } from './creates.ts';
import { type GuardedService, guardService } from './guarded-service.ts';
import { eventually } from './observer.ts';
import type { Replica } from './replicas.ts';
import { soakInNetwork } from './soak-network.ts';
import { conclude, milliseconds, table } from './table.ts';

export interface LossOptions {
  readonly kills: number;
  readonly hangSeconds: number;
}

export interface KillResult {
  /** Milliseconds from the signal to the answer of each request that failed. */
  readonly failedAfter: readonly number[];
  /** Requests from the signal until both replicas were ready again. */
  readonly requests: number;
}

export interface HangResult {
  readonly seconds: number;
  readonly timeoutSeconds: number;
  readonly requests: number;
  readonly failed: number;
  /** Milliseconds. */
  readonly longest: number;
  readonly longestBefore: number;
  /** From the signal to the start of the last request that failed, in milliseconds. */
  readonly lastFailedAfter: number;
  /** Requests that were answered well in under a second, for each second of the hang. */
  readonly throughput: readonly number[];
  /** Requests that failed in the five seconds after it went on. */
  readonly failedAfterwards: number;
}

export interface LossResult {
  readonly kills: readonly KillResult[];
  readonly hang: HangResult;
  readonly wrong: readonly string[];
}

const load = { perSecond: 30, burst: { everySeconds: 3, count: 60 } };
/** In milliseconds; and what the API server itself and the machine may take beyond the time that a webhook is given. */
const killLimit = 1000;
const hangMargin = 500;

/** What should have been otherwise. */
export function missedLoss({ kills, hang, wrong }: LossResult, options: LossOptions): string[] {
  const missed = [...wrong];
  if (kills.length !== options.kills || kills.length === 0) missed.push(`${kills.length} kills, not ${options.kills}`);
  kills.forEach(({ failedAfter, requests }, index) => {
    const late = failedAfter.filter((one) => one > killLimit);
    if (requests === 0) missed.push(`kill ${index + 1}: nothing was asked after it`);
    if (late.length > 0)
      missed.push(
        `kill ${index + 1}: ${late.length} requests failed later than a second, the last after ${milliseconds(Math.max(...late))}`,
      );
  });
  if (kills.every(({ failedAfter }) => failedAfter.length === 0))
    missed.push('no kill was noticed at all: nothing was in flight');
  const limit = hang.timeoutSeconds * 1000 + Math.max(hangMargin, hang.longestBefore);
  if (!(hang.longest <= limit))
    missed.push(`a request took ${milliseconds(hang.longest)}, more than ${milliseconds(limit)}`);
  if (hang.throughput.length < options.hangSeconds) missed.push(`it hung for ${hang.throughput.length} seconds only`);
  const still = hang.throughput.filter((count) => count === 0).length;
  if (still > 0) missed.push(`in ${still} seconds nobody got through`);
  if (hang.failed === 0 && hang.longest < killLimit) missed.push('the hang was not noticed at all');
  if (hang.failedAfterwards > 0) missed.push(`${hang.failedAfterwards} requests failed after it went on`);
  return missed;
}

export async function lose(service: GuardedService, options: LossOptions): Promise<LossResult> {
  const { replicas, manifests } = service;
  const creates = startCreates({ ...service, ...load });
  const kills: KillResult[] = [];
  let hang: HangResult;
  try {
    for (let index = 0; index < options.kills; index++) {
      const victim = await whenBothServe(index);
      // Evenly over the second between two looks at the processes.
      await sleep(((index + 0.5) / options.kills) * 1000);
      const from = creates.done.length;
      const killedAt = performance.now();
      replicas.kill(victim);
      await eventually('the dead replica is out of the slice', () => replicas.ready().length === 1);
      await eventually('it is back', () => replicas.ready().length === 2);
      await sleep(1000);
      const after = creates.done.slice(from);
      kills.push({
        failedAfter: after.filter(failed).map((create) => create.startedAt + create.milliseconds - killedAt),
        requests: after.filter(({ startedAt }) => startedAt > killedAt).length,
      });
    }
    const victim = await whenBothServe(0);
    const before = creates.done.length;
    const stoppedAt = performance.now();
    replicas.suspend(victim);
    await sleep(options.hangSeconds * 1000);
    const goesOnAt = performance.now();
    replicas.resume(victim);
    await eventually('it is ready again', () => replicas.ready().length === 2);
    await sleep(5000);
    hang = hangResult(creates.done, before, stoppedAt, goesOnAt);
  } finally {
    await creates.stop();
  }
  return { kills, hang, wrong: replicas.wrong };

  /** The API server keeps connections to both: it asks the one that is to be lost as well. */
  async function whenBothServe(index: number): Promise<Replica> {
    await eventually('both are ready', () => replicas.ready().length === 2);
    const victim = replicas.ready()[index % 2];
    if (victim === undefined) throw new Error('no replica is ready');
    await eventually('the API server asks it', async () => {
      const before = await reviews(victim);
      creates.burst(load.burst.count);
      await sleep(500);
      return (await reviews(victim)) - before >= 10;
    });
    return victim;
  }

  function hangResult(done: readonly Create[], before: number, stoppedAt: number, goesOnAt: number): HangResult {
    const during = done.slice(before).filter(({ startedAt }) => startedAt < goesOnAt);
    const bad = during.filter(failed);
    const throughput = Array.from({ length: options.hangSeconds }, (_, second) => {
      const begin = stoppedAt + second * 1000;
      const started = during.filter(({ startedAt }) => startedAt >= begin && startedAt < begin + 1000);
      return started.filter((create) => !failed(create) && create.milliseconds < 1000).length;
    });
    return {
      seconds: options.hangSeconds,
      timeoutSeconds: manifests.timeoutSeconds,
      requests: during.length,
      failed: bad.length,
      longest: Math.max(...during.map((create) => create.milliseconds)),
      longestBefore: Math.max(...done.slice(0, before).map((create) => create.milliseconds)),
      lastFailedAfter: Math.max(...bad.map(({ startedAt }) => startedAt - stoppedAt)),
      throughput,
      failedAfterwards: done.slice(before).filter((create) => failed(create) && create.startedAt >= goesOnAt).length,
    };
  }
}

function failed({ failure }: Create): boolean {
  return failure !== undefined;
}

async function reviews(replica: Replica): Promise<number> {
  let count = 0;
  for (const [, value] of (await replica.metrics()).matchAll(/^bulkhead_reviews_total\{.*\} (\d+)$/gm))
    count += Number(value);
  return count;
}

export function describeLoss({ kills, hang }: LossResult): string {
  const lost = kills.map(({ failedAfter }) => failedAfter.length);
  return table([
    ['kills', kills.length],
    ['  requests that failed, each', lost.join(', ')],
    ['  the last of them failed after', milliseconds(Math.max(...kills.flatMap(({ failedAfter }) => failedAfter)))],
    ['a hang', `${hang.seconds} s, timeoutSeconds ${hang.timeoutSeconds}`],
    ['  requests', hang.requests],
    ['  that failed', hang.failed],
    ['  the last of them started after', milliseconds(hang.lastFailedAfter)],
    ['  longest', milliseconds(hang.longest)],
    ['  longest before it', milliseconds(hang.longestBefore)],
    ['  answered within 1 s, each second', `${Math.min(...hang.throughput)} to ${Math.max(...hang.throughput)}`],
    ['  that failed when it went on', hang.failedAfterwards],
  ]);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { kills: { type: 'string', default: '10' }, hang: { type: 'string', default: '20' } },
  });
  const options = { kills: Number(values.kills), hangSeconds: Number(values.hang) };
  await soakInNetwork(import.meta.url, async (plane) => {
    const service = await guardService(plane);
    try {
      const result = await lose(service, options);
      conclude(describeLoss(result), missedLoss(result, options));
    } finally {
      await service.stop();
    }
  });
}
