import { isGiven } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import type { NamespaceRequest } from '../kubernetes/review.ts';
import { type NamespaceGrant, provisionerMark } from '../tenancy/namespace-grant.ts';
import type { Ownership } from '../tenancy/ownership.ts';
import { type Check, type Finding, type NamespaceFacts, nothing } from './check.ts';
import { takesFields, takesOtherFields } from './field-managers.ts';
import { isFieldGranted, isGranted } from './granted.ts';
import { changesOf, fieldOf, onlyRemoves } from './metadata-changes.ts';
import { namespaceFinalizer } from './namespace-finalize.ts';
import { garbageCollectors } from './namespace-owner-references.ts';
import { becomesThePlatforms, isAboutProvisioned, undecidedFor } from './undecided-provisioning.ts';

/**
 * A namespace is created by, changed by and deleted by its own tenant or the platform.
 * Reads    the requester; on CREATE the tenant label; on UPDATE metadata of the new and the stored object, on every subresource
 * Allowed  CREATE: the owner can be decided to be one tenant of the requester; for the platform: a declared tenant, or none
 *          UPDATE, DELETE: the requester is the platform or a member of the owner. For all others, an UPDATE that leaves
 *          labels, annotations, both lists of finalizers and the managers of fields unchanged. Controllers write status, and
 *          manage its fields. Exceptions at the end of a namespace: `kubernetes` leaves spec.finalizers (check
 *          namespace-finalize), and the garbage collector removes `foregroundDeletion` and `orphan` from a terminating
 *          namespace. Of ownerReferences see namespace-owner-references
 *          Also the grants of the settings to accounts of the platform: named keys (platform.namespaceWriters); to create namespaces
 *          for people, and to write and delete these (platform.provisioners)
 * Why      a label on a namespace of others lets its owner's, or one's own, policies reach it (TEN-02, TEN-03, TEN-09);
 *          a foreign field manager can block its owner's server-side apply (TEN-23);
 *          a namespace without an owner is denied by default, not allowed by accident (TEN-03)
 */
export const foreignNamespace: Check = {
  id: 'foreign-namespace',
  headline: 'cannot be created or changed by this user',
  protects: 'identity',
  namespace(request, facts) {
    if (request.operation === 'CREATE') {
      const { ownership } = facts;
      if (ownership?.kind === 'undecided') return [undecided(request, ownership, facts)];
      return ownership?.fallback === undefined ? nothing : [becomesThePlatforms(request, ownership.fallback, facts)];
    }
    if (facts.requester.platform || (facts.owner !== 'platform' && facts.requester.tenants.includes(facts.owner)))
      return nothing;
    if (request.operation === 'DELETE' && mayDelete(request, facts)) return nothing;
    const change = request.operation === 'DELETE' ? { path: 'metadata.name' } : firstChange(request, facts.grant);
    if (change === undefined) return nothing;
    return [
      {
        ...change,
        reason: `would be ${request.operation === 'DELETE' ? 'deleted' : 'changed'}, but ${facts.requester.username || 'the requester'} acts neither for its owner nor for the platform`,
        fix: `ask the platform team; ${remedy(change, facts)}`,
      },
    ];
  },
};

function remedy({ reserved }: Pick<Finding, 'reserved'>, { grant }: NamespaceFacts): string {
  // It may have created the namespace in observe, where no mark is written.
  if (grant?.provisioner !== undefined && !grant.provisioned)
    return `if this provisioner has created the namespace, the platform can write ${provisionerMark}: ${grant.provisioner.name}`;
  return reserved === undefined
    ? 'a controller that must do this belongs in platform.identities of the settings'
    : 'an account of the platform that must write these keys belongs in platform.namespaceWriters of the settings';
}

/** What a provisioner creates it may delete, and the garbage collector when the owner that it has set is gone. */
function mayDelete({ object }: NamespaceRequest, { grant, requester }: NamespaceFacts): boolean {
  if (grant?.provisioned === true) return true;
  return (
    garbageCollectors.has(requester.username) && entry(object.metadata?.annotations, provisionerMark) !== undefined
  );
}

function undecided(
  request: NamespaceRequest,
  ownership: Ownership & { kind: 'undecided' },
  facts: NamespaceFacts,
): Finding {
  const { requester, tenancy } = facts;
  const { why } = ownership;
  if (isAboutProvisioned(why)) return undecidedFor(request, why, facts);
  const key = tenancy.settings.tenantLabel;
  const names = ownership.candidates.map((tenant) => tenant.name).join(', ');
  const parts = {
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
      fix: `set it to one of: ${names}; or choose a name that is reserved for one of them`,
    },
  }[why];
  return { path: `metadata.labels[${key}]`, ...parts };
}

/** Set by a delete that asks for foreground or orphan propagation, and taken off by the garbage collector (meta/v1 DeletionPropagation). */
export const propagation: ReadonlySet<unknown> = new Set(['foregroundDeletion', 'orphan']);

/** The first field of those that only owners change, or undefined. */
function firstChange(
  request: NamespaceRequest,
  grant: NamespaceGrant | undefined,
): Pick<Finding, 'path' | 'reserved'> | undefined {
  const { object, oldObject } = request;
  for (const map of ['labels', 'annotations'] as const) {
    const change = changesOf(map, object, oldObject).find((one) => !isGranted(one, request, grant));
    if (change === undefined) continue;
    // To whom some keys are granted, it matters which one is not.
    const path = grant === undefined ? `metadata.${map}` : fieldOf(change);
    // On this namespace every key is reserved for its owner. Keys of one domain are mostly written together.
    return { path, reserved: change.key.slice(0, change.key.indexOf('/') + 1) || change.key };
  }
  const [after, before] = [object.metadata, oldObject?.metadata];
  const ending = isGiven(before?.deletionTimestamp);
  const ungranted = (finalizers: readonly string[] | null | undefined) =>
    grant === undefined ? finalizers : finalizers?.filter((one) => !grant.allowsFinalizer(one));
  if (
    !onlyRemoves(ungranted(after?.finalizers), ungranted(before?.finalizers), (one) => ending && propagation.has(one))
  ) {
    return { path: 'metadata.finalizers' };
  }
  if (!onlyRemoves(object.spec?.finalizers, oldObject?.spec?.finalizers, (one) => one === namespaceFinalizer)) {
    return { path: 'spec.finalizers' };
  }
  const takes =
    grant === undefined
      ? takesFields(request)
      : takesOtherFields(
          request,
          (path) => isFieldGranted(path, grant) || (ending && path.startsWith('f:metadata/f:finalizers/')),
        );
  return takes ? { path: 'metadata.managedFields' } : undefined;
}
