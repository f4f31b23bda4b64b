import { foreignNamespace as check, propagation } from '../checks/foreign-namespace.ts';
import { namespaceFinalizer } from '../checks/namespace-finalize.ts';
import { namespace } from '../kinds/namespace.ts';
import { allOf, anyOf, literal, metadata, onlyRemoves, platform, specFinalizers, unchanged } from './expressions.ts';
import { namespaceUpdates, type Rule, requests } from './rule.ts';

/**
 * The namespaces of the platform are changed and deleted by the platform.
 * Leaves to the webhook   who may create a namespace, and the namespaces of tenants: both take the members of the tenant
 */
export const foreignNamespace: Rule = {
  check,
  kind: 'Namespace',
  on: [namespaceUpdates, requests(namespace, ['DELETE'], 'namespaces')],
  admits: (key) =>
    anyOf(
      platform,
      `oldObject.metadata.?labels[?${key}].hasValue()`,
      allOf(
        'request.operation == "UPDATE"',
        unchanged('labels', 'annotations'),
        onlyRemoves(
          metadata('object', 'finalizers'),
          metadata('oldObject', 'finalizers'),
          `oldObject.metadata.?deletionTimestamp.hasValue() && one in ${literal([...propagation].map(String))}`,
        ),
        onlyRemoves(specFinalizers('object'), specFinalizers('oldObject'), `one == ${literal(namespaceFinalizer)}`),
      ),
    ),
};
