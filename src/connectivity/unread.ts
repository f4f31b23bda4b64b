/** Parts of policies that are not understood, as far as they may change what is said of two ends. */
import { type FieldPath, formatPath } from '../kubernetes/field-path.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { Parties, Party } from './parties.ts';
import { byTheBook, type Reading } from './readings.ts';
import { refText, type Snapshot, type SnapshotPolicy } from './snapshot.ts';
import { createWorld } from './world.ts';

export interface UnreadPart {
  /** `CiliumNetworkPolicy acme-web/odd` */
  readonly policy: string;
  readonly field: string;
  readonly reason: string;
}

/** Who connects, and to whom. */
export interface Pair {
  readonly from: readonly Party[];
  readonly to: readonly Party[];
}

/** @returns the parts of policies that the readings know, in their order, that select pods of an end or may select them */
export function createUnread(
  snapshot: Snapshot,
  parties: Parties,
  settings: Settings,
  readings: readonly Reading[],
): (pair: Pair) => readonly UnreadPart[] {
  const policies = snapshot.policies.filter(
    (one) => one.inForce.unread.length > 0 && readings.some(({ reads }) => reads(one)),
  );
  // Which rules select them is not looked at: the addresses that cannot be read may be of any end.
  const ofSets = setsUnread(snapshot.sets, readings);
  if (policies.length === 0) return () => ofSets;
  const parts = policies.flatMap((policy) =>
    policy.inForce.unread.map(({ path, reason }) => ({
      policy,
      // What is wrong with the policy as a whole may be about whom it selects.
      direction: policy.inForce.parts.length === 0 ? undefined : directionOf(path),
      part: { policy: refText(policy.ref), field: formatPath(path), reason },
    })),
  );
  const selecting = createSelecting({ ...snapshot, policies }, parties, settings);
  return (pair) => {
    const own = { egress: selecting(pair.from, 'egress'), ingress: selecting(pair.to, 'ingress') };
    const found = parts
      .filter(({ policy, direction }) => (direction === undefined ? isNear(policy, pair) : own[direction].has(policy)))
      .map(({ part }) => part);
    return [...found, ...ofSets];
  };
}

/** Of sets of addresses, which only Calico has. */
export function setsUnread(sets: Snapshot['sets'] = [], readings: readonly Reading[]): readonly UnreadPart[] {
  if (!readings.some(({ ordered }) => ordered)) return [];
  return sets.flatMap(({ ref, set }) =>
    set.unread.map(({ path, reason }) => ({ policy: refText(ref), field: formatPath(path), reason })),
  );
}

/** Of these policies, those parts, each once. */
export function partsUnread(policies: readonly SnapshotPolicy[], readings: readonly Reading[]): readonly UnreadPart[] {
  const parts = policies
    .filter((one) => readings.some(({ reads }) => reads(one)))
    .flatMap(({ ref, inForce }) =>
      inForce.unread.map(({ path, reason }) => ({ policy: refText(ref), field: formatPath(path), reason })),
    );
  return [...new Map(parts.map((one) => [`${one.policy} ${one.field}`, one])).values()];
}

type Selecting = (pods: readonly Party[], direction: Direction) => ReadonlySet<SnapshotPolicy>;

function createSelecting(snapshot: Snapshot, parties: Parties, settings: Settings): Selecting {
  // Each as one that only isolates: so the plan of a pod names all that select it.
  const originals = new Map<SnapshotPolicy, SnapshotPolicy>();
  for (const one of snapshot.policies) {
    const parts = one.inForce.parts.map(({ subject }) => ({ subject, isolates: directions, rules: [] }));
    originals.set({ ref: one.ref, inForce: { stage: { kind: 'network', engine: 'any' }, parts, unread: [] } }, one);
  }
  const world = createWorld({ ...snapshot, policies: [...originals.keys()] }, parties, settings, byTheBook);
  return (pods, direction) =>
    new Set(
      pods
        .flatMap((one) => (one.kind === 'pod' ? world.plan(one, direction) : []))
        .flatMap(({ closedBy }) => closedBy.flatMap((one) => originals.get(one) ?? [])),
    );
}

const directions: readonly Direction[] = ['ingress', 'egress'];
const directionOfStep: ReadonlyMap<FieldPath['step'], Direction> = new Map([
  ['ingress', 'ingress'],
  ['ingressDeny', 'ingress'],
  ['egress', 'egress'],
  ['egressDeny', 'egress'],
]);

/** Undefined: it is about the policy as a whole. */
function directionOf({ parent, step }: FieldPath): Direction | undefined {
  // Those of ClusterNetworkPolicies are texts as a whole.
  const [, name = ''] = typeof step === 'string' ? step.split(/[.[]/, 2) : [];
  return (
    directionOfStep.get(step) ?? directionOfStep.get(name) ?? (parent === undefined ? undefined : directionOf(parent))
  );
}

function isNear({ ref }: SnapshotPolicy, { from, to }: Pair): boolean {
  const isThere = (one: Party): boolean => one.kind === 'pod' && ['', one.namespace.name].includes(ref.namespace);
  return from.some(isThere) || to.some(isThere);
}
