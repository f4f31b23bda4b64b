import { type Check, nothing } from './check.ts';
import { letsGo } from './tenant-writers.ts';

/**
 * Only the platform writes exemptions.
 * Reads    the requester; of an UPDATE by others the whole object, new and stored
 * Allowed  CREATE, UPDATE, DELETE by a platform identity, on every subresource; an UPDATE that only takes
 *          `foregroundDeletion` or `orphan` off a terminating exemption, as the garbage collector does
 * Why      an Exemption lets pods leave the border of their tenant; the right to write one is easily given by
 *          accident, with `*` in a role
 */
export const exemptionWriters: Check = {
  id: 'exemption-writers',
  headline: 'can be written only by the platform',
  protects: 'identity',
  exemption(request, { requester }) {
    if (requester.platform || letsGo(request)) return nothing;
    const verb = { CREATE: 'created', UPDATE: 'changed', DELETE: 'deleted' }[request.operation];
    return [
      {
        path: '',
        reason: `would be ${verb} by ${requester.username || 'the requester'}, who is no platform identity`,
        fix: 'ask the platform team; what must write exemptions belongs in platform.identities of the settings',
      },
    ];
  },
};
