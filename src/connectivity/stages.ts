/** The stages through which a connection goes on one side, and the order of the policies in them. */
import type { InForceRule } from '../reach/in-force.ts';
import type { Reading } from './readings.ts';
import type { CalicoTier, Snapshot, SnapshotPolicy } from './snapshot.ts';

export interface Stage {
  /** `network policies`, `tier default`. */
  readonly name: string;
  /** Lower comes first; of the same, by name. */
  readonly order: number;
  /**
   * first  the first rule that matches decides
   * union  a denial wins, then an allow rule
   */
  readonly rule: 'first' | 'union';
  /**
   * Of a pod that a policy of the stage isolates, what no rule decides.
   * deny  it ends here
   * next  it goes on to the next stage
   */
  readonly rest: 'deny' | 'next';
}

/** Where a policy stands among all. */
export interface Place {
  readonly stage: Stage;
  /** In its stage, before its name. */
  readonly order: number;
  /** The last that decides, where there is no other order. */
  readonly number: number;
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

const clusterStages = {
  admin: { name: 'ClusterNetworkPolicies of the tier Admin', order: 0, rule: 'first', rest: 'next' },
  network: { name: 'network policies', order: 1, rule: 'union', rest: 'deny' },
  baseline: { name: 'ClusterNetworkPolicies of the tier Baseline', order: 2, rule: 'first', rest: 'next' },
} as const satisfies Record<string, Stage>;

/** @returns the place of each policy; without a number of its own it comes after all that were asked for */
export function createPlaces(
  tiers: Snapshot['tiers'],
  reading: Reading,
): (policy: SnapshotPolicy, number?: number) => Place {
  const stages = new Map<string, Stage>();
  let count = 0;
  const tierStage = (name: string): Stage => {
    const known = stages.get(name);
    if (known !== undefined) return known;
    const tier = tiers?.get(name) ?? ownTiers.get(name) ?? { order: Number.POSITIVE_INFINITY, passes: false };
    const rest = tier.passes ? 'next' : 'deny';
    const made: Stage = { name: `tier ${name}`, order: tier.order, rule: 'first', rest };
    stages.set(name, made);
    return made;
  };
  return (policy, number = count++) => {
    const { stage } = policy.inForce;
    const own = reading.ordered || stage.kind === 'calico' ? tierStage(tierNameOf(policy)) : clusterStages[stage.kind];
    return { stage: own, order: own.rule === 'union' ? 0 : orderOf(policy), number };
  };
}

export function comparePlaces(one: Placed, other: Placed): number {
  const [left, right] = [one.place, other.place];
  if (left.stage !== right.stage) {
    if (left.stage.order !== right.stage.order) return left.stage.order < right.stage.order ? -1 : 1;
    return left.stage.name < right.stage.name ? -1 : 1;
  }
  if (left.stage.rule === 'union') return left.number - right.number;
  if (left.order !== right.order) return left.order < right.order ? -1 : 1;
  const [tie, otherTie] = [tieOf(one.policy), tieOf(other.policy)];
  return tie < otherTie ? -1 : tie > otherTie ? 1 : left.number - right.number;
}

export interface Placed {
  readonly policy: SnapshotPolicy;
  readonly place: Place;
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

/** Of equal orders, Calico 3.32 takes the smaller of these texts first (PolKVLess). Older versions had a prefix before the name. */
function tieOf({ ref: { kind, namespace, name }, inForce: { stage } }: SnapshotPolicy): string {
  const isOfCalico = stage.kind === 'calico';
  return `${name}/${namespace}/${isOfCalico ? kind : `Kubernetes${kind}`}`;
}

function orderOf({ inForce: { stage } }: SnapshotPolicy): number {
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

/** Then rules that let every request through: one for some requests takes nothing away from them. */
export function denialsFirst<One extends { readonly rule: InForceRule }>(steps: readonly One[]): readonly One[] {
  if (!steps.some(({ rule }) => rankOf(rule) !== 1)) return steps;
  return steps.toSorted((one, other) => rankOf(one.rule) - rankOf(other.rule));
}

function rankOf({ action, layer7 }: InForceRule): number {
  return action === 'deny' ? 0 : layer7 === undefined ? 1 : 2;
}
