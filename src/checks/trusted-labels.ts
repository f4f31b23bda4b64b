import { excerpt } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import type { NamespaceRequest } from '../kubernetes/review.ts';
import { misplacedKeys } from '../tenancy/trusted-labels.ts';
import { type Check, type Facts, type Finding, nothing } from './check.ts';
import { fieldOf } from './metadata-changes.ts';

/**
 * A label by which policies of tenants select the platform is only on the namespaces that the settings list for it.
 * Reads    the labels of a new namespace, and of one whose labels change, on every subresource, with its tenant label
 * Allowed  values on the namespaces that the settings list for them (trustedNamespaceLabels); on other namespaces of the platform
 *          values that are not listed. The platform is held to it as well; of all others see reserved-labels
 * Why      a policy that selects a value is admitted because the settings say which namespaces have it (NP-24)
 */
export const trustedLabels: Check = {
  id: 'trusted-labels',
  headline: 'has a label that the settings keep for other namespaces',
  protects: 'identity',
  namespace(request, { requester, tenancy }) {
    if (request.operation === 'DELETE' || !requester.platform) return nothing;
    const keys = (object: NamespaceRequest['object'] | undefined) =>
      misplacedKeys({ name: request.name, labels: object?.metadata?.labels }, tenancy.settings);
    const before = new Set(keys(request.oldObject));
    return keys(request.object).flatMap((key) => (before.has(key) ? [] : found(request, key, tenancy)));
  },
};

function found({ object, name }: NamespaceRequest, key: string, { settings }: Facts['tenancy']): Finding {
  const labels = object.metadata?.labels;
  const path = fieldOf({ map: 'labels', key });
  if (entry(labels, settings.tenantLabel) !== undefined)
    return {
      path,
      reason: 'is for namespaces of the platform alone, as policies select those by it',
      fix: 'leave it out',
    };
  return {
    path,
    reason: `has the value ${excerpt(entry(labels, key))}, which is for other namespaces, as policies select those by it`,
    fix: `leave it out, or list ${name} under this value first (settings: trustedNamespaceLabels)`,
  };
}
