import type { Check } from './check.ts';
import { judgeTenantLabel } from './tenant-label.ts';

/**
 * A pod carries the label of the tenant that owns its namespace, and no other.
 * Reads    metadata.labels[TENANT LABEL] on pods, every subresource, and on Bindings
 * Allowed  the owner's name; none in a namespace of the platform, on a Binding, or on an update of a pod that had none
 * Why      who reads the label of a pod (cluster-wide policies, cost reports, logs) must not be lied to (POD-06, POD-10)
 */
export const podTenantLabel: Check = {
  id: 'pod-tenant-label',
  headline: 'has the label of another tenant',
  protects: 'identity',
  pod: judgeTenantLabel,
};
