/**
 * What the API server sees of the webhook, and what a user feels of it: pods are created 200 times a second while 5,000 namespaces of a
 * tenant are known, in turns with the registrations in place and without them; every other create is only for show (`dryRun=All`).
 *
 *   calls        at least 99 % within 5 ms, as the API server's own histogram has them
 *   creates      at most 1.5 ms slower in the middle (p50), and 10 ms at p99: the median of the pairs of neighbouring blocks
 *
 * The pods go to twenty of the namespaces. For each namespace that has no LimitRange the API server asks itself once in 30 seconds,
 * 50 times a second at most (LimitRanger, apiserver's loopback client): spread over all of them, a create waits 45 ms for that
 * alone, with or without a webhook.
 *
 * `node test/soak/api-server.ts [--pairs 12] [--namespaces 5000]`, about ten minutes: it begins when every namespace has its baseline.
 * Ends with 1 when something was missed.
 */
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { baselineOf } from '../../src/baseline/baseline.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type GuardedService, guardService, inForce } from './guarded-service.ts';
import { apply, completed } from './manifests.ts';
import { eventually, quantile } from './observer.ts';
import { missedCounts } from './rollout.ts';
import { soakInNetwork } from './soak-network.ts';
import { conclude, milliseconds, table } from './table.ts';
import { since, type WebhookCounts, webhookCounts } from './webhook-counts.ts';

export interface ApiServerOptions {
  readonly pairs: number;
  readonly perSecond: number;
  readonly blockSeconds: number;
}

export const kinds = ['dry run', 'real'] as const;
type Kind = (typeof kinds)[number];

/** Milliseconds that creates took. */
export type Block = Readonly<Record<Kind, readonly number[]>>;

/** What the creates of some blocks have cost. */
export interface Cost {
  readonly creates: number;
  /** Seconds of processor time of the API server alone. */
  readonly apiServer: number;
  /** Seconds, all processors together. */
  readonly busy: number;
  readonly idle: number;
}

/** What it is judged by. */
export interface Judged {
  readonly withWebhook: readonly Block[];
  readonly without: readonly Block[];
  readonly failed: readonly string[];
  /** Of the blocks with the webhook. */
  readonly counts: WebhookCounts;
}

export interface ApiServerResult extends Judged {
  readonly costs: Readonly<Record<'with' | 'without', Cost>>;
}

const busyNamespaces = 20;

export const fullLimits = { share: 0.99, p50: 1.5, p99: 10 };

function fastShare({ counts: { fast, timed } }: Judged): number {
  return fast / timed;
}

/** How much slower it is with the webhook, in milliseconds. */
export function slower({ withWebhook, without }: Judged, kind: Kind, share: number): number {
  const pairs = withWebhook.map(
    (block, index) => quantile(block[kind], share) - quantile(without[index]?.[kind] ?? [], share),
  );
  return quantile(pairs, 0.5);
}

/** What should have been otherwise. Without limits nothing is asked of the speed. */
export function missedApiServer(result: Judged, limits?: typeof fullLimits): string[] {
  const { withWebhook, failed, counts } = result;
  const creates = withWebhook.reduce((sum, block) => sum + block.real.length + block['dry run'].length, 0);
  const missed = missedCounts(creates, counts);
  if (failed.length > 0) missed.push(`${failed.length} creates failed, the first: ${failed[0]}`);
  for (const kind of kinds) {
    if (!Number.isFinite(slower(result, kind, 0.5))) missed.push(`there is nothing to compare of kind ${kind}`);
    for (const [name, share] of limits === undefined
      ? []
      : ([
          ['p50', 0.5],
          ['p99', 0.99],
        ] as const)) {
      const figure = slower(result, kind, share);
      if (!(figure <= (limits?.[name] ?? 0))) missed.push(`${kind}: ${name} is ${milliseconds(figure)} slower`);
    }
  }
  if (limits !== undefined && !(fastShare(result) >= limits.share))
    missed.push(`${(fastShare(result) * 100).toFixed(2)} % of the calls took at most 5 ms`);
  return missed;
}

