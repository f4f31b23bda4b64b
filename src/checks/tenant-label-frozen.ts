import { entry } from '../kubernetes/objects.ts';
import type { NamespaceRequest } from '../kubernetes/review.ts';
import { probeNamespace, probeTenant } from '../tenancy/probe.ts';
import { type Check, type Facts, type Finding, type NamespaceFacts, nothing } from './check.ts';

/**
 * The tenant label of a namespace says who owns it. It is set once, when the namespace is created, and only the platform changes it.
 * Reads    metadata.labels[TENANT LABEL], of the new and the stored object, on every subresource
 * Allowed  CREATE: the label names the tenant that the namespace will belong to (the mutating webhook sets it)
 *          UPDATE: the label is as it was; the platform may change it to a tenant that is declared, or remove it, and labels the namespace of the probe
 * Why      every proof that a policy stays inside its tenant rests on this label (TEN-01 to TEN-05, ADM-01)
 */
export const tenantLabelFrozen: Check = {
  id: 'tenant-label-frozen',
  headline: 'changes the tenant that owns it',
  protects: 'identity',
  namespace(request, facts) {
    if (request.operation === 'CREATE') return judgeCreate(request, facts);
    if (request.operation === 'UPDATE') return judgeUpdate(request, facts);
    return nothing;
  },
};

function judgeCreate(request: NamespaceRequest, { ownership, tenancy }: NamespaceFacts): readonly Finding[] {
  if (ownership?.kind !== 'decided' || ownership.owner === 'platform') return nothing;
  const key = tenancy.settings.tenantLabel;
  if (entry(request.object.metadata?.labels, key) === ownership.owner.name) return nothing;
  return [
    {
      path: `metadata.labels[${key}]`,
      reason: `is missing, so the namespace would have no owner; the mutating webhook should have set it to ${ownership.owner.name}`,
      fix: `set ${key}: ${ownership.owner.name}, and ask the platform team why the mutating webhook did not`,
    },
  ];
}

function judgeUpdate(request: NamespaceRequest, { owner, requester, tenancy }: Facts): readonly Finding[] {
  const key = tenancy.settings.tenantLabel;
  const before = entry(request.oldObject?.metadata?.labels, key);
  const after = entry(request.object.metadata?.labels, key);
  if (before === after) return nothing;
  if (!requester.platform) {
    return [
      {
        path: `metadata.labels[${key}]`,
        reason: `${before === undefined ? 'would be added' : after === undefined ? 'would be removed' : 'would be changed'}, but only the platform decides who owns a namespace once it exists`,
        // Whose namespace it is, is not everybody's business.
        fix:
          owner !== 'platform' && requester.tenants.includes(owner)
            ? `keep ${key}: ${owner.name}`
            : 'leave the label as it is',
      },
    ];
  }
  if (after === undefined || tenancy.tenants.has(after)) return nothing;
  if (after === probeTenant && request.name === probeNamespace) return nothing;
  return [
    {
      path: `metadata.labels[${key}]`,
      reason: `names ${after}, which is not a declared tenant`,
      fix: 'declare the tenant first, or name one that exists',
    },
  ];
}
