import { foreignNamespace as check, propagation } from '../checks/foreign-namespace.ts';
import { namespaceFinalizer } from '../checks/namespace-finalize.ts';
import { namespace } from '../kinds/namespace.ts';
import { allOf, anyOf, literal, metadata, onlyRemoves, platform, specFinalizers, unchanged } from './expressions.ts';
import { changesGranted, deletesProvisioned, finalizersGranted, hasGrants } from './grants.ts';
import { namespaceUpdates, type Rule, requests } from './rule.ts';

const endsPropagation = `oldObject.metadata.?deletionTimestamp.hasValue() && one in ${literal([...propagation].map(String))}`;

/**
 * The namespaces of the platform are changed and deleted by the platform.
 * Leaves to the webhook   who may create a namespace, and the namespaces of tenants: both take the members of the tenant
 */
export const foreignNamespace: Rule = {
  check,
  kind: 'Namespace',
  on: [namespaceUpdates, requests(namespace, ['DELETE'], 'namespaces')],
  grants: true,
  admits: (key, settings) =>
    anyOf(
      platform,
      `oldObject.metadata.?labels[?${key}].hasValue()`,
      ...(hasGrants(settings) ? [deletesProvisioned(settings.platform.provisioners)] : []),
      allOf(
        'request.operation == "UPDATE"',
        ...(hasGrants(settings)
          ? [changesGranted('labels'), changesGranted('annotations'), finalizersGranted(endsPropagation)]
          : [
              unchanged('labels', 'annotations'),
              onlyRemoves(metadata('object', 'finalizers'), metadata('oldObject', 'finalizers'), endsPropagation),
            ]),
        onlyRemoves(specFinalizers('object'), specFinalizers('oldObject'), `one == ${literal(namespaceFinalizer)}`),
      ),
    ),
};
