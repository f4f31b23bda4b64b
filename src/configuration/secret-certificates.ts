/**
 * Certificates that the replicas make themselves and share in a Secret. Every replica follows it, serves what it holds, and takes
 * the steps of the rotation (certificates/rotation.ts); of several that take one at the same time the Secret keeps the first.
 *
 *   Secret ──► in memory ──► served, once API servers know its authority
 *      ▲           └──────► the CA bundles (ca-bundle.ts)
 *      └── next step, every minute
 *
 * While the API server cannot be reached, what is in memory is served on. A Secret that is deleted or damaged is written anew from it.
 */
import { X509Certificate } from 'node:crypto';
import { pathToName } from '../certificates/paths.ts';
import { nextStep, type RotationFacts, type Step } from '../certificates/rotation.ts';
import { bundleOf, phaseOf, type RotationState } from '../certificates/rotation-state.ts';
import { fullJitter, reconnectBackoff } from '../client/backoff.ts';
import { describe } from '../client/failure.ts';
import { startListWatch } from '../client/list-watch.ts';
import { createWorkQueue } from '../client/work-queue.ts';
import type { Wanted } from './ca-bundle.ts';
import {
  type CertificateLimits,
  type CertificateTools,
  certificateLimits,
  createCertificateParts,
  type ReplicaCertificates,
} from './certificates.ts';
import { createSecretStore, readSecret, type SecretName, type StoredSecret, secretsPath } from './secret-store.ts';
import type { WebhookConfiguration } from './webhook-configuration.ts';

export interface SecretCertificatesOptions {
  readonly secret: SecretName;
  /** What the certificate is for, such as `bulkhead.bulkhead-system.svc`. */
  readonly names: readonly string[];
  readonly limits?: Partial<CertificateLimits> | undefined;
}

