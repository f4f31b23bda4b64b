/**
 * Bodies by what a comparison sees of them: two of one profile are connected alike with a third, before and after, and for reasons of the same
 * form, unless a narrow rule of one of the two names the other.
 */
import { formatPath } from '../kubernetes/field-path.ts';
import { serves } from '../tenancy/served-tenants.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type Breadth, broadSteps } from './breadth.ts';
import { rulesOf, twinOf } from './causes.ts';
import type { Worlds } from './compare-pair.ts';
import { canonical, stepKey } from './fingerprint.ts';
import type { Matcher } from './matcher.ts';
import type { PodClass } from './parties.ts';
import { type Body, type SideName, type Sides, sideNames } from './sides.ts';
import type { Touched } from './touched.ts';
import type { Plan, Step } from './world.ts';

export const directions = ['egress', 'ingress'] as const;

export interface Profile {
  readonly index: number;
  /** Not empty. */
  readonly bodies: readonly Body[];
  /** Whether each of them is to be asked about everyone in the direction. */
  readonly isTouched: Readonly<Record<Direction, boolean>>;
}

/** @param touched by the index of a body */
export function profilesOf(
  { bodies }: Sides,
  worlds: Worlds,
  breadth: Breadth,
  touched: Readonly<Record<Direction, readonly Touched[]>>,
  settings: Settings,
): readonly Profile[] {
  const numbers = new Map<unknown, number>();
  const numberOf = (value: unknown): number => {
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  };
  const { ofPods: namedBy, hasNamedPorts } = surveyOf(worlds, breadth, numberOf);
  const ofRules = new WeakMap<Step['rule'], number>();
  const ruleNumber = ({ rule, policy: { ref } }: Step): number => {
    let number = ofRules.get(rule);
    if (number === undefined) {
      const { action, ports, notPorts, path } = rule;
      number = numberOf(canonical([ref.kind, action, ports, notPorts, formatPath(path)]));
      ofRules.set(rule, number);
    }
    return number;
  };
  const planKey = (plan: Plan, other: Plan | undefined, pods: PodClass): string => {
    const known = other && rulesOf(other);
    let key = '';
    for (const { name, steps, closedBy } of plan) {
      let text = '';
      for (const step of broadSteps(steps, pods, breadth)) {
        const peer = breadth.isTotal(step.peer) ? '' : numberOf(step.peer);
        text += `${ruleNumber(step)}:${peer}${known?.has(stepKey(step)) ? '=' : '+'} `;
      }
      const [closer] = closedBy;
      if (text !== '' || closer !== undefined) key += `${numberOf(name)}(${text})${closer?.ref.kind ?? ''};`;
    }
    return key;
  };
  const servedOf = createServed(settings);
  const keyOf = (body: Body): string => {
    let key = `${body.group.old === body.group.new}`;
    for (const direction of directions) key += ` ${touched[direction][body.index] === 'all'}`;
    for (const side of sideNames) {
      const others = body.classes[side === 'old' ? 'new' : 'old'];
      for (const pods of body.classes[side]) {
        const twin = twinOf(pods, others);
        key += `|${side} ${twin === undefined ? -1 : others.indexOf(twin)} ${namedBy[side][pods.index]?.join() ?? ''}`;
        for (const direction of directions) {
          const other = twin && worlds[side === 'old' ? 'new' : 'old'].plan(twin, direction);
          key += ` ${numberOf(planKey(worlds[side].plan(pods, direction), other, pods))}`;
        }
        if (hasNamedPorts) key += JSON.stringify(pods.ports);
        key += ` ${servedOf(pods)}`;
      }
    }
    return key;
  };
  return [...Map.groupBy(bodies, keyOf).values()].map((own, index): Profile => {
    const isTouched = (direction: Direction) => touched[direction][own[0]?.index ?? 0] === 'all';
    return { index, bodies: own, isTouched: { egress: isTouched('egress'), ingress: isTouched('ingress') } };
  });
}

/** The broad rules that name each class, and whether any rule has names of ports. */
function surveyOf(worlds: Worlds, { isBroad, isTotal }: Breadth, numberOf: (value: unknown) => number) {
  const ofPods: Readonly<Record<SideName, (number[] | undefined)[]>> = { old: [], new: [] };
  let hasNamedPorts = false;
  const seen = new Set<Matcher | Plan>();
  for (const side of sideNames)
    for (const pods of worlds[side].parties.classes)
      for (const direction of directions) {
        const plan = worlds[side].plan(pods, direction);
        if (seen.has(plan)) continue;
        seen.add(plan);
        for (const { steps } of plan)
          for (const { peer, ports } of steps) {
            hasNamedPorts ||= ports === undefined;
            if (seen.has(peer)) continue;
            seen.add(peer);
            if (isTotal(peer) || !isBroad(peer)) continue;
            for (const { index } of peer.classes()) {
              ofPods[side][index] ??= [];
              ofPods[side][index]?.push(numberOf(peer));
            }
          }
      }
  return { ofPods, hasNamedPorts };
}

/** What shared services say of pods: which serve the tenant, or of which a pod of the platform may be. */
function createServed({ sharedServices }: Settings): (pods: PodClass) => string {
  const spaces = new Set(sharedServices.map(({ namespace }) => namespace));
  const known = new Map<unknown, string>();
  return ({ namespace: { name, owner }, labels }) => {
    if (owner === 'platform') return spaces.has(name) ? JSON.stringify([name, [...labels].sort()]) : 'platform';
    const text = known.get(owner) ?? sharedServices.map((one) => (serves(one, owner) ? 'y' : 'n')).join('');
    known.set(owner, text);
    return text;
  };
}
