/**
 * Certificates for the webhook, and the CA bundles by which API servers verify them. They have two sources: the replicas create and
 * share them in a Secret, or they come from files. In both, an authority is in every CA bundle before a certificate of it is served,
 * and until none is served any more.
 */
import type { KeyPair } from '../certificates/key-pair.ts';
import { type RotationLimits, rotationLimits } from '../certificates/rotation.ts';
import type { RotationPhase } from '../certificates/rotation-state.ts';
import type { ListWatch } from '../client/list-watch.ts';
import { type CaBundleCounters, type CaBundles, createCaBundles, type Wanted, type Wishes } from './ca-bundle.ts';
import { createRetainedAuthorities, type RetainedAuthorities } from './retained-authorities.ts';
import { createServedCertificate, type ServedCertificate } from './served-certificate.ts';
import type { WebhookConfiguration } from './webhook-configuration.ts';
import type { ConfigurationTools } from './webhook-configurations.ts';

export interface CertificateTools extends ConfigurationTools {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

/** Milliseconds, all of them. */
export interface CertificateLimits extends RotationLimits {
  /** For so long an authority of other replicas stays in the CA bundles: they may have other files, or another Secret. */
  readonly retention: number;
  /** How often the next step is looked for. Short against a day, so that neither sleep nor a jump of the clock is missed for long. */
  readonly tick: number;
}

export const certificateLimits: CertificateLimits = { ...rotationLimits, retention: 24 * 3_600_000, tick: 60_000 };

export interface CertificateCounters {
  /** Undefined for certificates from files. */
  readonly rotation:
    | {
        readonly phase: RotationPhase | undefined;
        /** Milliseconds since 1970. */
        readonly authorityExpiry: number | undefined;
        readonly written: number;
        readonly failed: number;
      }
    | undefined;
  readonly caBundles: CaBundleCounters;
  /** Whether every CA bundle has the authority of what is served; undefined while that is not known. */
  readonly inBundles: boolean | undefined;
}

export interface ReplicaCertificates {
  /** Resolves with the first one to serve. Never rejects. */
  readonly first: Promise<KeyPair>;
  /** Calls back with every later one; gives what ends that. */
  follow(changed: (pair: KeyPair) => void): () => void;
  /** The path segments before `/validate` that are answered; the empty one stands for none. */
  paths(): readonly string[];
  /** Why API servers could not get through at the start, or undefined as soon as they could once. */
  ready(): string | undefined;
  counters(): CertificateCounters;
  /** Beside those of the webhook configurations. */
  readonly watches: ReadonlyMap<string, ListWatch>;
  /** Resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/** What both sources consist of. */
export interface CertificateParts {
  readonly bundles: CaBundles;
  readonly served: ServedCertificate;
  readonly retained: RetainedAuthorities;
}

export function createCertificateParts(
  tools: CertificateTools,
  limits: CertificateLimits,
  wishes: Wishes,
): CertificateParts {
  const retained = createRetainedAuthorities(tools.clock, limits.retention);

  function complete(wanted: Wanted | undefined, { own }: WebhookConfiguration): Wanted | undefined {
    if (wanted?.authorities === undefined) return wanted;
    const serving = served.current()?.authority;
    const ours = serving === undefined ? wanted.authorities : [...wanted.authorities, serving];
    // The user who has written a caBundle owns it, and its authorities are not retained.
    const written = own.flatMap((webhook) => (webhook.isInjected ? webhook.authorities : []));
    return { ...wanted, authorities: retained.with(ours, written) };
  }

  const bundles = createCaBundles(tools, {
    expected: (configuration) => complete(wishes.expected(configuration), configuration),
    confirmed: async (configuration, signal) => complete(await wishes.confirmed(configuration, signal), configuration),
    changed() {
      retained.named(bundles.observed()?.authorities ?? []);
      wishes.changed();
      served.review();
    },
  });
  const served = createServedCertificate(bundles.observed, tools.wallClock, limits.propagationDelay);
  return { bundles, served, retained };
}
