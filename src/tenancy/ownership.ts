/** Whose a new namespace will be. */
import { entry, type Namespace } from '../kubernetes/objects.ts';
import type { Provisioner } from './settings.ts';
import type { Owner, Requester, Tenancy } from './tenancy.ts';
import type { Tenant } from './tenant.ts';

/** Why a namespace that a provisioner creates has no decided owner, in spite of its annotation and its name. */
export type WhyProvisionedUndecided =
  | 'no-requester'
  | 'requester-unaffiliated'
  | 'requester-several'
  | 'name-not-reserved'
  | 'name-of-others'
  | 'other-label';

/**
 * `decided`: the namespace will belong to that owner. `undecided`: it may not be created, and why.
 */
export type Ownership =
  | {
      readonly kind: 'decided';
      readonly owner: Owner;
      /** The platform owns it because nothing tells whose it is, and the provisioner is set to do so. */
      readonly fallback?: WhyProvisionedUndecided;
    }
  | {
      readonly kind: 'undecided';
      readonly why: 'unaffiliated' | 'not-a-member' | 'unknown-tenant' | 'several' | WhyProvisionedUndecided;
      readonly candidates: readonly Tenant[];
    };

/**
 * Decides the owner of a Namespace on CREATE (design: "Who owns a namespace").
 * - The platform chooses: the tenant its label names, or none.
 * - Otherwise the tenants of the requester are the candidates. A label on the object must name one of them; without a label
 *   a reserved name decides among several; a single candidate is taken; none or several is undecided.
 * While the name is not generated yet, `generateName` stands for its beginning.
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
  const reserved = tenancy.reservation(nameOf(namespace));
  const [only] = candidates.length === 1 ? candidates : candidates.filter((candidate) => candidate === reserved);
  return only === undefined ? { kind: 'undecided', why: 'several', candidates } : { kind: 'decided', owner: only };
}

function nameOf({ metadata }: Namespace): string {
  if (metadata?.name) return metadata.name;
  // A generated name is longer: it begins with a prefix, and is no whole name that is reserved.
  const beginning = metadata?.generateName ?? '';
  return beginning.slice(0, beginning.lastIndexOf('-') + 1);
}

/**
 * Decides the owner of a Namespace that a provisioner creates for a user.
 * - With an annotation for the requester, the owner is the one tenant of that user; among several a reserved name decides.
 *   A name that is reserved to another owner contradicts the annotation.
 *   A namespace for a user of the platform belongs to the owner of the reserved name, otherwise to the platform.
 * - Without one, the reserved name decides: a provisioner that lets tenants choose names must have an annotation.
 * - A tenant label on the object decides nothing. It may repeat the decision, as it does after the mutating webhook.
 *
 * @param asker the user that the annotation names; undefined: it names none
 */
export function decideProvisioned(
  namespace: Namespace,
  { tenantFrom, undecided }: Provisioner,
  asker: Requester | undefined,
  tenancy: Tenancy,
): Ownership {
  const reservation = tenancy.reservation(nameOf(namespace));
  const deduced =
    tenantFrom === undefined
      ? ofName(reservation)
      : asker === undefined
        ? none('no-requester')
        : ofAsker(asker, reservation);
  const ownership: Ownership =
    deduced.kind === 'undecided' && undecided === 'platform' && reservation === undefined
      ? { kind: 'decided', owner: 'platform', fallback: deduced.why }
      : deduced;
  const label = entry(namespace.metadata?.labels, tenancy.settings.tenantLabel);
  if (ownership.kind === 'undecided' || label === undefined) return ownership;
  return ownership.owner !== 'platform' && ownership.owner.name === label ? ownership : none('other-label');
}

type Deduced =
  | { readonly kind: 'decided'; readonly owner: Owner }
  | { readonly kind: 'undecided'; readonly why: WhyProvisionedUndecided; readonly candidates: readonly Tenant[] };

function none(why: WhyProvisionedUndecided, candidates: readonly Tenant[] = []): Deduced {
  return { kind: 'undecided', why, candidates };
}

function ofName(reservation: Owner | undefined): Deduced {
  return reservation === undefined ? none('name-not-reserved') : { kind: 'decided', owner: reservation };
}

function ofAsker({ platform, tenants }: Requester, reservation: Owner | undefined): Deduced {
  if (platform) return { kind: 'decided', owner: reservation ?? 'platform' };
  if (tenants.length === 0) return none('requester-unaffiliated');
  const [only, ...others] = reservation === undefined ? tenants : tenants.filter((tenant) => tenant === reservation);
  if (only === undefined) return none('name-of-others');
  return others.length === 0 ? { kind: 'decided', owner: only } : none('requester-several', tenants);
}
