/**
 * Authorities that stay in a registration for a while although nothing here names them: another replica may serve by them, with
 * other files, another Secret, or certificates that come another way.
 */
import { certificatesIn } from '../certificates/authorities.ts';
import type { RotationState } from '../certificates/rotation-state.ts';
import type { Clock } from '../client/clock.ts';
import { isRecord } from '../client/decode.ts';
import { entry } from '../kubernetes/objects.ts';
import { bundleTextOf, type Registration } from './registrations.ts';
import { trustManager } from './trust.ts';

export interface KeptAuthorities {
  /**
   * @param own     what is to be named in any case
   * @param written what Bulkhead has written there
   * @returns what is to be named
   */
  with(own: readonly string[], written: readonly string[]): readonly string[];
  /**
   * What the Secret says now. One that is on its way out there stays as long as a replica may serve by it, and no longer; also
   * when an older Secret is put back meanwhile that does not know it.
   *
   * @param overlap milliseconds for which a replica may serve by it
   */
  learned(state: Pick<RotationState, 'authority' | 'next' | 'previous'>, overlap: number): void;
  /** What no registration names has come to its end; if it is named again, that is something new. */
  named(authorities: readonly string[]): void;
}

/** @param kept milliseconds for which one stays */
export function createKeptAuthorities(clock: Pick<Clock, 'now'>, kept: number): KeptAuthorities {
  /** Since when one has been named by registrations alone. */
  const since = new Map<string, number>();
  /** Until when one stays that was seen on its way out. */
  const leavingUntil = new Map<string, number>();
  /** What the Secret has on its way out now. */
  let leaving: readonly string[] = [];

  function stays(authority: string): boolean {
    const end = leavingUntil.get(authority);
    if (end !== undefined) return clock.now() < end;
    const start = since.get(authority) ?? clock.now();
    since.set(authority, start);
    return clock.now() - start < kept;
  }

  return {
    with(own, written) {
      for (const one of own) since.delete(one);
      const others = written.filter((one) => !own.includes(one));
      return [...new Set([...own, ...others.filter(stays)])];
    },
    learned({ authority, next, previous }, overlap) {
      leaving = previous;
      for (const one of [authority, next]) if (one !== undefined) leavingUntil.delete(one.certificate);
      for (const one of previous) if (!leavingUntil.has(one)) leavingUntil.set(one, clock.now() + overlap);
    },
    named(authorities) {
      for (const one of [...since.keys(), ...leavingUntil.keys()]) {
        if (authorities.includes(one)) continue;
        since.delete(one);
        // The Secret will have it named again, where registrations were deleted and applied.
        if (!leaving.includes(one)) leavingUntil.delete(one);
      }
    },
  };
}

/**
 * The authorities that Bulkhead has written there itself. What a person has put into a caBundle belongs to him, by
 * metadata.managedFields, and is not kept.
 */
export function writtenByBulkhead({ object, webhooks }: Registration): string[] {
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
