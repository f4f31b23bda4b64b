import type { Clock } from './clock.ts';

/** How long to wait after failures. Client-go's reflector uses the same figures. */
export interface BackoffLimits {
  /** The longest first wait, in milliseconds; doubled with every failure. */
  readonly first: number;
  /** No wait is longer. */
  readonly limit: number;
}

export const reconnectBackoff: BackoffLimits = { first: 800, limit: 30_000 };

/** The wait after `failures` failures in a row, in milliseconds: evenly spread from 0 ("full jitter"), so that replicas come back apart. */
export function fullJitter(limits: BackoffLimits, failures: number, clock: Clock): number {
  return clock.random() * Math.min(limits.limit, limits.first * 2 ** Math.min(failures, 30));
}
