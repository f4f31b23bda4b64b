/** Parts of policies that are not understood, as far as they may change what is said of two ends. */
import { type FieldPath, formatPath } from '../kubernetes/field-path.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { End } from './endpoints.ts';
import type { Parties } from './parties.ts';
import { byTheBook, type Reading } from './readings.ts';
import { refText, type Snapshot, type SnapshotPolicy } from './snapshot.ts';
import { createWorld } from './world.ts';

export interface UnreadPart {
  /** `CiliumNetworkPolicy acme-web/odd` */
  readonly policy: string;
  readonly field: string;
  readonly reason: string;
}

/** In the order of the policies: those that the readings know, and that select pods of an end or may select them. */
export function unreadAbout(
  ends: { readonly from: End; readonly to: End },
  snapshot: Snapshot,
  parties: Parties,
  settings: Settings,
  readings: readonly Reading[],
): readonly UnreadPart[] {
  const policies = snapshot.policies.filter(
    (one) => one.inForce.unread.length > 0 && readings.some(({ reads }) => reads(one)),
  );
  if (policies.length === 0) return [];
  const selecting = selectingPolicies(ends, { ...snapshot, policies }, parties, settings);
  return policies.flatMap((policy) =>
    policy.inForce.unread
      .filter(({ path }) => {
        const direction = directionOf(path);
        // What is wrong with the policy as a whole may be about whom it selects.
        return direction === undefined || policy.inForce.parts.length === 0
          ? isNear(policy, ends)
          : selecting[direction].has(policy);
      })
      .map(({ path, reason }) => ({ policy: refText(policy.ref), field: formatPath(path), reason })),
  );
}

type Selecting = Readonly<Record<Direction, ReadonlySet<SnapshotPolicy>>>;

function selectingPolicies(
  { from, to }: { readonly from: End; readonly to: End },
  snapshot: Snapshot,
  parties: Parties,
  settings: Settings,
): Selecting {
  // Each as one that only isolates: so the plan of a pod names all that select it.
  const originals = new Map<SnapshotPolicy, SnapshotPolicy>();
  for (const one of snapshot.policies) {
    const parts = one.inForce.parts.map(({ subject }) => ({ subject, isolates: directions, rules: [] }));
    originals.set({ ref: one.ref, inForce: { stage: { kind: 'network', engine: 'any' }, parts, unread: [] } }, one);
  }
  const world = createWorld({ ...snapshot, policies: [...originals.keys()] }, parties, settings, byTheBook);
  const of = (end: End, direction: Direction): ReadonlySet<SnapshotPolicy> =>
    new Set(
      end.parties
        .flatMap((one) => (one.kind === 'pod' ? world.plan(one, direction) : []))
        .flatMap(({ closedBy }) => closedBy.flatMap((one) => originals.get(one) ?? [])),
    );
  return { egress: of(from, 'egress'), ingress: of(to, 'ingress') };
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

function isNear({ ref }: SnapshotPolicy, { from, to }: { readonly from: End; readonly to: End }): boolean {
  const pods = [...from.parties, ...to.parties].filter((one) => one.kind === 'pod');
  return pods.some(({ namespace }) => ref.namespace === '' || ref.namespace === namespace.name);
}
