/**
 * Certificates that somebody else gives, such as cert-manager or a person, in files that reach one replica sooner than another.
 * Replicas share nothing but the registrations, so each adds its own authorities to what the others have written there, and
 * takes away what none of its files has named for a day.
 */
import type { Candidate } from '../certificates/choose-served.ts';
import { pathToName } from '../certificates/paths.ts';
import type { CertificateTools, KeptCertificates } from './certificates.ts';
import { createKeptAuthorities, writtenByBulkhead } from './kept-authorities.ts';
import { pathNamedIn, type Registration } from './registrations.ts';
import { createServedCertificate } from './served-certificate.ts';
import { createTrust, type Wanted } from './trust.ts';

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
  const keptAuthorities = createKeptAuthorities(clock, limits.kept);
  let given = first;
  /** What is answered: without a segment, and as API servers may have been told when the replicas made certificates themselves. */
  let paths: readonly string[] = [''];
  let cancel = (): void => {};

  function wanted(registration: Registration): Wanted {
    const { authorities } = given;
    // No other one is asked for: replicas that make certificates themselves may still run, and answer there alone.
    const path = pathToName({ path: '', previousPaths: paths }, pathNamedIn(registration), paths.slice(1), false);
    if (authorities === undefined) return { authorities, path };
    const serving = served.current()?.authority;
    const own = [...authorities, ...(serving === undefined ? [] : [serving])];
    return { authorities: keptAuthorities.with(own, writtenByBulkhead(registration)), path };
  }

  const trust = createTrust({
    ...tools,
    expected: wanted,
    confirmed: async (registration) => wanted(registration),
    onChange() {
      const published = trust.published();
      keptAuthorities.named(published?.authorities ?? []);
      // For good: an API server may not have heard yet that it is another one.
      paths = [...new Set([...paths, ...(published?.paths ?? [])])];
      served.review();
    },
  });
  const served = createServedCertificate(trust.published, wallClock, limits.settle);

  function offer(next: Given): void {
    given = next;
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
    paths: () => paths,
    ready: () =>
      served.reached() ? undefined : 'the CA bundle of the API servers does not have the certificate authority yet',
    counters: () => ({ rotation: undefined, trust: trust.counters(), trusted: served.trusted() }),
    registrations: trust.registrations,
    watches: new Map(),
    async stop() {
      cancel();
      await trust.stop();
    },
  };
}
