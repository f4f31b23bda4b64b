import type { Check } from './check.ts';
import { judgeManaged, type ManagedKind } from './managed-objects.ts';

const kind: ManagedKind = {
  check: 'managed-quota',
  one: 'quota',
  many: 'quotas',
  instead: 'write a quota of your own beside it: the tighter one counts',
};

/**
 * The ResourceQuota that Bulkhead puts in place is Bulkhead's.
 * Reads    metadata.name and metadata.labels[app.kubernetes.io/managed-by] of the new and the stored ResourceQuota
 * Allowed  CREATE, UPDATE: names that do not begin with `bulkhead-`, and no claim to be managed by Bulkhead
 *          UPDATE: also of such a quota what changes nothing, or takes finalizers off it
 *          DELETE: such a quota, once its namespace is being deleted and no pod is left in it; anything for the platform
 * Why      a quota that is deleted or raised is put back within a second, but what was created in that second stays, and
 *          the nodes that it runs on are everybody's. Its status, which a controller writes, is not looked at
 */
export const managedQuota: Check = {
  id: 'managed-quota',
  headline: 'is managed by Bulkhead',
  protects: 'identity',
  resourceQuota: (request, facts) => judgeManaged(kind, request, facts),
};
