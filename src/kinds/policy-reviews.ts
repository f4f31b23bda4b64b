import type { ReviewRule } from './kind.ts';

/** What the API server sends of a policy. Its status is the network plugin's, and is not sent. */
export const policyReviews = (plural: string): readonly ReviewRule[] => [
  { phase: 'mutate', resources: [plural], operations: ['CREATE', 'UPDATE'] },
  { phase: 'validate', resources: [plural], operations: ['CREATE', 'UPDATE'] },
  { phase: 'validate', resources: [plural], operations: ['DELETE'], filtered: true },
];
