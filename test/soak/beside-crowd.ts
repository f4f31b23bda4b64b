/**
 * The effect of one tenant, or of an unauthenticated client, on the pods of others: pods of tenant beta are created 10 times a second, in
 * one run with a bare `node:https` webhook (bare-service.ts) and in one with Bulkhead, beside each of these crowds:
 *
 *   policies       200 NetworkPolicies of tenant acme at once, again and again, dry runs: each names 50 namespaces that do not exist
 *                  and whose names are reserved to acme (NP-23)
 *   slow senders   420 clients at the port of each replica, which send one byte a second (SRV-17)
 *
 * No pod may fail, and their p99 may be 100 ms longer than beside the same crowd with the bare server.
 *
 * The crowd begins four seconds before the pods, so that the code of both webhooks is compiled.
 *
 * The policies come when the reservation of acme's prefix has propagated to all replicas, and the watch was heard again
 * (docs/decisions/0012).
 *
 * `node test/soak/beside-crowd.ts [--seconds 30]`, so many for each run; about seven minutes. Ends with 1 when something was missed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { propagationDelay } from '../../src/facts/reservations.ts';
import { warmUp } from './api-server.ts';
import { callOnly, port, startBareService, type Webhook } from './bare-service.ts';
import type { Create } from './creates.ts';
import { type GuardedService, guardService } from './guarded-service.ts';
import { eventually, quantile } from './observer.ts';
import type { Senders, SendersReport } from './slow-senders.ts';
import { soakInNetwork } from './soak-network.ts';
import { conclude, milliseconds, table } from './table.ts';

export interface CrowdOptions {
  /** Of each run. */
  readonly seconds: number;
  /** Pods of beta. */
  readonly perSecond: number;
  /** At once. */
  readonly policies: number;
  /** Seconds for which the crowd is there before the first pod. */
  readonly crowdBefore: number;
  /** To each replica. */
  readonly senders: number;
  /**
   * Seconds after the start at which the policies begin. Until the watch is heard after the reservation has propagated, which takes a
   * minute more, each of their names costs a GET.
   */
  readonly policiesAfter: number;
}

export const crowds = ['policies', 'slow senders'] as const;
export type Crowd = (typeof crowds)[number];

export interface Run {
  readonly pods: readonly Create[];
  /** Policies that were answered, or requests that slow senders began. */
  readonly members: number;
  /** How many of them had which answer. */
  readonly answers: Readonly<Record<string, number>>;
}

export interface CrowdResult {
  readonly runs: Readonly<Record<Crowd, Readonly<Record<Webhook, Run>>>>;
  readonly wrong: readonly string[];
}

const webhooks = ['bare', 'bulkhead'] as const;
export const fullOptions = {
  perSecond: 10,
  policies: 200,
  senders: 420,
  crowdBefore: 4,
  policiesAfter: propagationDelay.files / 1000 + 70,
};
/** Milliseconds at p99. */
export const fullLimits = { longer: 100 };
const namesOfPolicy = 50;
const neighbourNamespace = 'beta-0';

function p99({ pods }: Run): number {
  return quantile(
    pods.map((pod) => pod.milliseconds),
    0.99,
  );
}

/** The missed goals, as sentences. Without limits the speed is not judged. */
export function missedCrowd({ runs, wrong }: CrowdResult, options: CrowdOptions, limits?: typeof fullLimits): string[] {
  const missed = [...wrong];
  for (const crowd of crowds) {
    for (const webhook of webhooks) {
      const { pods, members } = runs[crowd][webhook];
      const failed = pods.filter(({ failure }) => failure !== undefined);
      const where = `beside ${crowd}, ${webhook}`;
      if (failed.length > 0)
        missed.push(`${where}: ${failed.length} of ${pods.length} pods failed, the first: ${failed[0]?.failure}`);
      if (pods.length < options.seconds * options.perSecond)
        missed.push(`${where}: only ${pods.length} pods were created`);
      const least = crowd === 'policies' ? options.policies : options.senders;
      if (members < least) missed.push(`${where}: the crowd had ${members} members, not ${least}`);
    }
    const longer = p99(runs[crowd].bulkhead) - p99(runs[crowd].bare);
    if (limits !== undefined && !(longer <= limits.longer))
      missed.push(`beside ${crowd}: p99 is ${milliseconds(longer)} longer than with the bare server`);
  }
  if ((runs['slow senders'].bulkhead.answers['503'] ?? 0) === 0) missed.push('no slow sender was cut off');
  return missed;
}

