/**
 * Rotations under load: another authority is asked for again and again, and the replicas replace it and what it has signed while two of
 * them serve and a third stands aside, ready and never called. In each rotation one of the three is killed, at another moment of it.
 *
 *   calls    none fails and none is let through unasked, but for what the death of a replica that serves costs by itself: the second
 *            after such a kill is counted apart (see loss.ts)
 *   phases   a kill came in every phase of a rotation
 *
 * The times that a rotation waits are seconds here instead of minutes; there is one API server to learn of what is published.
 * `node test/soak/rotation.ts [--rotations 20]`, about eight minutes. Ends with 1 when something was missed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { type Create, startCreates } from './creates.ts';
import { type GuardedService, guardService } from './guarded-service.ts';
import { systemNamespace } from './manifests.ts';
import { eventually } from './observer.ts';
import type { Replica } from './replicas.ts';
import { missedCounts, missedCreates, soakLoad } from './rollout.ts';
import { soakInNetwork } from './soak-network.ts';
import { conclude, table } from './table.ts';
import { since, type WebhookCounts, webhookCounts } from './webhook-counts.ts';

export const phases = ['publishing', 'overlap', 'steady'] as const;
export type Phase = (typeof phases)[number];

export interface RotationResult {
  /** Rotations at whose end another authority signs, and it alone is trusted. */
  readonly rotated: number;
  /** Paths by which the webhook was called, one after the other. */
  readonly paths: number;
  /** In which phase each kill came, and whether it was of a replica that serves. */
  readonly kills: readonly { readonly phase: Phase; readonly serving: boolean }[];
  /** Outside of the seconds after a kill of a replica that serves. */
  readonly creates: readonly Create[];
  readonly counts: WebhookCounts;
  /** Requests that failed in those seconds, and what the API server counted in them. */
  readonly lost: number;
  readonly lostCalls: number;
  readonly wrong: readonly string[];
}

const secret = `/api/v1/namespaces/${systemNamespace}/secrets/bulkhead-certificates`;
const registrations = '/apis/admissionregistration.k8s.io/v1';
const seconds = { tick: 1, settle: 3, overlap: 6 };
/** Of one rotation, and a while beyond its end. */
const length = seconds.settle + seconds.overlap + 6 * seconds.tick;
const killLimit = 1000;
const goldenRatio = 0.618_033_988_75;

export const certificateArguments = [
  `--certificate-secret=${systemNamespace}/bulkhead-certificates`,
  '--webhook-configurations',
  `--rotation=${Object.entries(seconds)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')}`,
];

/** What should have been otherwise. */
export function missedRotation(result: RotationResult, rotations: number): string[] {
  const { rotated, paths, kills, creates, counts, wrong } = result;
  const missed = [...wrong];
  if (rotated !== rotations) missed.push(`${rotated} rotations, not ${rotations}`);
  // A path takes about as long as a rotation, and a replica that was killed in it begins to count anew.
  if (paths <= rotations / 3) missed.push(`${paths} paths in ${rotations} rotations`);
  if (kills.length !== rotations) missed.push(`${kills.length} kills, not ${rotations}`);
  const untouched = phases.filter((one) => kills.every(({ phase }) => phase !== one));
  if (rotations >= 2 * phases.length && untouched.length > 0) missed.push(`no kill in phase ${untouched.join(', ')}`);
  return [...missed, ...missedCreates(creates), ...missedCounts(creates.length, counts)];
}

interface Secret {
  readonly data: Readonly<Record<string, string>>;
}

async function readSecret(plane: ControlPlane): Promise<Secret> {
  const { status, body, text } = await plane.request('GET', secret);
  if (status !== 200) throw new Error(text);
  return body as Secret;
}

/** As the registrations have them. */
async function pathsCalled(plane: ControlPlane): Promise<string[]> {
  const { body, text, status } = await plane.request('GET', `${registrations}/validatingwebhookconfigurations`);
  if (status !== 200) throw new Error(text);
  const { items } = body as {
    readonly items: readonly { readonly webhooks: readonly { readonly clientConfig: ClientConfig }[] }[];
  };
  return items.flatMap(({ webhooks }) =>
    webhooks.map(({ clientConfig }) => clientConfig.service?.path?.split('/')[1] ?? ''),
  );
}

