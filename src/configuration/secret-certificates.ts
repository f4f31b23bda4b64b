/**
 * Certificates that the replicas make themselves and share in a Secret. Every replica follows it, serves what it holds, and takes
 * the steps of the rotation (certificates/rotation.ts); of several that take one at the same time the Secret keeps the first.
 *
 *   Secret ──► in memory ──► served, once API servers know its authority
 *      ▲           └──────► the caBundle of the registrations (trust.ts)
 *      └── next step, every minute
 *
 * While the API server cannot be reached, what is in memory is served on. A Secret that is deleted or damaged is written anew from it.
 */
import { X509Certificate } from 'node:crypto';
import { pathToName } from '../certificates/paths.ts';
import {
  nextStep,
  type RotationFacts,
  type RotationLimits,
  rotationLimits,
  type Step,
} from '../certificates/rotation.ts';
import { bundleOf, phaseOf, type RotationState } from '../certificates/rotation-state.ts';
import { fullJitter, reconnectBackoff } from '../client/backoff.ts';
import { describe } from '../client/failure.ts';
import { startListWatch } from '../client/list-watch.ts';
import type { CertificateTools, KeptCertificates } from './certificates.ts';
import { createKeptAuthorities, writtenByBulkhead } from './kept-authorities.ts';
import { pathNamedIn, type Registration } from './registrations.ts';
import { createSecretStore, readSecret, type SecretName, type StoredSecret, secretsPath } from './secret-store.ts';
import { createServedCertificate } from './served-certificate.ts';
import { createTrust, type Wanted } from './trust.ts';

export interface SecretCertificatesOptions {
  readonly secret: SecretName;
  /** What the certificate is for, such as `bulkhead.bulkhead-system.svc`. */
  readonly names: readonly string[];
  readonly limits?: Partial<KeeperLimits> | undefined;
}

export interface KeeperLimits extends RotationLimits {
  /** For so long an authority of others stays trusted: replicas that are given files, or have another Secret. */
  readonly kept: number;
  /** How often the next step is looked for. Short against a day, so that neither sleep nor a jump of the clock is missed for long. */
  readonly tick: number;
}

export const keeperLimits: KeeperLimits = { ...rotationLimits, kept: 24 * 3_600_000, tick: 60_000 };

/** A replica that finds itself too slow as often as this waits for the next tick. */
const mostConflicts = 5;

