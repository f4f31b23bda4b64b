/**
 * Certificates that somebody else gives, such as cert-manager or a person, in files that reach one replica sooner than another.
 * Replicas share nothing but the registrations, so each adds its own authorities to what the others have written there, and
 * takes away what none of its files has named for a day.
 */
import { certificatesIn } from '../certificates/authorities.ts';
import type { Candidate } from '../certificates/choose-served.ts';
import { entry } from '../kubernetes/objects.ts';
import type { CertificateTools, KeptCertificates } from './certificates.ts';
import { bundleTextOf, type Registration } from './registrations.ts';
import { createServedCertificate } from './served-certificate.ts';
import { createTrust, trustManager, type Wanted } from './trust.ts';
import { isRecord } from './wire.ts';

/** What the files hold. */
export interface Given extends Candidate {
  /** All of `ca.crt`. Undefined: there is none, and somebody else writes the caBundle. */
  readonly authorities: readonly string[] | undefined;
}

/** Milliseconds. */
export interface GivenLimits {
  /** As for the rotation: until every API server has learned what a registration says. */
  readonly settle: number;
  /** For so long an authority stays trusted that is in the files no more: some replica may still have the old ones. */
  readonly kept: number;
  readonly tick: number;
}

export const givenLimits: GivenLimits = { settle: 60_000, kept: 24 * 3_600_000, tick: 60_000 };

export interface GivenCertificates extends KeptCertificates {
  /** The files have changed. */
  offer(given: Given): void;
}

export function keepGivenCertificates(
  tools: CertificateTools,
  first: Given,
  partial?: Partial<GivenLimits>,
): GivenCertificates {
  const { clock, wallClock } = tools;
  const limits = { ...givenLimits, ...partial };
  /** Since when an authority of others has been known; by certificate. */
  const foreignSince = new Map<string, number>();
  let given = first;
  let cancel = (): void => {};

  function wanted(registration: Registration): Wanted {
    const { authorities } = given;
    if (authorities === undefined) return { authorities, prefix: '' };
    const servedBy = served.current()?.authority;
    const kept = writtenByUs(registration).filter((one) => {
      if (authorities.includes(one)) return false;
      if (!foreignSince.has(one)) foreignSince.set(one, clock.now());
      const age = clock.now() - (foreignSince.get(one) ?? 0);
      return age < limits.kept;
    });
    return {
      authorities: [...new Set([...authorities, ...kept, ...(servedBy === undefined ? [] : [servedBy])])],
      prefix: '',
    };
  }

  const trust = createTrust({
    ...tools,
    expected: wanted,
    confirmed: async (registration) => wanted(registration),
    onChange: () => served.review(),
  });
  const served = createServedCertificate(trust.published, wallClock, limits.settle);

  function offer(next: Given): void {
    given = next;
    for (const one of next.authorities ?? []) foreignSince.delete(one);
    served.offer(next);
    trust.changed();
  }

  function tick(): void {
    served.review();
    trust.changed();
    cancel = clock.after(limits.tick, tick);
  }

  offer(first);
  tick();
  return {
    first: served.first,
    follow: served.follow,
    offer,
    paths: () => [],
    ready: () => (served.reached() ? undefined : 'API servers do not trust the certificate yet'),
    counters: () => ({ rotation: undefined, trust: trust.counters(), trusted: served.trusted() }),
    registrations: trust.registrations,
    watches: new Map(),
    async stop() {
      cancel();
      await trust.stop();
    },
  };
}

/**
 * The authorities that Bulkhead has written there itself. What a person has put into a caBundle belongs to him, by
 * metadata.managedFields, and is not kept.
 */
function writtenByUs({ object, webhooks }: Registration): string[] {
  const metadata = entry(object, 'metadata');
  const managers = isRecord(metadata) ? entry(metadata, 'managedFields') : undefined;
  const ours = (Array.isArray(managers) ? managers : []).filter(
    (one) => isRecord(one) && one.manager === trustManager && one.operation === 'Apply',
  );
  const owns = (name: string): boolean =>
    ours.some((one) => {
      const path = ['fieldsV1', 'f:webhooks', `k:${JSON.stringify({ name })}`, 'f:clientConfig', 'f:caBundle'];
      return path.reduce<unknown>((at, key) => (isRecord(at) ? entry(at, key) : undefined), one) !== undefined;
    });
  return webhooks.flatMap((webhook) => (owns(webhook.name) ? certificatesIn(bundleTextOf(webhook)) : []));
}
