import { templatePath, type WorkloadKind } from '../kubernetes/workload.ts';
import type { WorkloadKindEntry } from './kind.ts';

/** Bulkhead warns about pods that it will refuse. Status, scale and deletion change no template. */
export function workload(group: string, plural: string, kind: WorkloadKind): WorkloadKindEntry {
  return {
    family: 'workload',
    kind,
    group,
    versions: ['v1'],
    plural,
    scope: 'Namespaced',
    writers: 'tenants',
    reviews: [{ phase: 'warn', resources: [plural], operations: ['CREATE', 'UPDATE'] }],
    rights: [],
    template: templatePath(kind).split('.'),
  };
}
