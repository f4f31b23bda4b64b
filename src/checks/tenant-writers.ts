import { type Check, nothing } from './check.ts';

/**
 * Tenants are written by the platform.
 * Reads    who asks
 * Allowed  CREATE, UPDATE, DELETE by a platform identity, on every subresource
 * Why      whoever writes a Tenant decides who speaks for it, which names are reserved to it and which borders are open;
 *          the right to write Tenants is easily given by accident, with `*` in a role
 */
export const tenantWriters: Check = {
  id: 'tenant-writers',
  headline: 'is written by the platform alone',
  protects: 'identity',
  tenant(request, { requester }) {
    if (requester.platform) return nothing;
    const verb = { CREATE: 'created', UPDATE: 'changed', DELETE: 'deleted' }[request.operation];
    return [
      {
        check: 'tenant-writers',
        path: '',
        reason: `would be ${verb} by ${requester.username || 'the requester'}, who is no platform identity`,
        fix: 'ask the platform team; what must write tenants belongs in platform.identities of the settings',
      },
    ];
  },
};
