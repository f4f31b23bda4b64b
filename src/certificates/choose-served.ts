/** Which of two certificates a replica serves. */
import { isValidAt } from './authorities.ts';
import type { KeyPair } from './key-pair.ts';
import type { Observed } from './observed.ts';

export interface Candidate {
  readonly pair: KeyPair;
  /** The authority by which API servers verify it; undefined: not known here. */
  readonly authority: string | undefined;
  /** Its authority came lately: some API server may not have learned of it. Default: no. */
  readonly recent?: boolean;
}

/**
 * A good one is never replaced by a bad one: the new one is served once every API server knows its authority. The
 * CA bundles count for more than the clock here, which may be wrong.
 *
 * @param now    milliseconds since 1970
 * @param propagationDelay milliseconds until every API server has learned of a changed configuration
 */
export function chooseServed(
  served: Candidate,
  offered: Candidate,
  observed: Observed,
  now: number,
  propagationDelay: number,
): Candidate {
  const worse = !isValidAt(offered.pair.certificate, now) && isValidAt(served.pair.certificate, now);
  const asTrusted =
    !observed.hasBundle ||
    offered.authority === served.authority ||
    offered.authority === undefined ||
    served.authority === undefined;
  if (asTrusted) return worse ? served : offered;
  const inBundlesFor = observed.inBundlesFor(offered.authority);
  if (observed.inBundlesFor(served.authority) !== undefined)
    return inBundlesFor !== undefined && inBundlesFor >= propagationDelay && !worse ? offered : served;
  return inBundlesFor !== undefined || !isValidAt(served.pair.certificate, now) ? offered : served;
}
