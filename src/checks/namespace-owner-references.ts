import type { OwnerReference } from '../kubernetes/objects.ts';
import { type Check, nothing } from './check.ts';
import { ownerReferencesGranted } from './granted.ts';
import { onlyRemoves, sameList } from './metadata-changes.ts';

/** Who takes the reference to an owner away that is deleted without what hangs on it: its own service account, or all controllers together. */
export const garbageCollectors: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:generic-garbage-collector',
  'system:kube-controller-manager',
]);

/**
 * Only the platform sets the owner references of a namespace.
 * Reads    metadata.ownerReferences of the new and the stored namespace, on every subresource
 * Allowed  no owner references on CREATE, unchanged ones on UPDATE; anything for the platform, and on its own namespaces for a
 *          provisioner with `ownerReferences` (settings: platform.provisioners). The garbage
 *          collector takes some away, and no longer lets them hold up the deletion of the owner (kubectl delete --cascade=orphan)
 * Why      the garbage collector deletes a namespace when its owner goes, even if the user may not delete it (ADM-17); other tenancy
 *          controllers read ownership from them (TEN-01, TEN-02)
 */
export const namespaceOwnerReferences: Check = {
  id: 'namespace-owner-references',
  headline: 'changes its owner references',
  protects: 'identity',
  namespace(request, facts) {
    if (request.operation === 'DELETE' || facts.requester.platform) return nothing;
    const after = request.object.metadata?.ownerReferences;
    const before = request.oldObject?.metadata?.ownerReferences;
    if (sameList(after, before) || ownerReferencesGranted(facts.grant)) return nothing;
    if (garbageCollectors.has(facts.requester.username) && onlyRemoves(ownersOf(after), ownersOf(before), () => true))
      return nothing;
    return [
      {
        path: 'metadata.ownerReferences',
        reason: "would be changed, and with it who can have the namespace deleted; that is the platform's to decide",
        fix: `leave ownerReferences ${request.operation === 'CREATE' ? 'out' : 'as they are'}${facts.grant?.provisioned === true ? `, or ask the platform team for ownerReferences: true (settings: platform.provisioners, ${facts.grant.provisioner?.name})` : ''}`,
      },
    ];
  },
};

/** What is owned by whom; not whether that holds up the owner's deletion. */
function ownersOf(references: readonly OwnerReference[] | null | undefined): string[] {
  return (references ?? []).map(({ apiVersion, kind, name, uid, controller }) =>
    JSON.stringify([apiVersion, kind, name, uid, controller === true]),
  );
}
