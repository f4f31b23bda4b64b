/**
 * Certificates for the webhook, and the trust of API servers in them. Two ways: replicas make them and share them in a Secret,
 * or somebody else gives them (files). In both, an authority is trusted before anything it has signed is served, and until
 * nothing of it is served any more.
 */
import type { KeyPair } from '../certificates/key-pair.ts';
import type { RotationPhase } from '../certificates/rotation-state.ts';
import type { Clock } from '../client/clock.ts';
import type { Connection } from '../client/connection.ts';
import type { ListWatch } from '../client/list-watch.ts';
import type { Log } from '../client/log.ts';
import type { Registrations } from './registrations.ts';
import type { TrustCounters } from './trust.ts';

export interface CertificateTools {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

export interface CertificateCounters {
  /** Undefined for certificates that somebody else gives. */
  readonly rotation:
    | {
        readonly phase: RotationPhase | undefined;
        /** Milliseconds since 1970. */
        readonly authorityExpiry: number | undefined;
        readonly written: number;
        readonly failed: number;
      }
    | undefined;
  readonly trust: TrustCounters;
  /** Whether every registration names the authority of what is served; undefined while that is not known. */
  readonly trusted: boolean | undefined;
}

export interface KeptCertificates {
  /** Resolves with the first one to serve. Never rejects. */
  readonly first: Promise<KeyPair>;
  /** Calls back with every later one; gives what ends that. */
  follow(changed: (pair: KeyPair) => void): () => void;
  /** The path segments before `/validate` that are answered; the empty one stands for none. */
  paths(): readonly string[];
  /** Why API servers could not get through at the start, or undefined as soon as they could once. */
  ready(): string | undefined;
  counters(): CertificateCounters;
  /** For whoever follows the configurations. */
  readonly registrations: Registrations;
  readonly watches: ReadonlyMap<string, ListWatch>;
  /** Resolves when nothing runs any more. */
  stop(): Promise<void>;
}
