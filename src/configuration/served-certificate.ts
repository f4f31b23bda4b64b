/** The certificate that this replica serves, whoever offers new ones. */

import { type Candidate, chooseServed } from '../certificates/choose-served.ts';
import type { KeyPair } from '../certificates/key-pair.ts';
import type { Published } from '../certificates/published.ts';

export interface ServedCertificate {
  /** Resolves with the first one. Never rejects. */
  readonly first: Promise<KeyPair>;
  current(): Candidate | undefined;
  /** What is to be served as soon as that is safe. */
  offer(candidate: Candidate): void;
  /** Looks again: registrations may have changed, and time goes by. */
  review(): void;
  /** Whether every registration names its authority; undefined while that is not known, and where nothing is registered. */
  trusted(): boolean | undefined;
  /**
   * Whether API servers could get through once. One whose authority is recent, or that came where another was trusted, is only so
   * when all of them have learned of it, so that none calls a replica in vain that has just begun.
   */
  reached(): boolean;
  /** Calls back with every one after the one that is served now; gives what ends that. */
  follow(changed: (pair: KeyPair) => void): () => void;
}

export function createServedCertificate(
  published: () => Published | undefined,
  wallClock: () => number,
  settle: number,
): ServedCertificate {
  const followers = new Set<(pair: KeyPair) => void>();
  let offered: Candidate | undefined;
  let served: Candidate | undefined;
  let reached = false;
  let refused = false;
  let resolveFirst: (pair: KeyPair) => void = () => {};
  const first = new Promise<KeyPair>((resolve) => {
    resolveFirst = resolve;
  });

  function review(): void {
    choose();
    const trust = published();
    const authority = served?.authority;
    if (reached || served === undefined || trust === undefined) return;
    const trustedFor =
      trust.registered && authority !== undefined ? trust.trustedFor(authority) : Number.POSITIVE_INFINITY;
    // Where others are named as well, one of the two came lately.
    refused ||= served.recent === true || trust.authorities.some((one) => one !== authority);
    reached = trustedFor !== undefined && trustedFor >= (refused ? settle : 0);
  }

  function choose(): void {
    const trust = published();
    if (offered === undefined) return;
    if (served !== undefined && trust === undefined) return;
    const chosen =
      served === undefined || trust === undefined ? offered : chooseServed(served, offered, trust, wallClock(), settle);
    if (chosen === served) return;
    const before = served?.pair;
    served = chosen;
    resolveFirst(chosen.pair);
    if (before !== undefined && (before.certificate !== chosen.pair.certificate || before.key !== chosen.pair.key))
      for (const changed of followers) changed(chosen.pair);
  }

  return {
    first,
    current: () => served,
    offer(candidate) {
      offered = candidate;
      review();
    },
    review,
    trusted() {
      const trust = published();
      const authority = served?.authority;
      if (!trust?.registered || authority === undefined) return undefined;
      return trust.trustedFor(authority) !== undefined;
    },
    reached() {
      // Time alone makes it so, and who asks does not wait for the next change.
      review();
      return reached;
    },
    follow(changed) {
      followers.add(changed);
      return () => followers.delete(changed);
    },
  };
}
