import type { Check } from './check.ts';
import { judgeTenantLabel } from './tenant-label.ts';

/**
 * A NetworkPolicy carries the label of the tenant that owns its namespace, and no other.
 * Reads    metadata.labels[TENANT LABEL]
 * Allowed  the owner's name; none in a namespace of the platform, or on an update of a policy that had none
 * Why      reports and clean-ups select policies by it; what the mutating webhook sets is checked after all other mutations (ADM-12)
 */
export const policyTenantLabel: Check = {
  id: 'policy-tenant-label',
  headline: 'has the label of another tenant',
  protects: 'identity',
  policy: judgeTenantLabel,
};
