import type { StringMap } from '../kubernetes/objects.ts';
import type { Exemption } from '../tenancy/exemption.ts';
import { formatSteps } from '../tenancy/problem.ts';
import { soon } from '../tenancy/soon.ts';
import { suggestion } from '../tenancy/suggestion.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';

/** Why an exemption has no effect, or will soon have none. */
export interface Doubt {
  readonly kind: 'Expired' | 'MatchesNothing' | 'EndsSoon';
  readonly steps: readonly string[];
  readonly reason: string;
  readonly fix: string;
}

/** One line about the field and what to do. */
export function textOf({ steps, reason, fix }: Doubt): string {
  return `${formatSteps(steps)} ${reason}; ${fix}`;
}

/** The tenant label of a namespace; `missing`: there is no namespace of that name. */
export type TenantOf = (namespace: string) => { readonly tenant: string | undefined } | 'missing';

export function tenantsOf(
  { ownerByLabels }: Pick<Tenancy, 'ownerByLabels'>,
  lookup: (namespace: string) => { readonly labels: StringMap } | undefined,
): TenantOf {
  return (name) => {
    const record = lookup(name);
    if (record === undefined) return 'missing';
    const owner = ownerByLabels(record.labels);
    return { tenant: owner === 'platform' ? undefined : owner.name };
  };
}

/**
 * @param now milliseconds since the epoch
 * @param tenantOf left out where namespaces are not known
 */
export function doubtAbout(
  { tenant, namespace, expires }: Exemption,
  tenancy: Pick<Tenancy, 'tenants' | 'reservation'>,
  now: number,
  tenantOf?: TenantOf,
): Doubt | undefined {
  const about = (kind: Doubt['kind'], field: string, reason: string, fix: string): Doubt => ({
    kind,
    steps: ['spec', field],
    reason,
    fix,
  });
  if (expires <= now) {
    return about(
      'Expired',
      'expires',
      'has passed, so nothing is exempted',
      'remove the exemption, or set a later time',
    );
  }
  if (!tenancy.tenants.has(tenant)) {
    const meant = suggestion(tenant, [...tenancy.tenants.keys()]);
    const fix = meant === undefined ? 'declare the tenant, or name another' : `did you mean ${meant}?`;
    return about('MatchesNothing', 'tenant', `${tenant} is not a declared tenant`, fix);
  }
  const elsewhere = `name a namespace of tenant ${tenant}`;
  if (tenancy.reservation(namespace) === 'platform')
    return about('MatchesNothing', 'namespace', `${namespace} is a namespace of the platform`, elsewhere);
  const known = tenantOf?.(namespace);
  if (known === 'missing') return about('MatchesNothing', 'namespace', `there is no namespace ${namespace}`, elsewhere);
  if (known !== undefined && known.tenant !== tenant)
    return about('MatchesNothing', 'namespace', `${namespace} is not a namespace of tenant ${tenant}`, elsewhere);
  if (expires - now > soon) return undefined;
  const ends = 'is within a week; from then on what it exempts is rejected';
  return about('EndsSoon', 'expires', ends, 'set a later time, or change the workload');
}
