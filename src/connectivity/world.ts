/**
 * A snapshot as one engine reads it: what each pod lets through, stage by stage.
 *
 * A policy is joined with the pods that it is about once, when the world is made. Pods about which the same parts of policies are share one
 * plan. A question about two parties then costs the rules of their two plans.
 */
import type { Port } from '../kubernetes/port-range.ts';
import type { InForceRule } from '../reach/in-force.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { Parties, Party, PodClass } from './parties.ts';
import { createMatchers, type Matcher } from './peers.ts';
import {
  type ContainerPort,
  differenceOf,
  everyPort,
  intersectionOf,
  noPorts,
  type PortSet,
  resolved,
  unionOf,
} from './port-set.ts';
import type { Reading } from './readings.ts';
import type { Snapshot, SnapshotPolicy } from './snapshot.ts';
import { type Stage, stagesOf } from './stages.ts';

/** One rule, joined with whom it is about. */
export interface Step {
  readonly policy: SnapshotPolicy;
  readonly rule: InForceRule;
  readonly peer: Matcher;
  /** Undefined: every pod of the plan. */
  readonly own: Matcher | undefined;
  /** Undefined: there are names among them. */
  readonly ports: PortSet | undefined;
}

export interface PlannedStage {
  readonly name: string;
  readonly steps: readonly Step[];
  /** The policies that isolate the pod, where that denies what no rule decides. Empty: it goes on. */
  readonly closedBy: readonly SnapshotPolicy[];
}

/** What decides about the connections of a pod in one direction. Without stages everything is open. */
export type Plan = readonly PlannedStage[];

export interface World {
  readonly reading: Reading;
  readonly parties: Parties;
  plan(pods: PodClass, direction: Direction): Plan;
  /** What the policies of one side let through. */
  allowed(pods: PodClass, direction: Direction, peer: Party, seen?: (decision: Decision) => void): PortSet;
  /** What gets through: both sides let it. Nothing between two parties that are no pods is asked. */
  connection(from: Party, to: Party): PortSet;
}

/** What decided about some of the ports, in the order in which it was decided. */
export interface Decision {
  readonly stage: PlannedStage | undefined;
  /** Undefined: no rule did, but the end of the stage, or of all stages. */
  readonly step: Step | undefined;
  readonly action: InForceRule['action'];
  readonly ports: PortSet;
}

/** The rules of one part of a policy in one direction. */
interface Block {
  readonly stage: number;
  readonly policy: SnapshotPolicy;
  readonly isolates: boolean;
  readonly steps: readonly Step[];
}

