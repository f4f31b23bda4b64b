/** The stages through which a connection goes on one side, and the policies of each in their order. */

import type { Reading } from './readings.ts';
import type { CalicoTier, Snapshot, SnapshotPolicy } from './snapshot.ts';

export interface Stage {
  /** `NetworkPolicies`, `tier default`. */
  readonly name: string;
  /**
   * first  the first rule that matches decides
   * union  a denial wins, then an allow rule
   * none   the policies only isolate here
   */
  readonly rule: 'first' | 'union' | 'none';
  /**
   * Of a pod that a policy of the stage isolates, what no rule decides.
   * deny  it ends here
   * next  it goes on to the next stage
   */
  readonly rest: 'deny' | 'next';
  readonly policies: readonly SnapshotPolicy[];
}

/** Those that Calico makes by itself. */
const ownTiers: ReadonlyMap<string, CalicoTier> = new Map([
  ['kube-admin', { order: 1e3, passes: true }],
  ['default', { order: 1e6, passes: false }],
  ['kube-baseline', { order: 1e7, passes: true }],
]);
const defaultTier = 'default';
/** Calico gives every NetworkPolicy this place in the default tier. */
const orderOfNetworkPolicy = 1000;

export function stagesOf(snapshot: Snapshot, reading: Reading): readonly Stage[] {
  const policies = snapshot.policies.filter(reading.reads);
  if (reading.ordered) return tiersOf(policies, snapshot.tiers ?? new Map());
  const cluster = (kind: 'admin' | 'baseline'): Stage => ({
    name: kind === 'admin' ? 'ClusterNetworkPolicies of the tier Admin' : 'ClusterNetworkPolicies of the tier Baseline',
    rule: 'first',
    rest: 'next',
    policies: policies.filter(({ inForce }) => inForce.stage.kind === kind).toSorted(byPlace),
  });
  const network = policies.filter(({ inForce }) => inForce.stage.kind === 'network');
  const [admin, baseline] = [cluster('admin'), cluster('baseline')];
  const middle: Stage = { name: 'network policies', rule: 'union', rest: 'deny', policies: network };
  const stages: readonly Stage[] =
    reading.isolatesLast && baseline.policies.length > 0
      ? [admin, { ...middle, rest: 'next' }, baseline, { ...middle, rule: 'none' }]
      : [admin, middle, baseline];
  return stages.filter((stage) => stage.policies.length > 0);
}

/** ClusterNetworkPolicies stand in two tiers of Calico's own, so that a tier may come before them. */
function tierNameOf({ inForce: { stage } }: SnapshotPolicy): string {
  switch (stage.kind) {
    case 'calico':
      return stage.tier;
    case 'admin':
      return 'kube-admin';
    case 'baseline':
      return 'kube-baseline';
    case 'network':
      return defaultTier;
  }
}

function tiersOf(policies: readonly SnapshotPolicy[], known: ReadonlyMap<string, CalicoTier>): readonly Stage[] {
  const named = Map.groupBy(policies, tierNameOf);
  const tierOf = (name: string): CalicoTier =>
    known.get(name) ?? ownTiers.get(name) ?? { order: Number.POSITIVE_INFINITY, passes: false };
  return [...named]
    .toSorted(([one], [other]) => tierOf(one).order - tierOf(other).order || (one < other ? -1 : 1))
    .map(([name, own]) => ({
      name: `tier ${name}`,
      rule: 'first',
      rest: tierOf(name).passes ? 'next' : 'deny',
      policies: own.toSorted(byPlace),
    }));
}

function byPlace(one: SnapshotPolicy, other: SnapshotPolicy): number {
  const [left, right] = [placeOf(one), placeOf(other)];
  if (left !== right) return left < right ? -1 : 1;
  const [name, another] = [tieOf(one), tieOf(other)];
  return name < another ? -1 : name > another ? 1 : 0;
}

/** Of equal orders, Calico 3.32 takes the smaller of these texts first (PolKVLess). Older versions had a prefix before the name. */
function tieOf({ ref: { kind, namespace, name }, inForce: { stage } }: SnapshotPolicy): string {
  const isOfCalico = stage.kind === 'calico';
  return `${name}/${namespace}/${isOfCalico ? kind : `Kubernetes${kind}`}`;
}

function placeOf({ inForce: { stage } }: SnapshotPolicy): number {
  switch (stage.kind) {
    case 'admin':
    case 'baseline':
      return stage.priority;
    case 'network':
      return orderOfNetworkPolicy;
    case 'calico':
      return stage.order ?? Number.POSITIVE_INFINITY;
  }
}
