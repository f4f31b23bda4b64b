import { entry } from '../kubernetes/objects.ts';
import type { NamespaceRequest, PolicyRequest } from '../kubernetes/review.ts';
import { probeAnnotation, probeReason } from '../tenancy/probe.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { fieldOf } from './metadata-changes.ts';

/**
 * A probe is rejected for every requester, including the platform and Bulkhead itself.
 * Reads    metadata.annotations[bulkhead.dev/handshake] of the new and the stored Namespace or NetworkPolicy, on every subresource
 * Allowed  every write that does not add that annotation or give it another value
 * Why      a webhook that the API server does not reach must not get failurePolicy Fail: that would lock the cluster.
 *          Only a rejection that comes back through the API server shows that it calls Bulkhead. So there must be a write that
 *          Bulkhead rejects on every cluster, for every account, with any tenants, settings and modes
 */
export const handshake: Check = {
  id: 'handshake',
  headline: 'is a probe of Bulkhead',
  protects: 'identity',
  namespace: judge,
  policy: judge,
};

function judge({ operation, object, oldObject }: NamespaceRequest | PolicyRequest): readonly Finding[] {
  if (operation === 'DELETE') return nothing;
  const value = entry(object.metadata?.annotations, probeAnnotation);
  // An annotation that was stored without review must not block later updates of the object.
  if (value === undefined || value === entry(oldObject?.metadata?.annotations, probeAnnotation)) return nothing;
  return [
    {
      path: fieldOf({ map: 'annotations', key: probeAnnotation }),
      reason: probeReason(value),
      fix: 'remove the annotation: Bulkhead alone uses it, to prove that the API server calls its webhooks',
    },
  ];
}