interface ClientConfig {
  readonly service?: { readonly path?: string };
}

function phaseOf({ data }: Secret): Phase {
  if (data['next-ca.crt'] !== undefined) return 'publishing';
  return data['previous-ca.crt'] === undefined ? 'steady' : 'overlap';
}

export async function rotate(
  service: GuardedService,
  rotations: number,
  load: typeof soakLoad = soakLoad,
): Promise<RotationResult> {
  const { plane, replicas } = service;
  const aside = await replicas.start(true);
  const begun = webhookCounts(await plane.metrics());
  const creates = startCreates({ ...service, ...load });
  const kills: { phase: Phase; serving: boolean }[] = [];
  const windows: { readonly from: number; readonly to: number; readonly counts: WebhookCounts }[] = [];
  const paths = new Set<string>();
  let rotated = 0;

  async function kill(victim: Replica, serving: boolean): Promise<void> {
    const before = webhookCounts(await plane.metrics());
    const from = performance.now();
    replicas.kill(victim);
    kills.push({ phase: phaseOf(await readSecret(plane)), serving });
    await sleep(killLimit);
    if (!serving) return;
    const to = performance.now();
    // The API server counts a call when it fails, which may be after this second for a request that came within it.
    await creates.answered();
    windows.push({ from, to, counts: since(before, webhookCounts(await plane.metrics())) });
  }

  try {
    for (let rotation = 0; rotation < rotations; rotation++) {
      await eventually('all are ready', () => replicas.ready().length === 2 && replicas.ready(true).length === 1);
      const before = await readSecret(plane);
      const asked = { metadata: { annotations: { 'bulkhead.dev/rotate': 'now' } } };
      const { status, text } = await plane.request('PATCH', secret, asked, {
        contentType: 'application/merge-patch+json',
      });
      if (status !== 200) throw new Error(text);
      await sleep(((rotation * goldenRatio) % 1) * length * 1000);
      const serving = rotation % 3 !== 0;
      await kill(serving ? (replicas.ready()[rotation % 2] ?? aside) : aside, serving);
      await eventually('the rotation is over', async () => {
        await sleep(200);
        const now = await readSecret(plane);
        for (const path of await pathsCalled(plane)) paths.add(path);
        return phaseOf(now) === 'steady' && now.data['ca.crt'] !== before.data['ca.crt'];
      });
      rotated++;
    }
    await sleep(2000);
  } finally {
    await creates.stop();
  }
  const all = since(begun, webhookCounts(await plane.metrics()));
  const inWindow = ({ startedAt, milliseconds }: Create): boolean =>
    windows.some(({ from, to }) => startedAt <= to && startedAt + milliseconds >= from);
  const lostCalls = windows.reduce((sum, { counts }) => sum + counts.callErrors, 0);
  return {
    rotated,
    paths: paths.size,
    kills,
    creates: creates.done.filter((create) => create.failure === undefined || !inWindow(create)),
    counts: { ...all, callErrors: all.callErrors - lostCalls },
    lost: creates.done.filter((create) => create.failure !== undefined && inWindow(create)).length,
    lostCalls,
    wrong: replicas.wrong,
  };
}

export function describeRotation({ rotated, paths, kills, creates, counts, lost, lostCalls }: RotationResult): string {
  return table([
    ['rotations', rotated],
    ['paths that were called', paths],
    ...phases.map((one) => [`kills in phase ${one}`, kills.filter(({ phase }) => phase === one).length]),
    ['  of a replica that serves', kills.filter(({ serving }) => serving).length],
    ['requests of the tenant', creates.length],
    ['  that failed', creates.filter(({ failure }) => failure !== undefined).length],
    ['calls of the webhook', counts.requests],
    ['calling_webhook_error', counts.callErrors],
    ['fail_open_count', counts.failOpen],
    ['in the seconds after a kill', `${lost} requests failed, calling_webhook_error ${lostCalls}`],
  ]);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { rotations: { type: 'string', default: '20' } } });
  const rotations = Number(values.rotations);
  await soakInNetwork(import.meta.url, async (plane) => {
    const service = await guardService(plane, { certificateArguments });
    try {
      const result = await rotate(service, rotations);
      conclude(describeRotation(result), missedRotation(result, rotations));
    } finally {
      await service.stop();
    }
  });
}
