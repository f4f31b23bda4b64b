/**
 * The time since which this replica has known each name and prefix of a tenant. A reservation has propagated once every other replica knows it as
 * well: from then on no replica lets another tenant create a namespace with that name.
 */
import { isDeepStrictEqual } from 'node:util';
import type { TenancySource } from '../admission/facts.ts';
import type { Clock } from '../client/clock.ts';
import { reservationsOf } from '../tenancy/reserved-names.ts';

export interface Reservations {
  /** Call it after every change of the tenants or settings: a reservation that was given up in between starts again. */
  changed(): void;
  /** Whether the name is reserved for the tenant, and had been for the whole propagation delay at that time of the clock. */
  hadPropagated(name: string, tenant: string, time: number): boolean;
}

/**
 * Milliseconds. A watch reports the change of a Tenant within milliseconds, and a request that was answered before takes at most 30 s.
 * The files of a ConfigMap reach the pods up to two minutes apart: kubelets sync once a minute, from caches that last a minute.
 */
export const propagationDelay = { objects: 60_000, files: 180_000 };

interface Reservation {
  readonly tenant: string;
  readonly since: number;
}

/** @param delay milliseconds until every replica knows a change */
export function createReservations(tenancy: TenancySource, delay: number, clock: Clock): Reservations {
  let current = tenancy();
  let reservations = read(new Map());

  function read(before: ReadonlyMap<string, Reservation>): ReadonlyMap<string, Reservation> {
    const found = new Map<string, Reservation>();
    for (const tenant of current.tenants.values()) {
      const { name } = tenant;
      for (const reserved of tenant.reserved.keys()) {
        if (current.reservation(reserved) !== tenant) continue;
        const known = before.get(reserved);
        found.set(reserved, known?.tenant === name ? known : { tenant: name, since: clock.now() });
      }
    }
    return found;
  }

  function changed(): void {
    const { platform } = current.settings;
    current = tenancy();
    // An old reservation starts to cover each name that the platform has given up.
    reservations = read(isDeepStrictEqual(platform, current.settings.platform) ? reservations : new Map());
  }

  return {
    changed,
    hadPropagated(name, tenant, time) {
      if (tenancy() !== current) changed();
      return reservationsOf(name).some((reserved) => {
        const reservation = reservations.get(reserved);
        return reservation?.tenant === tenant && time - reservation.since >= delay;
      });
    },
  };
}
