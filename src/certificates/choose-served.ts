/** Which of two certificates a replica serves. */
import { isValidAt } from './authorities.ts';
import type { KeyPair } from './key-pair.ts';
import type { Published } from './published.ts';

export interface Candidate {
  readonly pair: KeyPair;
  /** The authority by which API servers know it; undefined: nobody here says which. */
  readonly authority: string | undefined;
  /** Its authority came lately: what registrations say of it may be news to some API server. Default: no. */
  readonly recent?: boolean;
}

/**
 * A good one is never replaced by a bad one: the new one is served once every API server knows its authority. What API servers
 * trust counts for more than what the clock here says, which may be wrong.
 *
 * @param now    milliseconds since 1970
 * @param settle milliseconds until every API server has learned what the registrations say
 */
export function chooseServed(
  served: Candidate | undefined,
  offered: Candidate,
  published: Published,
  now: number,
  settle: number,
): Candidate {
  if (served === undefined) return offered;
  const worse = !isValidAt(offered.pair.certificate, now) && isValidAt(served.pair.certificate, now);
  const asTrusted =
    !published.registered ||
    offered.authority === served.authority ||
    offered.authority === undefined ||
    served.authority === undefined;
  if (asTrusted) return worse ? served : offered;
  const trustedFor = published.trustedFor(offered.authority);
  if (published.trustedFor(served.authority) !== undefined)
    return trustedFor !== undefined && trustedFor >= settle && !worse ? offered : served;
  return trustedFor !== undefined || !isValidAt(served.pair.certificate, now) ? offered : served;
}
