/**
 * Which parties a change of policies may affect. Two parties stay connected as before if their labels are the same on both sides and no
 * changed rule selects them. They are not compared.
 */
import type { Direction } from '../tenancy/tenant.ts';
import type { Breadth } from './breadth.ts';
import { stepKey } from './fingerprint.ts';
import type { Body, SideName, Sides } from './sides.ts';
import { sideNames } from './sides.ts';
import type { Plan, Step, World } from './world.ts';

/** Peers by their index in {@link Sides.bodies}; `all` where a rule that names many is new. */
export type Touched = 'none' | 'all' | ReadonlySet<number>;

export interface Touching {
  /** The plans of the pods differ. */
  peers(body: Body, direction: Direction): Touched;
}

export function createTouching(
  worlds: Readonly<Record<SideName, World>>,
  { bodiesOf }: Sides,
  { isBroad }: Breadth,
): Touching {
  const known = new Map<Plan, Map<Plan, Touched>>();

  function between(one: Plan, other: Plan): Touched {
    const byOther = known.get(one) ?? new Map<Plan, Touched>();
    known.set(one, byOther);
    let touched = byOther.get(other);
    if (touched === undefined) {
      touched = differing(one, other);
      byOther.set(other, touched);
    }
    return touched;
  }

  function differing(one: Plan, other: Plan): Touched {
    const [before, after] = [keysOf(one), keysOf(other)];
    if (before.join('\n') === after.join('\n')) return 'none';
    const common = (keys: readonly string[], set: ReadonlySet<string>) => keys.filter((key) => set.has(key)).join('\n');
    // What both have must stand in the same order.
    if (common(before, new Set(after)) !== common(after, new Set(before))) return 'all';
    const found = new Set<number>();
    for (const [plan, side, others] of [
      [one, 'old', new Set(after)] as const,
      [other, 'new', new Set(before)] as const,
    ])
      for (const stage of plan) {
        if (!others.has(stageKey(stage))) return 'all';
        for (const step of stage.steps)
          if (!others.has(placedKey(stage.name, step))) {
            if (isBroad(step.peer)) return 'all';
            for (const { index } of step.peer.classes())
              for (const body of bodiesOf[side][index] ?? []) found.add(body.index);
          }
      }
    return found;
  }

  return {
    peers({ classes }, direction) {
      let all: Touched = 'none';
      for (const [at, before] of classes.old.entries()) {
        const after = classes.new[at];
        if (after === undefined) return 'all';
        const [one, other] = sideNames.map((side) => worlds[side].plan(side === 'old' ? before : after, direction));
        const touched = one === undefined || other === undefined ? 'all' : between(one, other);
        if (touched === 'all') return 'all';
        if (touched !== 'none') all = all === 'none' ? touched : (all as ReadonlySet<number>).union(touched);
      }
      return all;
    },
  };
}

function stageKey({ name, closedBy }: Plan[number]): string {
  return `${name} ${closedBy.length > 0}`;
}

function placedKey(stage: string, step: Step): string {
  return `${stage} ${stepKey(step)}`;
}

function keysOf(plan: Plan): readonly string[] {
  return plan.flatMap((stage) => [stageKey(stage), ...stage.steps.map((step) => placedKey(stage.name, step))]);
}
