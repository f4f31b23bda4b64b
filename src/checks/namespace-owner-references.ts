import { type Check, nothing } from './check.ts';
import { sameList } from './metadata-changes.ts';

/**
 * Only the platform says which object a namespace hangs on.
 * Reads    metadata.ownerReferences of the new and the stored namespace, on every subresource
 * Allowed  no owner references on CREATE, unchanged ones on UPDATE; anything for the platform
 * Why      the garbage collector deletes a namespace when its owner goes, whoever may delete it (ADM-17); other tenancy
 *          controllers read ownership from them (TEN-01, TEN-02)
 */
export const namespaceOwnerReferences: Check = {
  id: 'namespace-owner-references',
  headline: 'changes what the namespace hangs on',
  protects: 'identity',
  namespace(request, facts) {
    if (request.operation === 'DELETE' || facts.requester.platform) return nothing;
    if (sameList(request.object.metadata?.ownerReferences, request.oldObject?.metadata?.ownerReferences))
      return nothing;
    return [
      {
        check: 'namespace-owner-references',
        path: 'metadata.ownerReferences',
        reason: "would be changed, and with it who can have the namespace deleted; that is the platform's to decide",
        fix: request.operation === 'CREATE' ? 'leave ownerReferences out' : 'leave ownerReferences as they are',
      },
    ];
  },
};
