/**
 * Pods of clusters of a mesh of Cilium that a selector names. Of the own cluster they are judged as all others. Labels and names of
 * another cluster are somebody else's to keep: they prove something where the platform has listed that cluster for the tenant, for the gate
 * or for the shared service. Which cluster is the own one, only the settings say.
 */
import type { AllowRule, SelectorPeer } from './model.ts';
import { judgeSelector } from './selector-peer.ts';
import { type Border, ownsThere, type Violation } from './violation.ts';

export function judgeClusters(peer: SelectorPeer, rule: AllowRule, border: Border): Violation | undefined {
  const { clusters } = peer;
  if (clusters === undefined) return judgeSelector(peer, rule, border);
  const own = border.tenancy.settings.clusterName;
  let nothing: Violation | undefined;
  let isContained = false;
  let isNothingThere = false;
  for (const cluster of clusters) {
    // What selects nothing there does so in each of them, and a selector may name 100,000.
    if (isNothingThere && cluster !== own) continue;
    const violation =
      cluster === own ? judgeSelector(peer, rule, border) : judgeThere(peer, rule, { ...border, ...there, cluster });
    if (violation === undefined) isContained = true;
    else if (violation.verdict !== 'nothing') return violation;
    else {
      nothing = violation;
      isNothingThere ||= cluster !== own;
    }
  }
  return isContained ? undefined : nothing;
}

/** What was looked up is of the own cluster. */
const there = { holderOf: undefined, isKept: undefined };

function judgeThere(
  peer: SelectorPeer,
  rule: AllowRule,
  border: Border & { readonly cluster: string },
): Violation | undefined {
  const { cluster } = border;
  const isOwn = ownsThere(border);
  const isOwnNamespace = peer.namespaces === undefined;
  if (isOwnNamespace && isOwn) return undefined;
  const violation = isOwnNamespace ? undefined : judgeSelector(peer, rule, border);
  if (violation === undefined && !isOwnNamespace) return undefined;
  if (violation?.verdict === 'nothing') return violation;
  const { assumedOwn: _, ...found } = violation ?? { verdict: 'escapes' };
  const isShown = found.verdict === 'escapes' || found.verdict === 'conditional';
  const shown = isShown
    ? { verdict: 'escapes' as const, witness: `a pod of the cluster ${cluster} in the same mesh` }
    : { verdict: found.verdict };
  if (isOwn && violation !== undefined)
    return { ...shown, reason: `${violation.reason}, in the cluster ${cluster}`, fix: violation.fix };
  const isOwnKnown = border.tenancy.settings.clusterName !== undefined;
  return {
    ...shown,
    reason: 'names io.cilium.k8s.policy.cluster, with which Cilium selects pods of other clusters of a mesh',
    fix: { id: 'grant-cluster', cluster, isOwnKnown },
  };
}