export function createWorld(snapshot: Snapshot, parties: Parties, settings: Settings, reading: Reading): World {
  const matchers = createMatchers(parties, settings, reading);
  const stages = stagesOf(snapshot, reading);
  const blocks: Block[] = [];
  const ofEvery: Record<Direction, number[]> = { ingress: [], egress: [] };
  const ofClass: Record<Direction, (number[] | undefined)[]> = { ingress: [], egress: [] };

  for (const [stage, { policies, rule: decides }] of stages.entries())
    for (const policy of policies)
      for (const part of policy.inForce.parts) {
        const subject = matchers.subject(part.subject, policy.ref.namespace);
        for (const direction of directions) {
          const rules = part.rules.filter(
            (rule) => rule.direction === direction && !(rule.isUntyped === true && reading.untyped === 'ignored'),
          );
          const isForced = reading.untyped === 'isolate' && part.untyped?.includes(direction) === true;
          const isolates = isForced || part.isolates.includes(direction);
          if (rules.length === 0 && !isolates) continue;
          const number = blocks.length;
          const steps = decides === 'none' ? [] : rules.map((rule) => stepOf(rule, policy));
          blocks.push({ stage, policy, isolates, steps });
          if (subject.isEveryPod) ofEvery[direction].push(number);
          else
            for (const { index } of subject.classes()) {
              const own = ofClass[direction][index];
              if (own === undefined) ofClass[direction][index] = [number];
              else own.push(number);
            }
        }
      }

  function stepOf(rule: InForceRule, policy: SnapshotPolicy): Step {
    const { peer, ports, notPorts = [], own, action } = rule;
    return {
      policy,
      rule,
      peer: matchers.peer(peer, policy.ref.namespace, action !== 'deny'),
      own: own && matchers.pods(own),
      ports: [...ports, ...notPorts].some(isNamed) ? undefined : portsOf(rule, []),
    };
  }

  const plans = { ingress: new Map<string, Plan>(), egress: new Map<string, Plan>() };
  const planOf: Record<Direction, (Plan | undefined)[]> = { ingress: [], egress: [] };
  const plan = ({ index }: PodClass, direction: Direction): Plan => {
    const known = planOf[direction][index];
    if (known !== undefined) return known;
    const numbers = ofClass[direction][index] ?? [];
    const key = numbers.join();
    let made = plans[direction].get(key);
    if (made === undefined) {
      made = plannedStages(merged(ofEvery[direction], numbers));
      plans[direction].set(key, made);
    }
    planOf[direction][index] = made;
    return made;
  };

  /** @param numbers of blocks in their order, which is that of the stages */
  const plannedStages = (numbers: readonly number[]): Plan => {
    const plan: PlannedStage[] = [];
    for (let at = 0; at < numbers.length; ) {
      const stage = blocks[numbers[at] ?? 0]?.stage ?? 0;
      const { name, rule, rest } = stages[stage] as Stage;
      const steps: Step[] = [];
      const closedBy: SnapshotPolicy[] = [];
      for (; at < numbers.length; at++) {
        const block = blocks[numbers[at] ?? 0];
        if (block === undefined || block.stage !== stage) break;
        for (const step of block.steps) steps.push(step);
        if (rest === 'deny' && block.isolates) closedBy.push(block.policy);
      }
      plan.push({ name, steps: rule === 'union' ? denialsFirst(steps) : steps, closedBy });
    }
    return plan;
  };

  const allowed: World['allowed'] = (pods, direction, peer, seen) => {
    const destination = direction === 'ingress' ? pods : peer;
    const named = destination.kind === 'pod' ? destination.ports : [];
    return decide(plan(pods, direction), pods, peer, named, seen);
  };

  return {
    reading,
    parties,
    plan,
    allowed,
    connection(from, to) {
      const out = from.kind === 'pod' ? allowed(from, 'egress', to) : everyPort;
      if (out.length === 0 || to.kind !== 'pod') return out;
      return intersectionOf(out, allowed(to, 'ingress', from));
    },
  };
}

const directions = ['ingress', 'egress'] as const;

function denialsFirst(steps: readonly Step[]): readonly Step[] {
  if (!steps.some(({ rule }) => rule.action === 'deny')) return steps;
  return [...steps.filter(({ rule }) => rule.action === 'deny'), ...steps.filter(({ rule }) => rule.action !== 'deny')];
}

/** Two lists in order as one. */
function merged(one: readonly number[], other: readonly number[]): readonly number[] {
  return one.length === 0 ? other : [...one, ...other].sort((left, right) => left - right);
}

function isNamed(port: Port): boolean {
  return 'name' in port;
}

function portsOf({ ports, notPorts = [] }: InForceRule, named: readonly ContainerPort[]): PortSet {
  const set = resolved(ports, named);
  return notPorts.length === 0 ? set : differenceOf(set, resolved(notPorts, named));
}

function decide(
  plan: Plan,
  pods: PodClass,
  peer: Party,
  named: readonly ContainerPort[],
  seen: ((decision: Decision) => void) | undefined,
): PortSet {
  let open = noPorts;
  let rest = everyPort;
  for (const stage of plan) {
    let passed = noPorts;
    for (const step of stage.steps) {
      if (!step.peer.has(peer) || step.own?.has(pods) === false) continue;
      const { action } = step.rule;
      const hit = intersectionOf(rest, step.ports ?? portsOf(step.rule, named));
      if (hit.length === 0) continue;
      seen?.({ stage, step, action, ports: hit });
      rest = differenceOf(rest, hit);
      if (action === 'allow') open = unionOf(open, hit);
      else if (action === 'pass') passed = unionOf(passed, hit);
      if (rest.length === 0) break;
    }
    if (stage.closedBy.length > 0) {
      if (rest.length > 0) seen?.({ stage, step: undefined, action: 'deny', ports: rest });
      rest = passed;
    } else rest = unionOf(rest, passed);
    if (rest.length === 0) return open;
  }
  seen?.({ stage: undefined, step: undefined, action: 'allow', ports: rest });
  return unionOf(open, rest);
}
