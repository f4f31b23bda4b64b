import { tenantLabelFrozen as check } from '../checks/tenant-label-frozen.ts';
import { anyOf, platform } from './expressions.ts';
import { namespaceUpdates, type Rule } from './rule.ts';

/**
 * Only the platform changes the tenant label of an existing namespace, through any subresource.
 * Leaves to the webhook   whether a new namespace may have its label (that takes the members of the tenant), and whether the
 *                         platform names a tenant that is declared
 */
export const tenantLabelFrozen: Rule = {
  check,
  kind: 'Namespace',
  on: [namespaceUpdates],
  admits: (key) => anyOf(platform, `object.metadata.?labels[?${key}] == oldObject.metadata.?labels[?${key}]`),
};
