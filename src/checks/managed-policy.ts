import type { Check } from './check.ts';
import { judgeManaged, type ManagedKind } from './managed-objects.ts';

const kind: ManagedKind = {
  one: 'policy',
  many: 'policies',
  instead: 'write a policy of your own beside it: policies add up',
};

/**
 * The policies that Bulkhead puts in place are Bulkhead's.
 * Reads    metadata.name and metadata.labels[app.kubernetes.io/managed-by] of the new and the stored NetworkPolicy
 * Allowed  CREATE, UPDATE: names that do not begin with `bulkhead-`, and no claim to be managed by Bulkhead
 *          UPDATE: also of such a policy what changes nothing, or takes finalizers off it (the garbage collector does)
 *          DELETE: such a policy, once its namespace is being deleted and no pod is left in it; a policy that has
 *          such a name and not the label, which is older than Bulkhead; anything for the platform
 * Why      they deny all traffic, and every other policy allows some; without them a tenant is not isolated (NP-12).
 *          A collection delete sends no name, so the stored object is looked at (ADM-16). A policy that goes before the pods
 *          leaves them open while the namespace ends (CVE-2024-7598). Judged by the state of the cluster, so that the
 *          namespace controller passes and a forged owner reference does not (ADM-17)
 */
export const managedPolicy: Check = {
  id: 'managed-policy',
  headline: 'is managed by Bulkhead',
  protects: 'identity',
  policy: (request, facts) => judgeManaged(kind, request, facts),
};
