/** Whose a new namespace will be. */
import { entry, type Namespace } from '../kubernetes/objects.ts';
import type { Owner, Requester, Tenancy } from './tenancy.ts';
import type { Tenant } from './tenant.ts';

/**
 * `decided`: the namespace will belong to that owner. `undecided`: it may not be created, and why.
 */
export type Ownership =
  | { readonly kind: 'decided'; readonly owner: Owner }
  | {
      readonly kind: 'undecided';
      readonly why: 'unaffiliated' | 'not-a-member' | 'unknown-tenant' | 'several';
      readonly candidates: readonly Tenant[];
    };

/**
 * Decides the owner of a Namespace on CREATE (design: "Who owns a namespace").
 * - The platform chooses: the tenant its label names, or none.
 * - Otherwise the tenants of the requester are the candidates. A label on the object must name one of them; without a label
 *   a reserved prefix decides among several; a single candidate is taken; none or several is undecided.
 * While the name is not generated yet, `generateName` stands for it: a generated name begins with it.
 */
export function decideOwner(namespace: Namespace, requester: Requester, tenancy: Tenancy): Ownership {
  const label = entry(namespace.metadata?.labels, tenancy.settings.tenantLabel);
  if (requester.platform) {
    if (label === undefined) return { kind: 'decided', owner: 'platform' };
    const tenant = tenancy.tenants.get(label);
    return tenant === undefined
      ? { kind: 'undecided', why: 'unknown-tenant', candidates: [] }
      : { kind: 'decided', owner: tenant };
  }
  const candidates = requester.tenants.filter((tenant) => tenancy.tenants.get(tenant.name) === tenant);
  if (candidates.length === 0) return { kind: 'undecided', why: 'unaffiliated', candidates };
  if (label !== undefined) {
    const tenant = candidates.find((candidate) => candidate.name === label);
    return tenant === undefined
      ? { kind: 'undecided', why: 'not-a-member', candidates }
      : { kind: 'decided', owner: tenant };
  }
  const reserved = tenancy.reservation(namespace.metadata?.name || namespace.metadata?.generateName || '');
  const [only] = candidates.length === 1 ? candidates : candidates.filter((candidate) => candidate === reserved);
  return only === undefined ? { kind: 'undecided', why: 'several', candidates } : { kind: 'decided', owner: only };
}
