import type { OtherKind } from './kind.ts';

export const pod: OtherKind = {
  family: 'pod',
  kind: 'Pod',
  group: '',
  versions: ['v1'],
  plural: 'pods',
  scope: 'Namespaced',
  writers: 'tenants',
  reviews: [
    { phase: 'mutate', resources: ['pods'], operations: ['CREATE'] },
    { phase: 'mutate', resources: ['pods'], operations: ['UPDATE'], filtered: true },
    { phase: 'validate', resources: ['pods'], operations: ['CREATE'] },
    { phase: 'validate', resources: ['pods/ephemeralcontainers'], operations: ['UPDATE'] },
    {
      phase: 'validate',
      resources: ['pods', 'pods/status', 'pods/resize'],
      operations: ['UPDATE'],
      filtered: true,
    },
  ],
  // Served since Kubernetes 1.33.
  optional: ['pods/resize'],
  rights: [{ why: 'Whether a terminating namespace still has pods.', resources: ['pods'], verbs: ['list'] }],
};
