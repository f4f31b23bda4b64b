/** The exemptions of a picture: those that are in force. */
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { PictureNamespace } from './picture-namespaces.ts';

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

/** The names of those that exempt pods of the tenant: one for a namespace of another owner exempts nothing. */
export function exempting(
  all: readonly PictureExemption[],
  tenant: string,
  namespaces: readonly PictureNamespace[],
  tenancy: Tenancy,
): readonly string[] {
  const isOwn = (name: string): boolean => {
    const known = namespaces.find((one) => one.name === name);
    if (known !== undefined) return known.tenant === tenant;
    const owner = tenancy.reservation(name);
    return owner === undefined || (owner !== 'platform' && owner.name === tenant);
  };
  return all.filter((one) => one.tenant === tenant && isOwn(one.namespace)).map(({ name }) => name);
}
