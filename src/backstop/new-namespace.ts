import { foreignNamespace as check } from '../checks/foreign-namespace.ts';
import { namespace } from '../kinds/namespace.ts';
import { allOf, anyOf, platform } from './expressions.ts';
import { hasGrants, provisionedBy } from './grants.ts';
import { type Rule, requests } from './rule.ts';

/**
 * A new namespace belongs to a tenant of its creator: the mutating webhook has set the label, and without the webhook the creator
 * must write it. A namespace without one belongs to the platform, so only the platform creates it.
 * Provisioners of the settings name none: the mark shows that the webhook has decided.
 * Leaves to the webhook   which tenant a service account acts for (it may live in one of the tenant's namespaces);
 *                         labels of tenants that the rule does not know; reserved names
 */
export const newNamespace: Rule = {
  check,
  name: 'new-namespace',
  kind: 'Namespace',
  about: 'members',
  on: [requests(namespace, ['CREATE'], 'namespaces')],
  admits: (key, settings) =>
    anyOf(
      platform,
      ...(hasGrants(settings) ? [provisionedBy(settings.platform.provisioners)] : []),
      allOf(
        `object.metadata.?labels[?${key}].hasValue()`,
        anyOf('request.userInfo.username.startsWith("system:serviceaccount:")', 'variables.spokenFor'),
      ),
    ),
};
