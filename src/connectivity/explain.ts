/** Why two ends reach each other or do not: the rules that decide, on each side, for the ports that are asked about. */
import { formatPath } from '../kubernetes/field-path.ts';
import { formatRange } from '../kubernetes/ip-range.ts';
import { type End, nameOfClass, type PortOf } from './endpoints.ts';
import type { Layer7, Layer7Of } from './layer7/layer7.ts';
import type { Party, PodClass } from './parties.ts';
import { portsOf } from './policy-index.ts';
import { differenceOf, everyPort, intersectionOf, noPorts, type PortSet, unionOf } from './port-set.ts';
import type { SnapshotPolicy } from './snapshot.ts';
import type { Decision, Plan, Step, World } from './world.ts';

export interface Side {
  readonly direction: 'ingress' | 'egress';
  readonly pods: PodClass;
  readonly peer: Party;
  /** Of the ports that are asked about, those that this side lets through. */
  readonly open: PortSet;
  /** About those ports, in the order in which they were decided. */
  readonly decisions: readonly Decision[];
  /** Rules that let the peer in on other ports, where some are blocked. */
  readonly onOtherPorts: readonly Allowing[];
  /** All that let the peer in on some of the ports that are asked about. */
  readonly allowing: readonly Allowing[];
  /** All that isolate the pods. */
  readonly closedBy: readonly SnapshotPolicy[];
}

export interface Allowing {
  readonly policy: SnapshotPolicy;
  readonly path: string;
  /** Empty where the pod that is called has none of the names. */
  readonly ports: PortSet;
  /** Ports that the rule names, as `http/TCP`. */
  readonly names: readonly string[];
}

/** What holds for one pair, and for all others that are decided in the same way. */
export interface PairAnswer {
  readonly from: Party;
  readonly to: Party;
  readonly pairs: number;
  readonly asked: PortSet;
  /** Of the ports that are asked about, those on which the connection is let through, at layer 7 at least for some requests. */
  readonly open: PortSet;
  /** Of these, those that policies of layer 7 let through whatever the request is. */
  readonly unconditional: PortSet;
  /** Empty where neither end is a pod. */
  readonly sides: readonly Side[];
  /** Undefined: no policy of a mesh is about the pods that are called. */
  readonly layer7: Layer7 | undefined;
}

export interface Explanation {
  readonly reading: World['reading']['name'];
  /** Open ones first. */
  readonly answers: readonly PairAnswer[];
  /** Pairs that were not looked at, as there are too many. */
  readonly left: number;
}

/** So many pairs take about a second. */
const mostPairs = 100_000;

/** @param portOf undefined: every port is asked about */
export function explain(
  world: World,
  from: End,
  to: End,
  portOf: PortOf | undefined,
  layer7Of: Layer7Of = () => undefined,
): Explanation {
  const answers = new Map<string, PairAnswer>();
  let [looked, left] = [0, 0];
  for (const source of from.parties)
    for (const target of to.parties) {
      if (
        source === target &&
        source.kind === 'pod' &&
        source.workloads.length === 1 &&
        source.workloads[0]?.pods === 1
      )
        continue;
      if (looked === mostPairs) {
        left++;
        continue;
      }
      looked++;
      const answer = pairAnswer(world, source, target, portOf?.(target) ?? everyPort, layer7Of);
      const key = keyOf(answer);
      const known = answers.get(key);
      answers.set(key, known === undefined ? answer : { ...known, pairs: known.pairs + 1 });
    }
  const sorted = [...answers.values()].sort(
    (one, other) => Number(other.open.length > 0) - Number(one.open.length > 0),
  );
  return { reading: world.reading.name, answers: sorted, left };
}

function pairAnswer(world: World, from: Party, to: Party, asked: PortSet, layer7Of: Layer7Of): PairAnswer {
  const sides = [
    ...(from.kind === 'pod' ? [sideOf(world, 'egress', from, to, asked)] : []),
    ...(to.kind === 'pod' ? [sideOf(world, 'ingress', to, from, asked)] : []),
  ];
  const network = sides.reduce((ports, side) => intersectionOf(ports, side.open), asked);
  const layer7 = to.kind === 'pod' ? layer7Of(from, to) : undefined;
  const open = layer7 === undefined ? network : intersectionOf(network, layer7.may);
  // Of the requests on these, a proxy of the network plugin takes some alone.
  const proxied = sides.flatMap(({ decisions }) =>
    decisions.flatMap(({ step, action, ports }) =>
      action === 'allow' && step?.rule.layer7 !== undefined ? [ports] : [],
    ),
  );
  const unconditional = differenceOf(
    layer7 === undefined ? open : intersectionOf(network, layer7.sure),
    unionAll(proxied),
  );
  return { from, to, pairs: 1, asked, open, unconditional, sides, layer7 };
}

function unionAll(sets: readonly PortSet[]): PortSet {
  return sets.reduce(unionOf, noPorts);
}

function sideOf(world: World, direction: Side['direction'], pods: PodClass, peer: Party, asked: PortSet): Side {
  const decisions: Decision[] = [];
  const allowed = world.allowed(pods, direction, peer, (decision) => {
    const ports = intersectionOf(decision.ports, asked);
    if (ports.length > 0) decisions.push({ ...decision, ports });
  });
  const open = intersectionOf(allowed, asked);
  const isBlocked = differenceOf(asked, open).length > 0;
  const plan = world.plan(pods, direction);
  const allowing = allowingIn(plan, direction, pods, peer);
  const isAsked = ({ ports }: Allowing): boolean => intersectionOf(ports, asked).length > 0;
  return {
    ...{ direction, pods, peer, open, decisions },
    onOtherPorts: isBlocked ? allowing.filter((one) => !isAsked(one)) : [],
    allowing: allowing.filter(isAsked),
    closedBy: [...new Set(plan.flatMap(({ closedBy }) => closedBy))],
  };
}

/** In their order, whatever is decided before them. */
function allowingIn(plan: Plan, direction: Side['direction'], pods: PodClass, peer: Party): readonly Allowing[] {
  const called = direction === 'ingress' ? pods : peer;
  const known = called.kind === 'pod' ? called.ports : [];
  return plan.flatMap(({ steps }) =>
    steps.flatMap((step): readonly Allowing[] => {
      const { rule, policy, own } = step;
      if (rule.action !== 'allow' || !step.peer.has(peer) || own?.has(pods) === false) return [];
      const names = rule.ports.flatMap((port) => ('name' in port ? [`${port.name}/${port.protocol}`] : []));
      return [{ policy, path: formatPath(rule.path), ports: step.ports ?? portsOf(rule, known), names }];
    }),
  );
}

/** Pairs with the same key have the same answer, by the same rules. */
function keyOf({ open, unconditional, asked, sides, layer7 }: PairAnswer): string {
  const decided = sides.map(({ decisions }) =>
    decisions.map(({ step, action, ports }) => [step && [step.policy.ref, formatPath(step.rule.path)], action, ports]),
  );
  return JSON.stringify([open, unconditional, layer7, asked, sides.map(({ direction }) => direction), decided]);
}

/** What one end of a pair is called. */
export function nameOfParty(party: Party, end: End): string {
  if (party.kind === 'pod') return nameOfClass(party);
  return party.kind === 'address' && end.isInternet ? `${end.name} (${formatRange(party.range)})` : end.name;
}

/** The field of the rule that decided. */
export function pathText({ rule }: Step): string {
  return formatPath(rule.path);
}
