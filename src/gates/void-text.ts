import { requestLimits } from '../tenancy/gate-request.ts';
import type { Void } from './agreement.ts';

/** Why a request does not count, in words. */
export const voidTexts: Readonly<Record<Exclude<Void, 'Invalid'>, string>> = {
  NoTenant: 'opens nothing, as its namespace belongs to no tenant that is in force',
  OtherTenant:
    'opens nothing, as its tenant label is not the tenant of the namespace; set the label, or write the request anew',
  Deleted: 'is being deleted, so it opens nothing',
  NotAllowed: 'opens nothing, as the platform does not leave these ports, or a gate with this tenant, to tenants',
  TooMany: `opens nothing, as older requests take the place: ${requestLimits.namespace} count for each namespace, ${requestLimits.tenant} for a tenant, ${requestLimits.gate} for a tenant with one other in one direction`,
};