export async function measureApiServer(service: GuardedService, options: ApiServerOptions): Promise<ApiServerResult> {
  const { plane, manifests, authority } = service;
  const withWebhook: Block[] = [];
  const without: Block[] = [];
  const failed: string[] = [];
  const namespaces = service.namespaces.slice(0, busyNamespaces);
  const counted: WebhookCounts[] = [];
  const costs = { with: noCost, without: noCost };
  let index = 0;

  async function block(): Promise<Block> {
    const took: Record<Kind, number[]> = { 'dry run': [], real: [] };
    const requests: Promise<void>[] = [];
    const start = performance.now();
    for (let sent = 0; sent < options.perSecond * options.blockSeconds; sent++) {
      const due = start + (sent * 1000) / options.perSecond;
      await sleep(Math.max(0, due - performance.now()));
      const kind = kinds[sent % kinds.length] ?? 'real';
      requests.push(create(kind, due, took[kind]));
    }
    await Promise.all(requests);
    return took;
  }

  async function create(kind: Kind, due: number, took: number[]): Promise<void> {
    const name = `paired-${index++}`;
    const namespace = namespaces[index % namespaces.length];
    const path = `/api/v1/namespaces/${namespace}/pods${kind === 'real' ? '' : '?dryRun=All'}`;
    const pod = { metadata: { name }, spec: { containers: [{ name: 'main', image: 'example.org/web' }] } };
    const { status, text } = await plane.request('POST', path, pod, { kubeconfig: service.kubeconfig });
    took.push(performance.now() - due);
    if (status !== 201) failed.push(`${status} ${text}`);
  }

  for (let pair = 0; pair < options.pairs; pair++) {
    // Who comes first takes turns.
    for (const registered of pair % 2 === 0 ? [true, false] : [false, true]) {
      if (registered) await apply(plane, completed(manifests.registrations, authority.certificate));
      else await unregister(plane);
      await (registered ? inForce(plane) : outOfForce(plane));
      // Connections are open, and what was under way is over.
      await warmUp(plane, service);
      const before = await plane.metrics();
      const [apiServer, processors] = [processorSeconds(before), processorTimes()];
      const took = await block();
      const now = processorTimes();
      const after = await plane.metrics();
      (registered ? withWebhook : without).push(took);
      if (registered) counted.push(since(webhookCounts(before), webhookCounts(after)));
      const one = registered ? 'with' : 'without';
      costs[one] = {
        creates: costs[one].creates + kinds.reduce((sum, kind) => sum + took[kind].length, 0),
        apiServer: costs[one].apiServer + processorSeconds(after) - apiServer,
        busy: costs[one].busy + now.busy - processors.busy,
        idle: costs[one].idle + now.idle - processors.idle,
      };
    }
  }
  const counts = counted.reduce((sum, one) => ({
    requests: sum.requests + one.requests,
    callErrors: sum.callErrors + one.callErrors,
    failOpen: sum.failOpen + one.failOpen,
    fast: sum.fast + one.fast,
    timed: sum.timed + one.timed,
  }));
  return { withWebhook, without, failed, counts, costs };
}

const noCost: Cost = { creates: 0, apiServer: 0, busy: 0, idle: 0 };

function processorSeconds(metrics: string): number {
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(metrics)?.[1]);
}

/** Seconds since the start of the machine. */
function processorTimes(): Pick<Cost, 'busy' | 'idle'> {
  const times = cpus().map((one) => one.times);
  const seconds = (field: keyof (typeof times)[number]) => times.reduce((sum, one) => sum + one[field], 0) / 1000;
  return { busy: seconds('user') + seconds('nice') + seconds('sys') + seconds('irq'), idle: seconds('idle') };
}

async function warmUp(plane: ControlPlane, { kubeconfig, namespaces }: GuardedService): Promise<void> {
  const pod = { metadata: { name: 'warm' }, spec: { containers: [{ name: 'main', image: 'example.org/web' }] } };
  const path = `/api/v1/namespaces/${namespaces[0]}/pods?dryRun=All`;
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 20 }, () => plane.request('POST', path, pod, { kubeconfig })));
    await sleep(100);
  }
}

const registrations = '/apis/admissionregistration.k8s.io/v1';

async function unregister(plane: ControlPlane): Promise<void> {
  for (const kind of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])
    await plane.request('DELETE', `${registrations}/${kind}`);
}

async function outOfForce(plane: ControlPlane): Promise<void> {
  const kubeconfig = await plane.kubeconfigFor({ user: 'carol' });
  const probe = { metadata: { name: 'registered-yet' } };
  await eventually('the API server does without the webhook', async () => {
    const { status } = await plane.request('POST', '/api/v1/namespaces?dryRun=All', probe, { kubeconfig });
    return status === 201;
  });
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

export function describeApiServer(result: ApiServerResult): string {
  const { withWebhook, without, failed, counts, costs } = result;
  const cost = ({ apiServer, creates }: Cost) => milliseconds((apiServer * 1000) / creates);
  const share = ({ busy, idle }: Cost) => `${((100 * busy) / (busy + idle)).toFixed(0)} %`;
  const row = (name: string, kind: Kind, blocks: readonly Block[]): string[] => {
    const all = blocks.flatMap((block) => block[kind]);
    return [`${kind}, ${name}`, String(all.length), ...[0.5, 0.99].map((share) => milliseconds(quantile(all, share)))];
  };
  return [
    table([
      ['create pod', 'creates', 'p50', 'p99'],
      ...kinds.flatMap((kind) => [
        row('with', kind, withWebhook),
        row('without', kind, without),
        [`${kind}, difference`, '', ...[0.5, 0.99].map((share) => `${slower(result, kind, share).toFixed(2)} ms`)],
      ]),
    ]),
    `processor time of the API server a create: ${cost(costs.with)} with, ${cost(costs.without)} without; ` +
      `processors busy: ${share(costs.with)} with, ${share(costs.without)} without`,
    `${counts.timed} calls, ${(fastShare(result) * 100).toFixed(2)} % of them within 5 ms; ` +
      `calling_webhook_error ${counts.callErrors}, fail_open_count ${counts.failOpen}, ${failed.length} creates failed`,
  ].join('\n');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { pairs: { type: 'string', default: '12' }, namespaces: { type: 'string', default: '5000' } },
  });
  await soakInNetwork(import.meta.url, async (plane) => {
    const service = await guardService(plane, { namespaces: Number(values.namespaces) });
    try {
      await untilIsolated(service);
      const options = { pairs: Number(values.pairs), perSecond: 200, blockSeconds: 10 };
      const result = await measureApiServer(service, options);
      conclude(describeApiServer(result), [...missedApiServer(result, fullLimits), ...service.replicas.wrong]);
    } finally {
      await service.stop();
    }
  });
}
