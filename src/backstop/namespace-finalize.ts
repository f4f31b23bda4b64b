import { namespaceFinalize as check, namespaceControllers, namespaceFinalizer } from '../checks/namespace-finalize.ts';
import { allOf, anyOf, literal, platform, specFinalizers } from './expressions.ts';
import { namespaceUpdates, type Rule } from './rule.ts';

const finalizer = literal(namespaceFinalizer);

/**
 * A namespace is not let go while anything is left in it.
 * Leaves to the webhook   whether a pod is left: the namespace controller is taken at its word
 */
export const namespaceFinalize: Rule = {
  check,
  kind: 'Namespace',
  on: [namespaceUpdates],
  admits: () =>
    anyOf(
      platform,
      `!(${finalizer} in ${specFinalizers('oldObject')})`,
      `${finalizer} in ${specFinalizers('object')}`,
      allOf(
        `request.userInfo.username in ${literal([...namespaceControllers])}`,
        'oldObject.metadata.?deletionTimestamp.hasValue()',
      ),
    ),
};