export function keepSecretCertificates(tools: CertificateTools, options: SecretCertificatesOptions): KeptCertificates {
  const { connection, clock, log, wallClock } = tools;
  const { secret: where, names } = options;
  const limits = { ...keeperLimits, ...options.limits };
  const store = createSecretStore(connection, where);
  const stopping = new AbortController();
  const { signal } = stopping;
  const counters = { written: 0, failed: 0 };
  /** What is answered; every request reads it. */
  let paths: readonly string[] = [];
  /**
   * What somebody has taken out of the Secret, with a backup for example, and since when: registrations may name it, and nothing
   * here know it yet.
   */
  const lost = new Map<string, number>();
  const keptAuthorities = createKeptAuthorities(clock, limits.kept);
  let memory: { readonly state: RotationState; readonly version: number } | undefined;
  let serverSince = clock.now();
  let pathSince = clock.now();
  let pathFound = false;
  let failures = 0;
  let cancelTick = (): void => {};
  let running: Promise<void> | undefined;
  let again = false;

  function wantedOf(state: RotationState, registration: Registration): Wanted {
    const serving = served.current()?.authority;
    const own = [...bundleOf(state), ...(serving === undefined ? [] : [serving])];
    const isSettled = clock.now() - pathSince >= limits.overlap;
    return {
      authorities: keptAuthorities.with(own, writtenByBulkhead(registration)),
      path: pathToName(state, pathNamedIn(registration), trust.published()?.paths ?? [], isSettled),
    };
  }
  const trust = createTrust({
    connection,
    clock,
    log,
    expected: (registration) => memory && wantedOf(memory.state, registration),
    async confirmed(registration, ending) {
      const read = await store.read(ending);
      if (!read.ok || read.secret?.state === undefined) return undefined;
      learned(read.secret);
      return wantedOf(read.secret.state, registration);
    },
    onChange() {
      keptAuthorities.named(trust.published()?.authorities ?? []);
      accept();
      served.review();
      // The first step waits for what is registered, and a path that is called is written down before it is replaced.
      const known = answered(memory?.state);
      if (memory === undefined || !trust.published()?.paths.every((one) => known.includes(one))) look();
    },
  });
  const served = createServedCertificate(trust.published, wallClock, limits.settle);

  /** What API servers may call: what the Secret says, and what the registrations say. */
  function accept(): void {
    for (const [path, since] of lost) if (clock.now() - since >= limits.overlap) lost.delete(path);
    paths = [...new Set([...answered(memory?.state), ...lost.keys(), ...(trust.published()?.paths ?? [])])];
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
    keptAuthorities.learned(state, limits.overlap);
    accept();
    served.offer({
      pair: state.server,
      authority: state.authority.certificate,
      recent: state.previous.length > 0,
    });
    trust.changed();
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

  /** Looks for the next step now. */
  function look(): void {
    if (signal.aborted) return;
    again = true;
    running ??= run();
  }

  async function run(): Promise<void> {
    await Promise.resolve();
    while (again && !signal.aborted) {
      again = false;
      cancelTick();
      const ok = await step();
      failures = ok ? 0 : failures + 1;
      served.review();
      // What is answered, and what a registration is to name, depends on the time, too.
      accept();
      trust.changed();
      const wait = ok ? limits.tick : Math.min(limits.tick, fullJitter(reconnectBackoff, failures - 1, clock));
      if (!signal.aborted) cancelTick = clock.after(wait, look);
    }
    running = undefined;
  }

  /** @returns false when it is to be tried again soon */
  async function step(): Promise<boolean> {
    for (let attempt = 0; attempt < mostConflicts; attempt++) {
      const read = await store.read(signal);
      if (signal.aborted) return true;
      if (!read.ok) return failed(describe(read));
      const { secret } = read;
      if (secret !== undefined) learned(secret);
      const published = trust.published();
      // It calls back as soon as it knows.
      if (published === undefined) return true;
      const now = wallClock();
      const wanted = wantedStep(secret, {
        now,
        published,
        serverKnownFor: clock.now() - serverSince,
        asked: secret?.asked === true,
        pathKnownFor: clock.now() - pathSince,
        pathFound,
      });
      if (wanted === undefined) return true;
      const { state, reason } = wanted;
      const granted = state.next !== undefined && secret?.remains.next === undefined;
      const written = await (secret === undefined
        ? store.create(state, signal)
        : store.update(secret, state, granted, signal));
      if (signal.aborted) return true;
      if (written === 'conflict') continue;
      if (!written.ok) return failed(describe(written));
      counters.written++;
      log.info({ ...where, phase: phaseOf(state), reason }, 'the certificates in the Secret are new');
      learned(written.secret);
      if (state.path !== secret?.remains.path) pathFound = false;
      // While it was gone nobody could learn of it.
      if (secret?.state === undefined) pathSince = clock.now();
      return true;
    }
    return false;
  }

  function wantedStep(secret: StoredSecret | undefined, facts: RotationFacts): Step | undefined {
    if (secret?.state === undefined && memory !== undefined)
      return { state: memory.state, reason: secret === undefined ? 'it was gone' : 'it was damaged' };
    return nextStep(secret?.remains ?? {}, facts, names, limits);
  }

  function failed(failure: string): false {
    counters.failed++;
    log.warn({ ...where, failure }, 'the certificates in the Secret could not be kept; it is tried again');
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
      return served.reached()
        ? undefined
        : 'the CA bundle of the API servers does not have the certificate authority yet';
    },
    counters: () => ({
      rotation: {
        phase: memory && phaseOf(memory.state),
        authorityExpiry: memory && new X509Certificate(memory.state.authority.certificate).validToDate.getTime(),
        ...counters,
      },
      trust: trust.counters(),
      trusted: served.trusted(),
    }),
    registrations: trust.registrations,
    watches: new Map([['secrets', watch]]),
    async stop() {
      stopping.abort();
      cancelTick();
      await watch.stop();
      await running;
      await trust.stop();
    },
  };
}

function answered(state: RotationState | undefined): readonly string[] {
  return state === undefined ? [] : [state.path, ...state.previousPaths];
}
