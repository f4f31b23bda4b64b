import type { NamespaceRequest } from '../kubernetes/review.ts';
import { type Check, nothing } from './check.ts';

/** The finalizer that Kubernetes itself puts on every namespace: while it is there, the namespace and what is in it are. */
export const namespaceFinalizer = 'kubernetes';

/**
 * Who takes it off, once everything in the namespace is deleted (k8s.io/kubernetes, pkg/controller/namespace/deletion): its own
 * service account, or the controller manager where controllers have none (--use-service-account-credentials=false).
 */
export const namespaceControllers: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:namespace-controller',
  'system:kube-controller-manager',
]);

/**
 * A namespace is not let go while anything is left in it.
 * Reads    spec.finalizers of the new and the stored namespace (written through namespaces/finalize)
 * Allowed  the finalizer `kubernetes` stays; the namespace controller takes it off a namespace that is being deleted and
 *          has no pods; anything for the platform
 * Why      without it a namespace disappears before its contents do. Policies, roles and workloads stay behind in that name,
 *          and the next namespace of that name, of whatever tenant, has them inside its border. Only the namespace controller
 *          knows that nothing of any kind is left, so here a name counts, and the state of the cluster beside it. Its ordinary call,
 *          which changes nothing else, is not even sent: the webhook's match condition says the same (docs/decisions/0022)
 */
export const namespaceFinalize: Check = {
  id: 'namespace-finalize',
  headline: 'would be removed before its contents',
  protects: 'identity',
  needs: { namespaceEmptied: losesItsFinalizer },
  namespace(request, facts) {
    if (!losesItsFinalizer(request) || facts.requester.platform) return nothing;
    if (facts.namespaceEmptied && namespaceControllers.has(facts.requester.username)) return nothing;
    return [
      {
        path: 'spec.finalizers',
        reason: `${namespaceFinalizer} would be removed, and what is left in the namespace would turn up in the next one of this name`,
        fix: 'delete the namespace and let the namespace controller finish; if it is stuck, ask the platform team',
      },
    ];
  },
};

/** Whether the update lets go of the namespace. */
function losesItsFinalizer({ object, oldObject }: NamespaceRequest): boolean {
  return (
    (oldObject?.spec?.finalizers ?? []).includes(namespaceFinalizer) &&
    !(object.spec?.finalizers ?? []).includes(namespaceFinalizer)
  );
}
