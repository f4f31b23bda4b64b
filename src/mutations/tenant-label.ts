import { field } from '../kubernetes/field-path.ts';
import { entry } from '../kubernetes/objects.ts';
import type { AdmissionRequest, NamespaceRequest } from '../kubernetes/review.ts';
import { type NamespaceGrant, provisionerMark } from '../tenancy/namespace-grant.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { LabelIntent } from './label-intent.ts';

/** The owner of the namespace that the request is in or about; on CREATE of a Namespace who will own it. */
interface Ownership {
  readonly owner: Owner;
  readonly tenancy: Tenancy;
}

const labels = field(field(undefined, 'metadata'), 'labels');

/**
 * Every object of a tenant carries the tenant's label.
 * Writes   metadata.labels[TENANT LABEL], only where there is none
 * On       Namespace  CREATE: the tenant it will belong to. Never on UPDATE: a removal is refused, not silently undone
 *          Pod, policies, GateRequest  CREATE and UPDATE of the object itself: the owner of the namespace, for every requester
 * An existing label stays as it is. The checks `tenant-label-frozen`, `pod-tenant-label`, `policy-tenant-label` and `gate-request`
 * decide whether it is right, after all other mutations (ADM-12).
 */
export function tenantLabel(request: AdmissionRequest, { owner, tenancy }: Ownership): LabelIntent | undefined {
  if (request.operation === 'DELETE' || request.subresource !== '') return undefined;
  if (owner === 'platform' || !isLabelled(request)) return undefined;
  const key = tenancy.settings.tenantLabel;
  if (entry(request.object.metadata?.labels, key) !== undefined) return undefined;
  return { labels, key, value: owner.name };
}

function isLabelled({ family, operation }: AdmissionRequest): boolean {
  if (family === 'namespace') return operation === 'CREATE';
  return family === 'pod' || family === 'policy' || family === 'gate';
}

const annotations = field(field(undefined, 'metadata'), 'annotations');

/**
 * What a provisioner creates carries its mark, by which it may write on the namespace later.
 * Writes   metadata.annotations[bulkhead.dev/provisioner], only where there is none: the check reserved-labels says whether one is right
 * On       Namespace  CREATE
 */
export function provisionerAnnotation(
  { operation, object }: NamespaceRequest,
  grant: NamespaceGrant | undefined,
): LabelIntent | undefined {
  if (operation !== 'CREATE' || grant?.provisioner === undefined) return undefined;
  if (entry(object.metadata?.annotations, provisionerMark) !== undefined) return undefined;
  return { labels: annotations, key: provisionerMark, value: grant.provisioner.name };
}
