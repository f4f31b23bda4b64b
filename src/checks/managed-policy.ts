import { isDeepStrictEqual } from 'node:util';
import { isManagedName, managedByLabel, managedByValue } from '../baseline/managed.ts';
import { entry } from '../kubernetes/objects.ts';
import type { NetworkPolicyRequest } from '../kubernetes/review.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { changesOf, onlyRemoves, sameList } from './metadata-changes.ts';

/**
 * The policies that Bulkhead puts in place are Bulkhead's.
 * Reads    metadata.name and metadata.labels[app.kubernetes.io/managed-by] of the new and the stored NetworkPolicy
 * Allowed  CREATE, UPDATE: names that do not begin with `bulkhead-`, and no claim to be managed by Bulkhead
 *          UPDATE: also of such a policy what changes nothing, or takes finalizers off it (the garbage collector does)
 *          DELETE: such a policy, once its namespace is being deleted and no pod is left in it; anything for the platform
 * Why      they are the closed door that every other policy opens a little; without them a tenant is open (NP-12).
 *          A collection delete sends no name, so the stored object is looked at (ADM-16). A policy that goes before the pods
 *          leaves them open while the namespace ends (CVE-2024-7598). Judged by the state of the cluster, so that the
 *          namespace controller passes and a forged owner reference does not (ADM-17)
 */
export const managedPolicy: Check = {
  id: 'managed-policy',
  headline: 'is managed by Bulkhead',
  protects: 'identity',
  networkPolicy(request, facts) {
    if (facts.requester.platform) return nothing;
    const findings: Finding[] = [];
    if (isManagedName(request.name) || isManagedName(request.object.metadata?.generateName ?? '')) {
      if (request.operation === 'DELETE' && facts.namespaceEmptied) return nothing;
      if (request.operation === 'UPDATE' && leavesAlone(request)) return nothing;
      findings.push({
        check: 'managed-policy',
        path: 'metadata.name',
        reason: {
          CREATE: 'names that begin with bulkhead- are reserved to the policies that Bulkhead manages',
          UPDATE: 'the policy is managed by Bulkhead and changes only with the tenant or the settings',
          DELETE: 'the policy is managed by Bulkhead and stays until the namespace is deleted and its last pod is gone',
        }[request.operation],
        fix: {
          CREATE: 'choose another name',
          UPDATE: 'write a policy of your own beside it: policies add up',
          DELETE: 'leave it in place; it goes with the namespace',
        }[request.operation],
      });
    }
    if (request.operation === 'DELETE') return findings;
    const claim = entry(request.object.metadata?.labels, managedByLabel);
    if (claim === managedByValue && findings.length === 0) {
      findings.push({
        check: 'managed-policy',
        path: `metadata.labels[${managedByLabel}]`,
        reason: 'claims that the policy is managed by Bulkhead',
        fix: 'remove the label or give it another value',
      });
    }
    return findings;
  },
};

function leavesAlone({ object, oldObject }: NetworkPolicyRequest): boolean {
  const [after, before] = [object.metadata, oldObject?.metadata];
  return (
    changesOf('labels', object, oldObject).length === 0 &&
    changesOf('annotations', object, oldObject).length === 0 &&
    sameList(after?.ownerReferences, before?.ownerReferences) &&
    onlyRemoves(after?.finalizers, before?.finalizers, () => true) &&
    isDeepStrictEqual(object.spec, oldObject?.spec)
  );
}
