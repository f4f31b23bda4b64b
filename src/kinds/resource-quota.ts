import type { OtherKind } from './kind.ts';

/** The quota of the baseline, and those of tenants that could keep the baseline out. */
export const resourceQuota: OtherKind = {
  family: 'quota',
  kind: 'ResourceQuota',
  group: '',
  versions: ['v1'],
  plural: 'resourcequotas',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: [
    { phase: 'validate', resources: ['resourcequotas'], operations: ['CREATE', 'UPDATE'] },
    { phase: 'validate', resources: ['resourcequotas'], operations: ['DELETE'], filtered: true },
    // The API server enforces the limits in the status.
    { phase: 'validate', resources: ['resourcequotas/status'], operations: ['UPDATE'], filtered: true },
  ],
  rights: [
    {
      why: 'The quota of the baseline.',
      resources: ['resourcequotas'],
      verbs: ['list', 'watch', 'create', 'patch', 'update', 'delete'],
    },
  ],
  stringMaps: [
    ['spec', 'hard'],
    ['status', 'hard'],
    ['status', 'used'],
  ],
};
