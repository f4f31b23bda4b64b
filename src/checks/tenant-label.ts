/** The tenant label of what lives in a namespace: the one rule behind pod-tenant-label, policy-tenant-label and gate-request. */
import { entry } from '../kubernetes/objects.ts';
import type { GateRequestRequest, PodRequest, PolicyRequest } from '../kubernetes/review.ts';
import { type Facts, type Finding, nothing } from './check.ts';

/** @param keeps whether an update may leave another label as it is */
export function judgeTenantLabel(
  request: PodRequest | PolicyRequest | GateRequestRequest,
  facts: Facts,
  keeps = request.operation === 'UPDATE',
): readonly Finding[] {
  if (request.operation === 'DELETE') return nothing;
  const key = facts.tenancy.settings.tenantLabel;
  const after = entry(request.object.metadata?.labels, key);
  const wanted = facts.owner === 'platform' ? undefined : facts.owner.name;
  if (after === wanted) return nothing;
  // What a Binding or a template leaves out, the pod has already or will get.
  if (after === undefined && (request.subresource === 'binding' || request.subresource === 'template')) return nothing;
  // Who leaves a label alone forges nothing. When the platform gives a namespace to another tenant, what runs in it must end well.
  if (keeps && after === entry(request.oldObject?.metadata?.labels, key)) return nothing;
  if (wanted === undefined && facts.requester.platform) return nothing;
  return [
    {
      path: `metadata.labels[${key}]`,
      reason:
        after === undefined
          ? keeps
            ? 'would be removed'
            : 'is missing: the mutating webhook of Bulkhead was not called, or another webhook has removed the label'
          : wanted === undefined
            ? 'claims a tenant, but the namespace belongs to the platform'
            : `is not the tenant that owns the namespace`,
      fix:
        wanted === undefined
          ? 'leave the label out'
          : `set ${key}: ${wanted}, or leave it out when you create the object`,
    },
  ];
}
