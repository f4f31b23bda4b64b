import { isDeepStrictEqual } from 'node:util';
import { isGiven } from '../kubernetes/json.ts';
import type { ExemptionRequest, TenantRequest } from '../kubernetes/review.ts';
import { type Check, nothing } from './check.ts';
import { propagation } from './foreign-namespace.ts';
import { onlyTakesFinalizers } from './metadata-changes.ts';

/**
 * Only the platform writes tenants.
 * Reads    the requester; of an UPDATE by others the whole object, new and stored
 * Allowed  CREATE, UPDATE, DELETE by a platform identity, on every subresource; an UPDATE that only takes
 *          `foregroundDeletion` or `orphan` off a terminating tenant, as the garbage collector does
 * Why      a Tenant decides its members, which names are reserved to it and which borders are open;
 *          the right to write Tenants is easily given by accident, with `*` in a role
 */
export const tenantWriters: Check = {
  id: 'tenant-writers',
  headline: 'can be written only by the platform',
  protects: 'identity',
  tenant(request, { requester }) {
    if (requester.platform || letsGo(request)) return nothing;
    const verb = { CREATE: 'created', UPDATE: 'changed', DELETE: 'deleted' }[request.operation];
    return [
      {
        path: '',
        reason: `would be ${verb} by ${requester.username || 'the requester'}, who is no platform identity`,
        fix: 'ask the platform team; what must write tenants belongs in platform.identities of the settings',
      },
    ];
  },
};

/** Whether an update only ends what the platform began when it deleted the object. */
export function letsGo(request: TenantRequest | ExemptionRequest): boolean {
  const { operation, object, oldObject } = request;
  return (
    operation === 'UPDATE' &&
    isGiven(oldObject?.metadata?.deletionTimestamp) &&
    onlyTakesFinalizers(request, (one) => propagation.has(one)) &&
    isDeepStrictEqual(object.spec, oldObject?.spec)
  );
}
