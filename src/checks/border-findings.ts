/** Verdicts of the border as findings: the one translation behind cross-tenant-ingress, cross-tenant-egress and ip-block. */
import type { PolicyVerdict } from '../kinds/kind.ts';
import { type Finding, nothing } from './check.ts';

/** One finding for each verdict that concerns the check. Dead peers harm nobody: check dead-rule tells of them. */
export function borderFindings(
  check: string,
  border: readonly PolicyVerdict[],
  concerns: (peer: PolicyVerdict) => boolean,
): readonly Finding[] {
  if (border.length === 0) return nothing;
  return border
    .filter((peer) => peer.verdict !== 'nothing' && concerns(peer))
    .map(({ path, reason, witness, fix }) => ({ check, path, reason, fix, ...(witness !== undefined && { witness }) }));
}
