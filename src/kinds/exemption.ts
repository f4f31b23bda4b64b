import type { OtherKind } from './kind.ts';

export const exemption: OtherKind = {
  family: 'exemption',
  kind: 'Exemption',
  group: 'bulkhead.dev',
  versions: ['v1alpha1'],
  plural: 'exemptions',
  scope: 'Cluster',
  writers: 'platform',
  reviews: [
    { phase: 'validate', resources: ['exemptions'], operations: ['CREATE', 'UPDATE', 'DELETE'] },
    { phase: 'validate', resources: ['exemptions/status'], operations: ['UPDATE'] },
  ],
  // Exemptions may come as files.
  optional: ['exemptions', 'exemptions/status'],
  rights: [
    { why: 'Exemptions that are declared as objects.', resources: ['exemptions'], verbs: ['list', 'watch'] },
    { why: 'Whether an Exemption is in force, and until when.', resources: ['exemptions/status'], verbs: ['patch'] },
  ],
};
