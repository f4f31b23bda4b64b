/**
 * Pods of clusters of a mesh of Cilium that a selector names. Of the own cluster they are judged as all others. Labels and names of
 * another cluster are kept by others: they prove something where the platform has listed that cluster for the tenant, for the gate
 * or for the shared service. Which cluster is the own one, only the settings say.
 */

import { once } from '../kubernetes/once.ts';
import { type AllowRule, namesCluster, type SelectorPeer } from './model.ts';
import { judgeSelector } from './selector-peer.ts';
import { type Border, ownsThere, type Violation } from './violation.ts';

export function judgeClusters(peer: SelectorPeer, rule: AllowRule, border: Border): Violation | undefined {
  const { clusters } = peer;
  if (clusters === undefined) return judgeSelector(peer, rule, border);
  const own = border.tenancy.settings.clusterName;
  let nothing: Violation | undefined;
  let isContained = false;
  const judged = new Set<string>();
  for (const cluster of clusters) {
    // One of those with the same grants is judged for all of them: a selector may name 100,000 clusters.
    const granted = cluster === own ? 'own' : (grants(border).get(cluster) ?? 'nothing');
    if (judged.has(granted)) continue;
    judged.add(granted);
    const violation =
      cluster === own ? judgeSelector(peer, rule, border) : judgeThere(peer, rule, { ...border, ...there, cluster });
    if (violation === undefined) isContained = true;
    else if (violation.verdict !== 'nothing') return violation;
    else nothing = violation;
  }
  return isContained ? undefined : nothing;
}

/** What is granted in each cluster that something is granted in: the same text for the same grants. */
const grants = once(({ tenant: { network }, tenancy: { settings } }: Border): ReadonlyMap<string, string> => {
  const lists = [network.clusters, ...network.gates.map(({ clusters }) => clusters)];
  const found = new Map<string, string>();
  for (const [index, list] of [...lists, ...settings.sharedServices.map(({ clusters }) => clusters)].entries())
    for (const cluster of list ?? []) found.set(cluster, `${found.get(cluster) ?? ''} ${index}`);
  return found;
});

/** Whether the namespaces of a cluster may be the tenant's own. */
export function isAnsweredFor(cluster: string, { tenancy, tenant }: Border): boolean {
  return cluster === tenancy.settings.clusterName || tenant.network.clusters?.has(cluster) === true;
}

/** What was looked up is of the own cluster. */
const there = { ownerByName: undefined, isKept: undefined };

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
  // Something is granted there, so what is missing is said.
  if (violation !== undefined && grants(border).has(cluster))
    return { ...shown, reason: `${violation.reason}, in the cluster ${cluster}`, fix: violation.fix };
  const isOwnKnown = border.tenancy.settings.clusterName !== undefined;
  return {
    ...shown,
    reason: namesCluster,
    fix: { id: 'grant-cluster', cluster, isOwnKnown },
  };
}
