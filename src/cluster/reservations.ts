/**
 * For how long the prefixes of tenants have been reserved, as this replica has seen it. A reservation counts as settled once every
 * other replica knows it as well: from then on none of them lets another tenant create a namespace of such a name.
 */
import { isDeepStrictEqual } from 'node:util';
import type { TenancySource } from '../admission/facts.ts';
import { prefixesOf } from '../tenancy/tenancy.ts';
import type { Clock } from './clock.ts';

export interface Reservations {
  /** To be called after every change of the tenants and settings: a reservation that was given up meanwhile begins anew. */
  changed(): void;
  /** Whether the name has been reserved for the tenant for long enough. */
  isSettled(name: string, tenant: string): boolean;
}

/**
 * Milliseconds. A watch brings the change of a Tenant within milliseconds, and a review that was answered before lasts at most 30 s.
 * The files of a ConfigMap reach the pods up to two minutes apart: the kubelets look for them once a minute, in caches of a minute.
 */
export const propagationDelay = { objects: 60_000, files: 180_000 };

interface Reservation {
  readonly tenant: string;
  readonly since: number;
}

/** @param delay until every replica knows a change */
export function createReservations(tenancy: TenancySource, delay: number, clock: Clock): Reservations {
  let current = tenancy();
  let reservations = read(new Map());

  function read(before: ReadonlyMap<string, Reservation>): ReadonlyMap<string, Reservation> {
    const found = new Map<string, Reservation>();
    for (const tenant of current.tenants.values()) {
      const { prefix, name } = tenant;
      if (prefix === undefined || current.reservation(prefix) !== tenant) continue;
      const known = before.get(prefix);
      found.set(prefix, known?.tenant === name ? known : { tenant: name, since: clock.now() });
    }
    return found;
  }

  function changed(): void {
    const { platform } = current.settings;
    current = tenancy();
    // A name that the platform has given up is reserved by an old prefix as of now.
    reservations = read(isDeepStrictEqual(platform, current.settings.platform) ? reservations : new Map());
  }

  return {
    changed,
    isSettled(name, tenant) {
      if (tenancy() !== current) changed();
      for (const prefix of prefixesOf(name)) {
        const reservation = reservations.get(prefix);
        if (reservation !== undefined) return reservation.tenant === tenant && clock.now() - reservation.since >= delay;
      }
      return false;
    },
  };
}
