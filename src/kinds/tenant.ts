import type { OtherKind } from './kind.ts';

export const tenant: OtherKind = {
  family: 'tenant',
  kind: 'Tenant',
  group: 'bulkhead.dev',
  versions: ['v1alpha1'],
  plural: 'tenants',
  scope: 'Cluster',
  writers: 'platform',
  reviews: [
    { phase: 'validate', resources: ['tenants'], operations: ['CREATE', 'UPDATE', 'DELETE'] },
    { phase: 'validate', resources: ['tenants/status'], operations: ['UPDATE'] },
  ],
  // Tenants may come as files.
  optional: ['tenants', 'tenants/status'],
  rights: [
    { why: 'Tenants that are declared as objects.', resources: ['tenants'], verbs: ['list', 'watch'] },
    { why: 'Whether a Tenant is in force, and why not.', resources: ['tenants/status'], verbs: ['patch'] },
  ],
};
