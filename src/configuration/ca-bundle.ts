/**
 * Writes `caBundle` and the path into every webhook of Bulkhead, and nothing else. Changes that others make to these two fields are
 * undone; all other fields are ignored (some clouds add selectors).
 *
 * Replicas that know different things may write at the same time, and one may have slept in between. So each write names the version
 * that it replaces, and the values are asked for after that version was read: no replica restores outdated values.
 */

import type { Observed } from '../certificates/observed.ts';
import { prefixOf } from '../certificates/paths.ts';
import { describe } from '../client/failure.ts';
import { createRateLimits, type RateLimitOptions } from '../client/rate-limits.ts';
import { createWorkQueue } from '../client/work-queue.ts';
import { createObserved } from './observed-configurations.ts';
import { bundleManager, type OwnWebhook, type WebhookConfiguration } from './webhook-configuration.ts';
import type { ConfigurationTools } from './webhook-configurations.ts';

export interface Wanted {
  /** Certificates, PEM; undefined: another client writes the CA bundle. */
  readonly authorities: readonly string[] | undefined;
  /** The segment before `/validate` in the path; empty: there is none. */
  readonly path: string;
}

export interface CaBundleCounters {
  readonly written: number;
  /** Each is tried again. */
  readonly failed: number;
}

export interface CaBundles {
  /** Undefined before all webhook configurations have been listed. */
  observed(): Observed | undefined;
  /** What is wanted may be something else now. */
  changed(): void;
  counters(): CaBundleCounters;
  /** Resolves when nothing is written any more. */
  stop(): Promise<void>;
}

/** What a source of certificates asks for. */
export interface Wishes {
  /** From memory; undefined: not known yet. */
  expected(configuration: WebhookConfiguration): Wanted | undefined;
  /** From the cluster: asked before a write, after the configuration was read. Undefined: it cannot be said now. */
  confirmed(configuration: WebhookConfiguration, signal: AbortSignal): Promise<Wanted | undefined>;
  /** The webhook configurations have changed. */
  changed(): void;
}

/** Between two writes to one configuration, when another client undoes each, or they fail. */
const writeLimits: RateLimitOptions = { free: 3, first: 500, limit: 30_000 };

export function createCaBundles(
  { clock, log, configurations }: Omit<ConfigurationTools, 'connection'>,
  wishes: Wishes,
): CaBundles {
  const observed = createObserved(clock);
  const waits = createRateLimits(writeLimits, clock);
  const counters = { written: 0, failed: 0 };
  /** By configuration. */
  const lastWritten = new Map<string, string>();
  let stopped = false;

  const queue = createWorkQueue(1, clock, reconcile, (configuration, error) =>
    log.error({ configuration, error: String(error) }, 'the CA bundle could not be written; it is tried again'),
  );

  function changed(): void {
    for (const { name } of configurations.current() ?? []) queue.add(name);
  }

  function read(): void {
    const current = configurations.current();
    if (current === undefined || stopped) return;
    observed.read(current);
    wishes.changed();
    changed();
  }

  /** @returns milliseconds after which to look again; undefined: the configuration is as wanted */
  async function reconcile(key: string, signal: AbortSignal): Promise<number | undefined> {
    const configuration = configurations.current()?.find(({ name }) => name === key);
    if (configuration === undefined) return undefined;
    const expected = wishes.expected(configuration);
    if (expected === undefined || agrees(configuration, expected)) return undefined;
    const left = waits.left(key);
    if (left > 0) return left;
    const wanted = await wishes.confirmed(configuration, signal);
    if (signal.aborted) return undefined;
    // It differs from the memory of this replica alone: another replica, which knows more, has written it.
    if (wanted !== undefined && agrees(configuration, wanted)) return undefined;
    // Only a write that is undone again and again waits longer and longer.
    const text = JSON.stringify(wanted);
    if (text !== lastWritten.get(key)) waits.forget(key);
    const wait = Math.max(waits.begin(key), writeLimits.first);
    if (wanted === undefined) return wait;
    const fields = configuration.own.map((webhook) => applied(webhook, wanted));
    const answer = await configurations.apply(configuration, bundleManager, fields, signal);
    if (signal.aborted) return undefined;
    if (answer.ok) {
      counters.written++;
      lastWritten.set(key, text);
      log.info({ configuration: key }, 'CA bundle and path are written');
      return undefined;
    }
    // 409: another client was faster, and the watch tells of its version.
    if (answer.kind === 'broken' || answer.status !== 409) {
      counters.failed++;
      log.warn(
        { configuration: key, failure: describe(answer) },
        'the CA bundle could not be written; it is tried again',
      );
    }
    return wait;
  }

  configurations.subscribe(read);
  void configurations.listed.then(read);
  return {
    observed: observed.current,
    changed,
    counters: () => ({ ...counters }),
    async stop() {
      stopped = true;
      await queue.stop();
    },
  };
}

function agrees({ own }: WebhookConfiguration, { authorities, path }: Wanted): boolean {
  const wanted = authorities && [...authorities].sort().join('');
  return own.every(
    (webhook) =>
      (wanted === undefined || [...webhook.authorities].sort().join('') === wanted) &&
      (!webhook.isService || webhook.path === pathOf(webhook, path)),
  );
}

/** The fields of a webhook that this manager owns. */
function applied(webhook: OwnWebhook, { authorities, path }: Wanted): object {
  const clientConfig = {
    ...(authorities !== undefined && { caBundle: Buffer.from(authorities.join('')).toString('base64') }),
    ...(webhook.isService && { service: { path: pathOf(webhook, path) } }),
  };
  return { name: webhook.name, clientConfig };
}

function pathOf({ endpoint }: OwnWebhook, path: string): string {
  return `${prefixOf(path)}/${endpoint}`;
}
