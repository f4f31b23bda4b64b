/** The exemptions of a picture: those that are in force. */
import type { Tenancy } from '../tenancy/tenancy.ts';

export interface PictureExemption {
  readonly name: string;
  readonly namespace: string;
  readonly tenant: string;
  /** In order. */
  readonly checks: readonly string[];
  /** `2027-01-31T00:00:00.000Z` */
  readonly expires: string;
}

/** @param now milliseconds since the epoch */
export function exemptionsOf({ exemptions }: Tenancy, now: number): readonly PictureExemption[] {
  return [...exemptions.values()]
    .flat()
    .filter(({ expires }) => expires > now)
    .toSorted((one, other) => one.expires - other.expires)
    .map(({ name, namespace, tenant, checks, expires }) => ({
      ...{ name, namespace, tenant, checks: [...checks].sort() },
      expires: new Date(expires).toISOString(),
    }));
}
