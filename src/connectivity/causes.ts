/** Why a connection is open on one side of a comparison and closed on the other: the policy, and its field. */
import { formatPath } from '../kubernetes/field-path.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { stepKey } from './fingerprint.ts';
import type { Party, PodClass } from './parties.ts';
import { intersectionOf, type PortSet } from './port-set.ts';
import type { SideName } from './sides.ts';
import type { PolicyRef, SnapshotPolicy } from './snapshot.ts';
import type { Decision, Plan, World } from './world.ts';

/**
 * allows     a rule lets it through
 * denies     a rule denies it
 * isolates   the policy isolates the pods, and no rule lets it through
 * open       no policy isolates the pods
 */
export type CauseKind = 'allows' | 'denies' | 'isolates' | 'open';

export interface Cause {
  readonly kind: CauseKind;
  /** Of the two, the side on which this is so. */
  readonly side: SideName;
  readonly direction: Direction;
  /** Undefined where there is none. */
  readonly policy: PolicyRef | undefined;
  /** Of the rule; empty where it is the policy as a whole. */
  readonly path: string;
}

/** Pods on one side of a comparison, and whom they are connected with. */
export interface Seat {
  readonly side: SideName;
  readonly world: World;
  readonly pods: PodClass;
  readonly peer: Party;
}

/** What allows it where that is new, else what denies it on the other side. */
export function causesOf(direction: Direction, open: Seat, closed: Seat | undefined, ports: PortSet): readonly Cause[] {
  const openers = decisions(open, direction, ports).filter(({ action }) => action === 'allow');
  const closedPlan = closed?.world.plan(closed.pods, direction);
  const known = closedPlan === undefined ? new Set<string>() : rulesOf(closedPlan);
  const fresh = openers.filter(({ step }) => step !== undefined && !known.has(stepKey(step)));
  if (fresh.length > 0) return fresh.map((one) => allowing(one, direction, open.side));
  const closers =
    closed === undefined ? [] : decisions(closed, direction, ports).filter(({ action }) => action !== 'allow');
  const found = closers.flatMap((one) => denying(one, direction, closed?.side ?? open.side));
  return found.length > 0 ? found : openers.map((one) => allowing(one, direction, open.side));
}

function decisions({ world, pods, peer }: Seat, direction: Direction, ports: PortSet): readonly Decision[] {
  const seen: Decision[] = [];
  world.allowed(pods, direction, peer, (decision) => {
    if (decision.action !== 'pass' && intersectionOf(decision.ports, ports).length > 0) seen.push(decision);
  });
  return seen;
}

function allowing({ step }: Decision, direction: Direction, side: SideName): Cause {
  if (step === undefined) return { kind: 'open', side, direction, policy: undefined, path: '' };
  return { kind: 'allows', side, direction, policy: step.policy.ref, path: formatPath(step.rule.path) };
}

function denying({ step, stage }: Decision, direction: Direction, side: SideName): readonly Cause[] {
  if (step !== undefined)
    return [{ kind: 'denies', side, direction, policy: step.policy.ref, path: formatPath(step.rule.path) }];
  return isolating(stage?.closedBy ?? []).map(({ ref }) => ({
    kind: 'isolates',
    side,
    direction,
    policy: ref,
    path: '',
  }));
}

/** Beyond the first, others that isolate the same pods say nothing more. */
function isolating(policies: readonly SnapshotPolicy[]): readonly SnapshotPolicy[] {
  return [...new Set(policies)].slice(0, 1);
}

/** The class that looks most like it, of those that have the same workloads on the other side. */
export function twinOf(pods: PodClass, others: readonly PodClass[]): PodClass | undefined {
  if (others.length < 2) return others[0];
  const [own, home] = [labelsKey(pods.labels), labelsKey(pods.namespace.labels)];
  const alike = others.filter(({ labels }) => labelsKey(labels) === own);
  return alike.find(({ namespace }) => labelsKey(namespace.labels) === home) ?? alike[0] ?? others[0];
}

function labelsKey(labels: PodClass['labels']): string {
  return JSON.stringify([...labels].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Each once. */
export function distinct(causes: readonly Cause[]): readonly Cause[] {
  return [...new Map(causes.map((one) => [JSON.stringify(one), one])).values()];
}

const rulesByPlan = new WeakMap<Plan, ReadonlySet<string>>();

export function rulesOf(plan: Plan): ReadonlySet<string> {
  let rules = rulesByPlan.get(plan);
  if (rules === undefined) {
    rules = new Set(plan.flatMap(({ steps }) => steps.map(stepKey)));
    rulesByPlan.set(plan, rules);
  }
  return rules;
}
