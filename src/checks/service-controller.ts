import type { NeighbourRequest } from '../kubernetes/review.ts';
import type { NeighbourFacts } from './check.ts';

/** Whether a controller of Services writes. A tenant may have had a namespace of that name before the settings reserved it. */
export function isByController(
  { user }: NeighbourRequest,
  { tenancy, accountOwner }: NeighbourFacts,
  of: 'endpoints' | 'status',
): boolean {
  return tenancy.isServiceController(user, of) && (accountOwner === undefined || accountOwner === 'platform');
}
