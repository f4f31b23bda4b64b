import { isGiven } from '../kubernetes/json.ts';
import type { NamespaceRequest } from '../kubernetes/review.ts';
import type { Ownership } from '../tenancy/ownership.ts';
import { type Check, type Facts, type Finding, nothing } from './check.ts';
import { takesFields } from './field-managers.ts';
import { changesOf, onlyRemoves } from './metadata-changes.ts';
import { namespaceFinalizer } from './namespace-finalize.ts';

/**
 * A namespace is created by, changed by and deleted by its own tenant or the platform.
 * Reads    who asks; on CREATE the tenant label; on UPDATE metadata of the new and the stored object, on every subresource
 * Allowed  CREATE: one tenant of the requester can be told to be the owner; the platform: a declared tenant, or none
 *          UPDATE, DELETE: the requester is the platform or a member of the owner; for everybody else an UPDATE that leaves
 *          labels, annotations, both lists of finalizers and the managers of fields unchanged (controllers write status, and
 *          manage its fields). Exceptions at the end of a namespace: `kubernetes` leaves spec.finalizers (check
 *          namespace-finalize), and the garbage collector removes `foregroundDeletion` and `orphan` from a terminating
 *          namespace. Of ownerReferences see namespace-owner-references
 * Why      a label on somebody else's namespace lets its owner's, or one's own, policies reach it (TEN-02, TEN-03, TEN-09);
 *          a foreign field manager can block its owner's server-side apply (TEN-23);
 *          a namespace of nobody is deny by default, not allow by accident (TEN-03)
 */
export const foreignNamespace: Check = {
  id: 'foreign-namespace',
  headline: 'cannot be created or changed by this user',
  protects: 'identity',
  namespace(request, facts) {
    if (request.operation === 'CREATE') {
      return facts.ownership?.kind === 'undecided' ? [undecided(facts.ownership, facts)] : nothing;
    }
    if (facts.requester.platform || (facts.owner !== 'platform' && facts.requester.tenants.includes(facts.owner)))
      return nothing;
    const path = request.operation === 'DELETE' ? 'metadata.name' : firstChange(request);
    if (path === undefined) return nothing;
    return [
      {
        path,
        reason: `would be ${request.operation === 'DELETE' ? 'deleted' : 'changed'}, but ${facts.requester.username || 'the requester'} acts neither for its owner nor for the platform`,
        fix: 'ask the platform team; a controller that must do this belongs in platform.identities of the settings',
      },
    ];
  },
};

function undecided(ownership: Ownership & { kind: 'undecided' }, { requester, tenancy }: Facts): Finding {
  const key = tenancy.settings.tenantLabel;
  const names = ownership.candidates.map((tenant) => tenant.name).join(', ');
  const told = {
    unaffiliated: {
      reason: `has no owner: ${requester.username || 'the requester'} is not a member of any tenant`,
      fix: 'ask the platform team to list you, or one of your groups, under members of your tenant',
    },
    'not-a-member': {
      reason: `names a tenant that ${requester.username} is not a member of`,
      fix: `leave the label out or use one of: ${names}`,
    },
    'unknown-tenant': {
      reason: 'names a tenant that is not declared',
      fix: 'declare the tenant first, or name one that exists',
    },
    several: {
      reason: `is missing, and ${requester.username} is a member of several tenants`,
      fix: `set it to one of: ${names}; or choose a name that begins with the prefix of one of them`,
    },
  }[ownership.why];
  return { path: `metadata.labels[${key}]`, ...told };
}

/** Set by a delete that asks for foreground or orphan propagation, and taken off by the garbage collector (meta/v1 DeletionPropagation). */
export const propagation: ReadonlySet<unknown> = new Set(['foregroundDeletion', 'orphan']);

/** The first field of those that only owners change, or undefined. */
function firstChange(request: NamespaceRequest): string | undefined {
  const { object, oldObject } = request;
  for (const map of ['labels', 'annotations'] as const) {
    if (changesOf(map, object, oldObject).length > 0) return `metadata.${map}`;
  }
  const [after, before] = [object.metadata, oldObject?.metadata];
  const ending = isGiven(before?.deletionTimestamp);
  if (!onlyRemoves(after?.finalizers, before?.finalizers, (one) => ending && propagation.has(one))) {
    return 'metadata.finalizers';
  }
  if (!onlyRemoves(object.spec?.finalizers, oldObject?.spec?.finalizers, (one) => one === namespaceFinalizer)) {
    return 'spec.finalizers';
  }
  return takesFields(request) ? 'metadata.managedFields' : undefined;
}
