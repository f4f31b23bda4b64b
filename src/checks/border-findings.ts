/** Verdicts of the border as findings: the one translation behind cross-tenant-ingress, cross-tenant-egress and ip-block. */
import type { PolicyVerdict } from '../kinds/kind.ts';
import type { Verdict } from '../reach/model.ts';
import { type Finding, nothing } from './check.ts';

/** In place of the headline of the check, which says that something gets through. */
const headlines: Readonly<Partial<Record<Verdict, string>>> = {
  unproven: 'is not proven to stay inside its tenant',
  invalid: 'has a field that is not valid',
};

/** One finding for each verdict that belongs to the check. Peers that can never match are harmless: `dead-rule` reports them. */
export function borderFindings(
  border: readonly PolicyVerdict[],
  belongs: (peer: PolicyVerdict) => boolean,
): readonly Finding[] {
  if (border.length === 0) return nothing;
  return border
    .filter((peer) => peer.verdict !== 'nothing' && belongs(peer))
    .map(({ verdict, path, reason, witness, fix, protects }) => {
      const headline = headlines[verdict];
      const about = protects && { protects };
      return {
        ...{ path, reason, fix, ...about },
        ...(witness !== undefined && { witness }),
        ...(headline && { headline, ungrantable: true }),
      };
    });
}
