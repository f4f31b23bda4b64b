import type { OtherKind } from './kind.ts';

export const gateRequest: OtherKind = {
  family: 'gate',
  kind: 'GateRequest',
  group: 'bulkhead.dev',
  versions: ['v1alpha1'],
  plural: 'gaterequests',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: [
    { phase: 'mutate', resources: ['gaterequests'], operations: ['CREATE', 'UPDATE'] },
    { phase: 'validate', resources: ['gaterequests'], operations: ['CREATE', 'UPDATE'] },
    { phase: 'validate', resources: ['gaterequests/status'], operations: ['UPDATE'] },
  ],
  // Where tenants come as files, requests open nothing.
  optional: ['gaterequests', 'gaterequests/status'],
  rights: [
    { why: 'Gates on which members of two tenants agree.', resources: ['gaterequests'], verbs: ['list', 'watch'] },
    { why: 'What a GateRequest opens, or why nothing.', resources: ['gaterequests/status'], verbs: ['patch'] },
  ],
};
