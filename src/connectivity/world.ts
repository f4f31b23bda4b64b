/**
 * A snapshot as one engine reads it: what each pod lets through, stage by stage.
 *
 * A policy is joined with the pods that it is about once, when the world is made. Pods about which the same parts of policies are share one
 * plan. A question about two parties then costs the rules of their two plans.
 */
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { InForceRule } from '../reach/in-force.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { AddressSets } from './address-sets.ts';
import type { Parties, Party, PodClass } from './parties.ts';
import { createMatchers, type Matcher } from './peers.ts';
import { type Block, PolicyIndex, portsOf } from './policy-index.ts';
import {
  type ContainerPort,
  differenceOf,
  everyPort,
  intersectionOf,
  noPorts,
  type PortSet,
  unionOf,
} from './port-set.ts';
import type { Reading } from './readings.ts';
import type { Snapshot, SnapshotPolicy } from './snapshot.ts';
import { comparePlaces, createPlaces, denialsFirst, type Place, type Stage } from './stages.ts';
import { stepsAbout } from './steps-about.ts';

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

/** Ranges outside of the cluster that the step is about, or where it begins or ends. */
export function edgesOf({ rule: { peer }, peer: matcher }: Step): IpSet {
  const written = peer.kind === 'ipBlock' || peer.kind === 'expression' ? (peer.addresses ?? []) : [];
  const { setAddresses = [] } = matcher;
  return setAddresses.length === 0 ? written : [...written, ...setAddresses];
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
  allowed(pods: PodClass, direction: Direction, peer: Party, seen?: Seen): PortSet;
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

/** Takes the decisions in their order. After `enough`, the answer of `allowed` is not complete. */
export type Seen = (decision: Decision) => 'enough' | undefined;

/** A world that follows a changing cluster. A caller that changes its parties reports it here. */
export interface LiveWorld extends World {
  /** @param before what it was, the very one that was put; it keeps its place among those that are equal in order */
  put(policy: SnapshotPolicy, before?: SnapshotPolicy): void;
  /** @param policy the very one that was put */
  remove(policy: SnapshotPolicy): void;
  /** The class at this place is new, or another, or its namespace has other labels. */
  changed(index: number): void;
}

export function createWorld(snapshot: Snapshot, parties: Parties, settings: Settings, reading: Reading): World {
  const { policies, tiers, sets } = snapshot;
  return createLiveWorld(policies, tiers, new AddressSets(sets), parties, settings, reading);
}

export function createLiveWorld(
  policies: readonly SnapshotPolicy[],
  tiers: Snapshot['tiers'],
  sets: AddressSets,
  parties: Parties,
  settings: Settings,
  reading: Reading,
): LiveWorld {
  const policyIndex = new PolicyIndex(parties, createMatchers(parties, sets, settings, reading), reading);
  const placeOf = createPlaces(tiers, reading);
  for (const policy of policies) if (reading.reads(policy)) policyIndex.add(policy, placeOf(policy));

  /** By the index of a class. */
  let planOf: Readonly<Record<Direction, (Plan | undefined)[]>> = { ingress: [], egress: [] };
  const plans = { ingress: new Map<string, Plan>(), egress: new Map<string, Plan>() };
  /** Those with policies of a namespace are its own. Its classes stand together, so those of one namespace are kept at a time. */
  const near = {
    ingress: { home: '', plans: new Map<string, Plan>() },
    egress: { home: '', plans: new Map<string, Plan>() },
  };
  const forgetAll = (): void => {
    planOf = { ingress: [], egress: [] };
    for (const direction of directions) {
      plans[direction].clear();
      near[direction].plans.clear();
    }
  };
  const forget = (index: number): void => {
    for (const direction of directions) planOf[direction][index] = undefined;
  };

  const forgetAbout = (policy: SnapshotPolicy): void => {
    const about = policyIndex.about(policy);
    if (about === 'all') forgetAll();
    else for (const { classes } of about) for (const { index } of classes) forget(index);
  };

  const plan = (pods: PodClass, direction: Direction): Plan => {
    const known = planOf[direction][pods.index];
    if (known !== undefined) return known;
    const own = policyIndex.of(pods, direction);
    own.sort(comparePlaces);
    let key = '';
    for (const { number } of own) key += `${number},`;
    const isNear = own.some(({ policy }) => policy.ref.namespace !== '');
    const { name } = pods.namespace;
    if (isNear && near[direction].home !== name) near[direction] = { home: name, plans: new Map() };
    const shared = isNear ? near[direction].plans : plans[direction];
    let made = shared.get(key);
    if (made === undefined) {
      const every = policyIndex.every.filter((block) => policyIndex.half(block, direction) !== null);
      made = planned(every.length === 0 ? own : [...every, ...own].sort(comparePlaces), direction);
      // Those of policies that are gone would stay.
      if (shared.size > 2 * parties.classes.length) shared.clear();
      shared.set(key, made);
    }
    planOf[direction][pods.index] = made;
    return made;
  };

  const planned = (blocks: readonly Block[], direction: Direction): Plan => {
    const stages: { readonly stage: Stage; readonly steps: Step[]; readonly closedBy: SnapshotPolicy[] }[] = [];
    for (const block of blocks) {
      const half = policyIndex.half(block, direction);
      if (half === null) continue;
      const { stage } = block.place;
      let last = stages.at(-1);
      if (last?.stage !== stage) {
        last = { stage, steps: [], closedBy: [] };
        stages.push(last);
      }
      for (const step of half.steps) last.steps.push(step);
      if (stage.rest === 'deny' && half.isolates) last.closedBy.push(block.policy);
    }
    const made = stages.map(({ stage: { name, rule }, steps, closedBy }): PlannedStage => {
      return { name, steps: (rule === 'union' ? denialsFirst(steps) : steps).slice(), closedBy: closedBy.slice() };
    });
    const middle = reading.isolatesLast ? stages.findIndex(({ stage }) => stage.rule === 'union') : -1;
    const one = made[middle];
    // What they leave out goes through the tier Baseline before it is denied.
    return one === undefined || middle === made.length - 1
      ? made
      : [...made.with(middle, { ...one, closedBy: [] }), { ...one, steps: [] }];
  };

  const remove = (policy: SnapshotPolicy): Place | undefined => {
    if (!reading.reads(policy)) return undefined;
    const place = policyIndex.remove(policy);
    forgetAbout(policy);
    return place;
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
    put(policy, before) {
      const place = before && remove(before);
      if (!reading.reads(policy)) return;
      policyIndex.add(policy, placeOf(policy, place?.number));
      forgetAbout(policy);
    },
    remove,
    changed: forget,
    connection(from, to) {
      const out = from.kind === 'pod' ? allowed(from, 'egress', to) : everyPort;
      if (out.length === 0 || to.kind !== 'pod') return out;
      return intersectionOf(out, allowed(to, 'ingress', from));
    },
  };
}

const directions = ['ingress', 'egress'] as const;

function decide(
  plan: Plan,
  pods: PodClass,
  peer: Party,
  named: readonly ContainerPort[],
  seen: Seen | undefined,
): PortSet {
  let open = noPorts;
  let rest = everyPort;
  for (const stage of plan) {
    let passed = noPorts;
    for (const step of stepsAbout(stage, peer)) {
      if (!step.peer.has(peer) || step.own?.has(pods) === false) continue;
      const { action } = step.rule;
      const hit = intersectionOf(rest, step.ports ?? portsOf(step.rule, named));
      if (hit.length === 0) continue;
      if (seen?.({ stage, step, action, ports: hit }) === 'enough') return open;
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
