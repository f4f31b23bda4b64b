/**
 * A workload is judged by the pods that a controller will make of its template: as their creation, by the same checks, before
 * there is a pod that could be refused.
 */
import type { PodRequest, WorkloadRequest } from '../kubernetes/review.ts';
import { templateOf, templatePath } from '../kubernetes/workload.ts';
import type { Requester } from '../tenancy/tenancy.ts';
import type { PodFacts } from './check.ts';

interface PodToCome {
  readonly request: PodRequest;
  readonly facts: PodFacts;
  /** Where a field of the pod stands in the workload: `spec.template.spec.hostNetwork`. */
  place(path: string): string;
}

/** A controller makes the pods of a workload, and it acts for no tenant. The author of the workload does not count. */
const controller: Requester = { username: '', platform: false, tenants: [] };

/** Undefined where no pods come of the request. Nothing of the template is copied. */
export function podToCome(workload: WorkloadRequest, facts: PodFacts): PodToCome | undefined {
  const { kind, operation, object } = workload;
  if (operation === 'DELETE') return undefined;
  const { metadata, spec } = templateOf(kind, object) ?? {};
  const template = templatePath(kind);
  return {
    request: {
      ...workload,
      family: 'pod',
      kind: 'Pod',
      operation: 'CREATE',
      subresource: 'template',
      object: { ...(metadata && { metadata }), ...(spec && { spec }) },
      oldObject: undefined,
      workload,
    },
    facts: { ...facts, requester: controller },
    place: (path) => (path === '' ? template : `${template}.${path}`),
  };
}
