/**
 * Authorities that stay in a registration for a while although nothing here names them: another replica may serve by them, with
 * other files, another Secret, or certificates that come another way.
 */
import { certificatesIn } from '../certificates/authorities.ts';
import { entry } from '../kubernetes/objects.ts';
import type { Clock } from './clock.ts';
import { bundleTextOf, type Registration } from './registrations.ts';
import { trustManager } from './trust.ts';
import { isRecord } from './wire.ts';

export interface KeptAuthorities {
  /**
   * @param own     what is to be named in any case
   * @param written what Bulkhead has written there
   * @returns what is to be named
   */
  with(own: readonly string[], written: readonly string[]): readonly string[];
  /** Not kept: it was dropped on purpose. */
  drop(authority: string): void;
  /** What no registration names has come to its end; if it is named again, that is something new. */
  named(authorities: readonly string[]): void;
}

/** @param kept milliseconds for which one stays */
export function createKeptAuthorities(clock: Pick<Clock, 'now'>, kept: number): KeptAuthorities {
  /** Since when one has been named by registrations alone. */
  const since = new Map<string, number>();
  const dropped = new Set<string>();

  function stays(authority: string): boolean {
    const start = since.get(authority) ?? clock.now();
    since.set(authority, start);
    return !dropped.has(authority) && clock.now() - start < kept;
  }

  return {
    with(own, written) {
      for (const one of own) since.delete(one);
      const others = written.filter((one) => !own.includes(one));
      return [...new Set([...own, ...others.filter(stays)])];
    },
    drop: (authority) => void dropped.add(authority),
    named(authorities) {
      for (const one of [...since.keys(), ...dropped]) {
        if (authorities.includes(one)) continue;
        since.delete(one);
        dropped.delete(one);
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