export function keepSecretCertificates(
  tools: CertificateTools,
  options: SecretCertificatesOptions,
): ReplicaCertificates {
  const { connection, clock, log, wallClock } = tools;
  const { secret: where, names } = options;
  const limits = { ...certificateLimits, ...options.limits };
  const store = createSecretStore(connection, where);
  const counters = { written: 0, failed: 0 };
  /** What is answered; every request reads it. */
  let paths: readonly string[] = [];
  /**
   * Paths that were taken out of the Secret, with a backup for example, and since when: webhook configurations may name one, and nothing
   * here know it yet.
   */
  const lost = new Map<string, number>();
  let memory: { readonly state: RotationState; readonly version: number } | undefined;
  let serverSince = clock.now();
  let pathSince = clock.now();
  let pathFound = false;
  let failures = 0;

  function wantedOf(state: RotationState, configuration: WebhookConfiguration): Wanted {
    const hasPropagated = clock.now() - pathSince >= limits.overlap;
    const path = pathToName(state, configuration.segment, bundles.observed()?.paths ?? [], hasPropagated);
    return { authorities: bundleOf(state), path };
  }
  const { bundles, served, retained } = createCertificateParts(tools, limits, {
    expected: (configuration) => memory && wantedOf(memory.state, configuration),
    async confirmed(configuration, signal) {
      const read = await store.read(signal);
      if (!read.ok || read.secret?.state === undefined) return undefined;
      learned(read.secret);
      return wantedOf(read.secret.state, configuration);
    },
    changed() {
      accept();
      // The first step waits for the configurations, and a path that is called is written down before it is replaced.
      const known = answered(memory?.state);
      if (memory === undefined || !bundles.observed()?.paths.every((one) => known.includes(one))) look();
    },
  });

  /** What API servers may call: the paths of the Secret, and of the webhook configurations. */
  function accept(): void {
    for (const [path, since] of lost) if (clock.now() - since >= limits.overlap) lost.delete(path);
    paths = [...new Set([...answered(memory?.state), ...lost.keys(), ...(bundles.observed()?.paths ?? [])])];
  }

  /** What the Secret holds, as soon as it is newer than what is known, and whole. */
  function learned({ resourceVersion, state }: StoredSecret): void {
    if (state === undefined || Number(resourceVersion) <= (memory?.version ?? 0)) return;
    if (state.server.certificate !== memory?.state.server.certificate) serverSince = clock.now();
    if (state.path !== memory?.state.path) {
      for (const one of answered(memory?.state)) if (!answered(state).includes(one)) lost.set(one, clock.now());
      pathSince = clock.now();
      pathFound = memory === undefined;
    }
    memory = { state, version: Number(resourceVersion) };
    retained.learned(state, limits.overlap);
    accept();
    served.offer({
      pair: state.server,
      authority: state.authority.certificate,
      recent: state.previous.length > 0,
    });
    bundles.changed();
  }

  const watch = startListWatch({
    connection,
    clock,
    log,
    path: secretsPath(where.namespace),
    fieldSelector: `metadata.name=${where.name}`,
    handler: {
      changed(object) {
        const secret = readSecret(object);
        learned(secret);
        if (secret.state === undefined || secret.asked) look();
      },
      removed: () => look(),
      forgetVersions() {
        if (memory !== undefined) memory = { ...memory, version: 0 };
      },
    },
  });

  const queue = createWorkQueue(1, clock, rotate, (_, error) => failed(String(error)));
  /** Looks for the next step now. */
  const look = (): void => queue.add('rotation');

  async function rotate(_: string, signal: AbortSignal): Promise<number> {
    const ok = await step(signal);
    failures = ok ? 0 : failures + 1;
    served.review();
    // The answered paths, and the path that a configuration must have, also depend on the time.
    accept();
    bundles.changed();
    return ok ? limits.tick : Math.min(limits.tick, fullJitter(reconnectBackoff, failures - 1, clock));
  }

  /** @returns false when it is to be tried again soon */
  async function step(signal: AbortSignal): Promise<boolean> {
    const read = await store.read(signal);
    if (signal.aborted) return true;
    if (!read.ok) return failed(describe(read));
    const { secret } = read;
    if (secret !== undefined) learned(secret);
    const observed = bundles.observed();
    // It calls back as soon as it knows.
    if (observed === undefined) return true;
    const wanted = wantedStep(secret, {
      now: wallClock(),
      observed,
      serverKnownFor: clock.now() - serverSince,
      asked: secret?.asked === true,
      pathKnownFor: clock.now() - pathSince,
      pathFound,
    });
    if (wanted === undefined) return true;
    const { state, reason } = wanted;
    const granted = state.next !== undefined && secret?.remains.next === undefined;
    const written = await store.write(secret, state, granted, signal);
    if (signal.aborted) return true;
    if (written === 'conflict') return false;
    if (!written.ok) return failed(describe(written));
    counters.written++;
    log.info({ ...where, phase: phaseOf(state), reason }, 'the certificates in the Secret are new');
    learned(written.secret);
    if (state.path !== secret?.remains.path) pathFound = false;
    // While the Secret was gone, no replica could read the path from it.
    if (secret?.state === undefined) pathSince = clock.now();
    return true;
  }

  function wantedStep(secret: StoredSecret | undefined, facts: RotationFacts): Step | undefined {
    if (secret?.state === undefined && memory !== undefined)
      return { state: memory.state, reason: secret === undefined ? 'it was gone' : 'it was damaged' };
    return nextStep(secret?.remains ?? {}, facts, names, limits);
  }

  function failed(failure: string): false {
    counters.failed++;
    log.warn({ ...where, failure }, 'the certificates in the Secret could not be written; it is tried again');
    return false;
  }

  look();
  return {
    first: served.first,
    follow: served.follow,
    paths: () => paths,
    ready() {
      if (served.current() === undefined) {
        const trouble = watch.trouble();
        return `there is no certificate yet${trouble === undefined ? '' : `: ${trouble}`}`;
      }
      return served.reached() ? undefined : 'the CA bundles do not have the authority of the certificate yet';
    },
    counters: () => ({
      rotation: {
        phase: memory && phaseOf(memory.state),
        authorityExpiry: memory && new X509Certificate(memory.state.authority.certificate).validToDate.getTime(),
        ...counters,
      },
      caBundles: bundles.counters(),
      inBundles: served.inBundles(),
    }),
    watches: new Map([['secrets', watch]]),
    async stop() {
      await watch.stop();
      await queue.stop();
      await bundles.stop();
    },
  };
}

function answered(state: RotationState | undefined): readonly string[] {
  return state === undefined ? [] : [state.path, ...state.previousPaths];
}
