/** The certificate that this replica serves, from all sources that offer new ones. */

import { type Candidate, chooseServed } from '../certificates/choose-served.ts';
import type { KeyPair } from '../certificates/key-pair.ts';
import type { Observed } from '../certificates/observed.ts';

export interface ServedCertificate {
  /** Resolves with the first one. Never rejects. */
  readonly first: Promise<KeyPair>;
  current(): Candidate | undefined;
  /** What is to be served as soon as that is safe. */
  offer(candidate: Candidate): void;
  /** Looks again: the webhook configurations may have changed, and time passes. */
  review(): void;
  /** Whether every CA bundle has its authority; undefined while that is not known, and where there is no bundle. */
  inBundles(): boolean | undefined;
  /**
   * Whether API servers could get through once. One whose authority is recent, or that came where the bundles had another, is only so
   * when all of them have learned of it, so that none calls a replica in vain that has just begun.
   */
  reached(): boolean;
  /** Calls back with every one after the one that is served now; gives what ends that. */
  follow(changed: (pair: KeyPair) => void): () => void;
}

export function createServedCertificate(
  observed: () => Observed | undefined,
  wallClock: () => number,
  propagationDelay: number,
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
    const seen = observed();
    if (offered === undefined || (served !== undefined && seen === undefined)) return;
    const before = served;
    served =
      before === undefined || seen === undefined
        ? offered
        : chooseServed(before, offered, seen, wallClock(), propagationDelay);
    const { pair, authority, recent } = served;
    resolveFirst(pair);
    if (before !== undefined && (before.pair.certificate !== pair.certificate || before.pair.key !== pair.key))
      for (const changed of followers) changed(pair);
    if (reached || seen === undefined) return;
    const inBundlesFor =
      seen.hasBundle && authority !== undefined ? seen.inBundlesFor(authority) : Number.POSITIVE_INFINITY;
    // Where the bundles have others as well, one of the two came lately.
    refused ||= recent === true || seen.authorities.some((one) => one !== authority);
    reached = inBundlesFor !== undefined && inBundlesFor >= (refused ? propagationDelay : 0);
  }

  return {
    first,
    current: () => served,
    offer(candidate) {
      offered = candidate;
      review();
    },
    review,
    inBundles() {
      const seen = observed();
      const authority = served?.authority;
      if (!seen?.hasBundle || authority === undefined) return undefined;
      return seen.inBundlesFor(authority) !== undefined;
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