export async function measureCrowd(service: GuardedService, options: CrowdOptions): Promise<CrowdResult> {
  const { plane } = service;
  const neighbour = await plane.kubeconfigFor({ user: 'bob', groups: ['beta-developers'] });
  const pods = `/api/v1/namespaces/${neighbourNamespace}/pods`;
  let index = 0;

  async function create(startedAt: number): Promise<Create> {
    const pod = {
      metadata: { name: `beside-${index++}` },
      spec: { containers: [{ name: 'main', image: 'example.org/web' }] },
    };
    const answer = await plane
      .request('POST', pods, pod, { kubeconfig: neighbour })
      .catch((error: unknown) => String(error));
    const failure =
      typeof answer === 'string'
        ? answer
        : answer.status === 201
          ? undefined
          : `${answer.status} ${answer.text.trim()}`;
    return { startedAt, milliseconds: performance.now() - startedAt, failure };
  }

  async function createPods(): Promise<Create[]> {
    const creates: Promise<Create>[] = [];
    const start = performance.now();
    for (let sent = 0; sent < options.seconds * options.perSecond; sent++) {
      const due = start + (sent * 1000) / options.perSecond;
      await sleep(Math.max(0, due - performance.now()));
      creates.push(create(due));
    }
    return Promise.all(creates);
  }

  const begun = performance.now();
  const bare = await startBareService(service);
  const start: Record<Crowd, (webhook: Webhook) => Promise<Gathered>> = {
    policies: async () => sendPolicies(service, options.policies),
    'slow senders': (webhook) => {
      const addresses = webhook === 'bare' ? bare.addresses : service.replicas.ready().map(({ address }) => address);
      return sendSlowly({ addresses, port, count: options.senders });
    },
  };
  async function run(crowd: Crowd, webhook: Webhook): Promise<Run> {
    await callOnly(webhook, service);
    await warmUp(plane, service);
    const gathered = await start[crowd](webhook);
    await sleep(options.crowdBefore * 1000);
    const created = await createPods();
    return { pods: created, ...(await gathered.disperse()) };
  }
  try {
    await callOnly('bulkhead', service);
    await openNeighbour(service, async () => (await create(performance.now())).failure === undefined);
    const beside = async (crowd: Crowd) => ({ bare: await run(crowd, 'bare'), bulkhead: await run(crowd, 'bulkhead') });
    const slowSenders = await beside('slow senders');
    await sleep(Math.max(0, options.policiesAfter * 1000 - (performance.now() - begun)));
    return { runs: { policies: await beside('policies'), 'slow senders': slowSenders }, wrong: bare.wrong };
  } finally {
    await callOnly('bulkhead', service);
    await bare.stop();
  }
}

/** Resolves once the namespace is isolated, and a pod is admitted there. */
async function openNeighbour({ plane }: GuardedService, isOpen: () => Promise<boolean>): Promise<void> {
  const metadata = { name: neighbourNamespace, labels: { 'bulkhead.dev/tenant': 'beta' } };
  const { status, text } = await plane.request('POST', '/api/v1/namespaces', { metadata });
  if (status !== 201 && status !== 409) throw new Error(`${status} ${text}`);
  await eventually('a pod of the neighbour is admitted', isOpen);
}

/** A crowd that runs until it is stopped. */
interface Gathered {
  disperse(): Promise<Pick<Run, 'members' | 'answers'>>;
}

/** So many at once; the next ones when those are answered, at most once a second. */
function sendPolicies({ plane, kubeconfig, namespaces }: GuardedService, count: number): Gathered {
  const answers: Record<string, number> = {};
  let members = 0;
  let ending = false;
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespaces[0]}/networkpolicies?dryRun=All`;

  async function send(name: string): Promise<void> {
    const values = Array.from({ length: namesOfPolicy }, (_, index) => `acme-none-${name}-${index}`);
    const namespaceSelector = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] };
    const policy = { metadata: { name }, spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector }] }] } };
    const answer = await plane.request('POST', path, policy, { kubeconfig }).catch(() => undefined);
    const status = String(answer?.status ?? 'none');
    answers[status] = (answers[status] ?? 0) + 1;
    members++;
  }

  async function bursts(): Promise<void> {
    for (let burst = 0; !ending; burst++) {
      const sent = Array.from({ length: count }, (_, index) => send(`${burst}-${index}`));
      await Promise.all([...sent, sleep(1000)]);
    }
  }
  const sending = bursts();
  return {
    async disperse() {
      ending = true;
      await sending;
      return { members, answers };
    },
  };
}

/** Resolves when all of them have begun. */
async function sendSlowly(senders: Senders): Promise<Gathered> {
  const file = join(import.meta.dirname, 'slow-senders.ts');
  const child = spawn(process.execPath, [file, JSON.stringify(senders)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error('the slow senders ended by themselves'))),
  ]);
  return {
    async disperse() {
      const reported = once(child, 'message') as Promise<[SendersReport]>;
      child.send('report');
      const [{ begun, answers }] = await reported;
      child.disconnect();
      await ended;
      return { members: begun, answers };
    },
  };
}

export function describeCrowd({ runs }: CrowdResult): string {
  const rows = crowds.flatMap((crowd) =>
    webhooks.map((webhook) => {
      const run = runs[crowd][webhook];
      const times = run.pods.map((pod) => pod.milliseconds);
      const failed = run.pods.filter(({ failure }) => failure !== undefined).length;
      const answers = Object.entries(run.answers).map(([status, count]) => `${status}: ${count}`);
      const figures = [0.5, 0.99, 1].map((share) => milliseconds(quantile(times, share)));
      return [`${crowd}, ${webhook}`, run.pods.length, failed, ...figures, run.members, answers.join(', ') || '-'];
    }),
  );
  return table([['beside', 'pods', 'failed', 'p50', 'p99', 'longest', 'in the crowd', 'answers'], ...rows]);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' } } });
  const options = { ...fullOptions, seconds: Number(values.seconds) };
  await soakInNetwork(import.meta.url, async (plane) => {
    const service = await guardService(plane);
    try {
      const result = await measureCrowd(service, options);
      conclude(describeCrowd(result), [...missedCrowd(result, options, fullLimits), ...service.replicas.wrong]);
    } finally {
      await service.stop();
    }
  });
}
