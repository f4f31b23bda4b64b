import { trustedLabels as check } from '../checks/trusted-labels.ts';
import { namespace } from '../kinds/namespace.ts';
import { allOf, anyOf, literal } from './expressions.ts';
import { namespaceUpdates, type Rule, requests } from './rule.ts';

/** A platform label is only on the namespaces that the settings list for it. Platform identities are held to it as well. */
export const trustedLabels: Rule = {
  check,
  kind: 'Namespace',
  on: [requests(namespace, ['CREATE'], 'namespaces'), namespaceUpdates],
  admits: (tenantLabel, settings) =>
    allOf(
      'true',
      ...[...settings.trustedLabels].map(([key, values]) => {
        const misplaced = (object: 'object' | 'oldObject') => {
          const label = `${object}.metadata.?labels[?${literal(key)}]`;
          const elsewhere = [...values].map(([value, names]) =>
            allOf(
              `${label}.orValue("") == ${literal(value)}`,
              `!(${object}.metadata.?name.orValue("") in ${literal([...names])})`,
            ),
          );
          const ofTenant = `${object}.metadata.?labels[?${tenantLabel}].hasValue()`;
          return allOf(`${label}.hasValue()`, anyOf(ofTenant, ...elsewhere));
        };
        return anyOf(`!(${misplaced('object')})`, allOf('request.operation == "UPDATE"', misplaced('oldObject')));
      }),
    ),
};
