/**
 * Rolling restarts under load: two replicas are replaced one after the other, the new one ready before the old one is told to end,
 * as a Deployment with maxSurge 1 and maxUnavailable 0 does it. No create may fail, and no call of the webhook.
 *
 * A drain takes 95 s and is not waited for by a rollout, so drains overlap with what comes after; the last are waited for.
 * `node test/soak/rollout.ts [--restarts 10] [--pause 20]`: so many restarts, so many seconds between them; about eight minutes.
 * Ends with 1 when something was missed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Create, startCreates } from './creates.ts';
import { type GuardedService, guardService } from './guarded-service.ts';
import { quantile } from './observer.ts';
import { soakInNetwork } from './soak-network.ts';
import { conclude, milliseconds, table } from './table.ts';
import { since, type WebhookCounts, webhookCounts } from './webhook-counts.ts';

export interface RolloutOptions {
  readonly restarts: number;
  readonly pauseSeconds: number;
  /** False: what still drains at the end is not waited for. */
  readonly waitForDrains: boolean;
  /** Without it the load of the soak, which wants a machine of its own. */
  readonly load?: typeof soakLoad;
}

export interface RolloutResult {
  /** Replicas that were replaced. */
  readonly replaced: number;
  readonly creates: readonly Create[];
  readonly counts: WebhookCounts;
  /** Processes that ended otherwise than they should. */
  readonly wrong: readonly string[];
}

export const soakLoad = { perSecond: 40, burst: { everySeconds: 5, count: 60 } };
/** For the processors of CI, which run the API server and the replicas too. */
export const lightLoad: typeof soakLoad = { perSecond: 10, burst: { everySeconds: 5, count: 20 } };
const perRestart = 2;

/** What should have been otherwise. */
export function missedRollout({ replaced, creates, counts, wrong }: RolloutResult, restarts: number): string[] {
  const missed = [...wrong];
  if (replaced !== restarts * perRestart)
    missed.push(`${replaced} replicas were replaced, not ${restarts * perRestart}`);
  return [...missed, ...missedCreates(creates), ...missedCounts(creates.length, counts)];
}

export function missedCreates(creates: readonly Create[]): string[] {
  const failed = creates.filter(({ failure }) => failure !== undefined);
  return failed.length === 0
    ? []
    : [`${failed.length} of ${creates.length} requests failed, the first: ${failed[0]?.failure}`];
}

export function missedCounts(creates: number, { requests, callErrors, failOpen }: WebhookCounts): string[] {
  const missed: string[] = [];
  if (callErrors !== 0) missed.push(`calling_webhook_error: ${callErrors}`);
  if (failOpen !== 0) missed.push(`fail_open_count: ${failOpen}`);
  if (creates === 0 || requests < creates) missed.push(`${requests} calls of the webhook for ${creates} requests`);
  return missed;
}

export async function rollOut(service: GuardedService, options: RolloutOptions): Promise<RolloutResult> {
  const { plane, replicas } = service;
  const before = webhookCounts(await plane.metrics());
  const creates = startCreates({ ...service, ...(options.load ?? soakLoad) });
  let replaced = 0;
  try {
    for (let restart = 0; restart < options.restarts; restart++) {
      await sleep(options.pauseSeconds * 1000);
      for (const old of replicas.ready()) {
        await replicas.start();
        await replicas.terminate(old);
        replaced++;
      }
    }
    if (options.waitForDrains) await replicas.drained();
    await sleep(1000);
  } finally {
    await creates.stop();
  }
  const counts = since(before, webhookCounts(await plane.metrics()));
  return { replaced, creates: creates.done, counts, wrong: replicas.wrong };
}

export function describeRollout({ replaced, creates, counts }: RolloutResult): string {
  const times = creates.map((create) => create.milliseconds);
  return table([
    ['replicas replaced', replaced],
    ['requests of the tenant', creates.length],
    ['  that failed', creates.filter(({ failure }) => failure !== undefined).length],
    ['  median, p99, longest', [0.5, 0.99, 1].map((share) => milliseconds(quantile(times, share))).join(', ')],
    ['calls of the webhook', counts.requests],
    ['calling_webhook_error', counts.callErrors],
    ['fail_open_count', counts.failOpen],
  ]);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { restarts: { type: 'string', default: '10' }, pause: { type: 'string', default: '20' } },
  });
  const restarts = Number(values.restarts);
  await soakInNetwork(import.meta.url, async (plane) => {
    const service = await guardService(plane);
    try {
      const result = await rollOut(service, { restarts, pauseSeconds: Number(values.pause), waitForDrains: true });
      conclude(describeRollout(result), missedRollout(result, restarts));
    } finally {
      await service.stop();
    }
  });
}
