/**
 * Tells API servers whom to trust: writes `caBundle` and the path into every webhook of Bulkhead that is registered, and nothing
 * else. What somebody else makes of these two fields is put back; all others are not looked at (some clouds add selectors).
 *
 * Replicas that know different things may write at the same time, and one may have slept in between. So each write names the
 * version that it replaces, and what is to be written is asked for after that version was read: nobody can put back what was
 * right before it.
 */
import { isDeepStrictEqual } from 'node:util';
import { certificatesIn } from '../certificates/authorities.ts';
import { prefixOf } from '../certificates/paths.ts';
import type { Published } from '../certificates/published.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import { decodeObject } from '../client/decode.ts';
import { describe } from '../client/failure.ts';
import type { Log } from '../client/log.ts';
import { createRateLimits, type RateLimitOptions } from '../client/rate-limits.ts';
import { createPublishedTrust } from './published-trust.ts';
import {
  bundleTextOf,
  createRegistrations,
  endpointOf,
  isCalledByService,
  type Registration,
  type Registrations,
} from './registrations.ts';
import { configurationKinds, configurationPaths, partsOf, type Webhook } from './webhook-configuration.ts';

/** Not `bulkhead`, who applies baselines: what one manager stops applying is taken away, and the two know nothing of each other. */
export const trustManager = 'bulkhead-trust';

export interface Wanted {
  /** Certificates, PEM; undefined: whoever has given the webhook its certificate also writes the bundle. */
  readonly authorities: readonly string[] | undefined;
  /** The segment before `/validate` in the path; empty: there is none. */
  readonly path: string;
}

export interface TrustCounters {
  readonly written: number;
  /** Each is tried again. */
  readonly failed: number;
}

export interface Trust {
  /** Undefined before all registrations have been looked for. */
  published(): Published | undefined;
  /** What is wanted may be something else now. */
  changed(): void;
  counters(): TrustCounters;
  /** For whoever follows the configurations. */
  readonly registrations: Registrations;
  /** Resolves when nothing is written any more. */
  stop(): Promise<void>;
}

export interface TrustOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
  /** What is believed to be wanted, at once; undefined: not known yet. */
  readonly expected: (registration: Registration) => Wanted | undefined;
  /** What is wanted now, as the cluster has it: asked before a write, after the registration was read. Undefined: it cannot be said now. */
  readonly confirmed: (registration: Registration, signal: AbortSignal) => Promise<Wanted | undefined>;
  /** Told when the registrations have changed. */
  readonly onChange: () => void;
}

/** Between two writes to one configuration, when somebody undoes each, or they fail. */
const writeLimits: RateLimitOptions = { free: 3, first: 500, limit: 30_000 };

export function createTrust(options: TrustOptions): Trust {
  const { connection, clock, log } = options;
  const stopping = new AbortController();
  const published = createPublishedTrust(clock);
  const waits = createRateLimits(writeLimits, clock);
  const counters = { written: 0, failed: 0 };
  /** By configuration. */
  const lastWritten = new Map<string, string>();
  let running: Promise<void> | undefined;
  let again = false;
  let cancel = (): void => {};

  const registrations = createRegistrations(() => {
    const current = registrations.current();
    if (current === undefined || stopping.signal.aborted) return;
    published.read(current);
    options.onChange();
    changed();
  });

  function changed(): void {
    if (stopping.signal.aborted) return;
    again = true;
    running ??= run();
  }

  async function run(): Promise<void> {
    // In a turn of its own: whoever has told of a change is not interrupted.
    await Promise.resolve();
    while (again && !stopping.signal.aborted) {
      again = false;
      cancel();
      const left: number[] = [];
      for (const registration of registrations.current() ?? []) {
        const wait = await reconcile(registration);
        if (wait !== undefined) left.push(wait);
      }
      if (left.length > 0) cancel = clock.after(Math.min(...left), changed);
    }
    running = undefined;
  }

  /** Milliseconds after which it is to be looked at again; undefined: it is as it should be. */
  async function reconcile(registration: Registration): Promise<number | undefined> {
    const key = registration.name;
    const expected = options.expected(registration);
    if (expected === undefined || agrees(registration, expected)) return undefined;
    const left = waits.left(key);
    if (left > 0) return left;
    const wanted = await options.confirmed(registration, stopping.signal);
    if (stopping.signal.aborted) return undefined;
    // One that is as the cluster wants it, and not as it was believed, was written by a replica that knows more.
    if (wanted !== undefined && agrees(registration, wanted)) return undefined;
    // Only what is undone again and again has to wait longer and longer.
    const text = JSON.stringify(wanted);
    if (text !== lastWritten.get(key)) waits.forget(key);
    const wait = waits.begin(key);
    if (wanted === undefined) return Math.max(wait, writeLimits.first);
    const { name, uid, resourceVersion } = registration;
    const [phase, object] = partsOf(name);
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: configurationKinds[phase],
      // Without these two, one that is deleted meanwhile would be made anew.
      metadata: { name: object, uid, resourceVersion },
      webhooks: registration.webhooks.map((webhook) => applied(webhook, wanted)),
    };
    const path = `${configurationPaths[phase]}/${object}?fieldManager=${trustManager}&force=true`;
    const contentType = 'application/apply-patch+yaml';
    const answer = await connection.request('PATCH', path, { body, contentType, signal: stopping.signal });
    if (stopping.signal.aborted) return undefined;
    const stored = answer.ok ? decodeObject(answer.body) : undefined;
    if (stored !== undefined) {
      counters.written++;
      lastWritten.set(key, text);
      log.info({ configuration: name }, 'the CA bundle was written');
      registrations.learned(phase, stored);
      return undefined;
    }
    // Somebody was faster: what he has made of it comes over the watch.
    const conflict = !answer.ok && answer.kind === 'refused' && answer.status === 409;
    if (!conflict) {
      counters.failed++;
      const failure = answer.ok ? 'the answer is no configuration' : describe(answer);
      log.warn({ configuration: name, failure }, 'the CA bundle could not be written; it is tried again');
    }
    return Math.max(wait, writeLimits.first);
  }

  return {
    published: published.current,
    changed,
    counters: () => ({ ...counters }),
    registrations,
    async stop() {
      stopping.abort();
      cancel();
      await running;
    },
  };
}

function agrees({ webhooks }: Registration, wanted: Wanted): boolean {
  return webhooks.every(
    (webhook) =>
      (wanted.authorities === undefined ||
        isDeepStrictEqual([...certificatesIn(bundleTextOf(webhook))].sort(), [...wanted.authorities].sort())) &&
      (!isCalledByService(webhook) || webhook.path === pathOf(webhook, wanted)),
  );
}

/** What this manager says of a webhook; the API server keeps the rest as it is. */
function applied(webhook: Webhook, wanted: Wanted): object {
  const { name } = webhook;
  const authorities = wanted.authorities?.join('');
  const clientConfig = {
    ...(authorities !== undefined && { caBundle: Buffer.from(authorities).toString('base64') }),
    ...(isCalledByService(webhook) && { service: { path: pathOf(webhook, wanted) } }),
  };
  return { name, clientConfig };
}

function pathOf(webhook: Webhook, { path }: Wanted): string {
  return `${prefixOf(path)}/${endpointOf(webhook)}`;
}
