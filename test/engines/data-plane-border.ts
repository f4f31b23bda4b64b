/**
 * Cilium's own code judges the ClusterNetworkPolicies that Bulkhead keeps: beside policies that allow everything, exactly what the proof
 * and the grants say gets through. In every world, for every pod and every port.
 */
import fc from 'fast-check';
import { baselineOf } from '../../src/baseline/baseline.ts';
import { type DataPlaneBorder, dataPlaneBorder } from '../../src/baseline/data-plane-border.ts';
import type { Tenancy } from '../../src/tenancy/tenancy.ts';
import { isForeign, type World } from '../reach/evaluator.ts';
import { reaches, readBlock } from '../reach/evaluator-addresses.ts';
import { borderOf, world as someWorld } from '../reach/search-worlds.ts';
import type { Engine } from './engine.ts';
import { type Candidate, othersOf, ownNamespace, pod, reserved, subjectsOf, wires } from './parties.ts';
import type { Flow } from './protocol.ts';
import { randomFrom } from './random.ts';
import { type Counterexample, emptyTally, policiesInBatch, type Tally } from './search.ts';

/** Whatever tenants may have written while Bulkhead was off. */
function openPolicies(namespace: string): readonly { readonly kind: string; readonly object: unknown }[] {
  return [
    {
      kind: 'NetworkPolicy',
      object: {
        metadata: { name: 'open', namespace },
        spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] },
      },
    },
    {
      kind: 'CiliumNetworkPolicy',
      object: {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'open', namespace },
        spec: { endpointSelector: {}, ingress: [{ fromEntities: ['all'] }], egress: [{ toEntities: ['all'] }] },
      },
    },
  ];
}

interface Scene {
  readonly tenancy: Tenancy;
  readonly tenant: string;
  readonly namespace: string;
  readonly now: number;
  readonly candidates: readonly Candidate[];
  readonly subject: Candidate;
  readonly border: DataPlaneBorder | undefined;
  /** Without them, the baseline alone is in force. */
  readonly open?: boolean;
}

/** Which flows of the subject get through; by direction, candidate and wire. */
export async function allowedIn(engine: Engine, scene: Scene): Promise<(flow: Flow) => boolean> {
  const { tenancy, tenant, namespace, candidates, subject, border, open = true } = scene;
  const owner = tenancy.tenants.get(tenant);
  if (owner === undefined) throw new Error(`${tenant} is not declared`);
  const flows = allFlows(candidates);
  const baseline = baselineOf(namespace, owner, tenancy.settings)
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map((object) => ({ kind: object.kind, object }));
  // The engine answers in the directions that the policy asked about concerns. This one concerns both.
  const [policy, ...others] = open ? [...openPolicies(namespace), ...baseline] : baseline;
  const asked = { subjects: [], common: false, flows };
  const answers = await engine.ask({
    parties: [...candidates, subject].map((one) => one.asked),
    wires,
    subjects: [candidates.length],
    baseline: [
      ...others,
      ...[...(border?.passes ?? []), ...(border?.denies ?? [])].map((object) => ({ kind: object.kind, object })),
    ],
    flows: [],
    policies: policy === undefined ? [] : [{ ...policy, ...asked }],
  });
  const [answer] = answers;
  if (answer === undefined || answer.error !== undefined) throw new Error(answer?.error ?? 'no answer');
  if (answer.looked !== flows.length) throw new Error(`${answer.looked} of ${flows.length} flows were looked up`);
  const allowed = new Set(answer.own.map((index) => String(flows[index])));
  return (flow) => allowed.has(String(flow));
}

export function allFlows(candidates: readonly Candidate[]): readonly Flow[] {
  return ([0, 1] as const).flatMap((direction) =>
    candidates.flatMap((_, place) => wires.map((_, wire): Flow => [direction, place, wire])),
  );
}

const both = ['ingress', 'egress'] as const;

/**
 * What must be so, beside policies that allow everything: of pods exactly those that are agreed; of addresses, all but those that are denied
 * by name; and whatever is no pod may come in.
 */
function expected(
  candidate: Candidate,
  [direction, , wire]: Flow,
  world: World,
  deniesNodes: boolean,
): boolean | undefined {
  const port = wires[wire];
  const { party } = candidate;
  if (party === undefined || port === undefined) return true;
  const isGranted = !isForeign(party, port, both[direction], world);
  if (party.kind === 'pod') return isGranted;
  if (direction === 0 || isGranted) return true;
  const named = (...names: string[]) =>
    world.protectedRanges.some(({ name, cidr }) => {
      const block = readBlock(cidr);
      return names.includes(name) && block !== undefined && reaches(block, party.address);
    });
  if (named('serviceCIDRs')) return true;
  return !named('metadata', ...(deniesNodes ? ['nodeCIDRs'] : []));
}

export type Change = (
  border: DataPlaneBorder,
  scene: Omit<Scene, 'border' | 'candidates' | 'subject'>,
) => DataPlaneBorder;
export const asItIs: Change = (border) => border;

interface Tried {
  /** ClusterNetworkPolicies of the border. */
  readonly policies: number;
  readonly flows: number;
  /** The first flow that is not as it must be. */
  readonly fault: string | undefined;
}

/**
 * Asks about every flow of one pod; `change` makes a border with a bug.
 *
 * @param asksBaseline whether what is open beside the baseline alone is asked about, too
 */
export async function tryWorld(
  engine: Engine,
  world: World,
  seed: number,
  change: Change,
  asksBaseline = true,
): Promise<Tried> {
  const random = randomFrom(seed);
  const deniesNodes = seed % 2 === 0;
  const { tenancy: given } = borderOf(world);
  const tenancy = { ...given, settings: { ...given.settings, clusterPolicy: { deniesNodes } } };
  const { tenant, namespace, now } = world;
  const owner = tenancy.tenants.get(tenant);
  const subjects = subjectsOf(world, random);
  const subject = subjects[random.below(subjects.length)];
  const sibling = pod(
    new Map([...ownNamespace(world), ['kubernetes.io/metadata.name', namespace]]),
    new Map(),
    world,
    [],
  );
  if (owner === undefined || subject === undefined || sibling === undefined) throw new Error('nobody is asked about');
  const candidates = [sibling, ...othersOf(world, random), ...reserved];
  const place = { tenancy, tenant, namespace, now };
  const border = change(dataPlaneBorder(owner, tenancy, now), place);
  const policies = border.passes.length + border.denies.length;
  if (change === asItIs) keepsLimits(border);
  const scene = { ...place, candidates, subject, border };
  const [isAllowed, isInBaseline, isStillInBaseline] = await Promise.all([
    allowedIn(engine, scene),
    // To pass is not to allow.
    ...(asksBaseline
      ? [allowedIn(engine, { ...scene, border: undefined, open: false }), allowedIn(engine, { ...scene, open: false })]
      : []),
  ]);
  let flows = 0;
  for (const flow of allFlows(candidates)) {
    if (isStillInBaseline?.(flow) && isInBaseline?.(flow) === false) {
      const who = JSON.stringify(candidates[flow[1]]?.asked);
      return {
        policies,
        flows,
        fault: `${both[flow[0]]} ${who} is opened beside the baseline: ${JSON.stringify(world)}`,
      };
    }
    const candidate = candidates[flow[1]];
    // Nothing is said of the other identities of Cilium for egress: CIDRs do not match them.
    if (candidate === undefined || (candidate.party === undefined && flow[0] === 1)) continue;
    flows++;
    const wanted = expected(candidate, flow, world, deniesNodes);
    if (isAllowed(flow) === wanted) continue;
    const { protocol, port } = wires[flow[2]] ?? {};
    const what = `${both[flow[0]]} ${JSON.stringify(candidate.asked)} on ${port}/${protocol}`;
    return {
      policies,
      flows,
      fault: `${what} ${wanted ? 'is closed' : 'is open'} (seed ${seed}): ${JSON.stringify(world)}`,
    };
  }
  return { policies, flows, fault: undefined };
}

/** The limits of the schema, which Cilium's reader does not hold. */
function keepsLimits({ passes, denies }: DataPlaneBorder): void {
  for (const { metadata, spec } of [...passes, ...denies]) {
    for (const rules of [spec.ingress, spec.egress]) {
      if (rules === undefined) continue;
      const peers = rules.flatMap((rule) => [rule.from, rule.to].filter((list) => list !== undefined));
      const lists = [rules, ...peers, ...rules.flatMap(({ protocols }) => (protocols ? [protocols] : []))];
      const networks = peers.flat().flatMap((peer) => ('networks' in peer ? [peer.networks] : []));
      if ([...lists, ...networks].some(({ length }) => length === 0 || length > 25))
        throw new Error(`${metadata.name} is beyond the limits`);
    }
  }
}

export const worlds = (count: number, seed: number) => fc.sample(someWorld, { numRuns: count, seed });

/**
 * Batch after batch of worlds, until `seen` says that it is enough. The policies of a tally are those of the borders. Of each eighth world
 * what is open beside the baseline alone is asked about.
 */
export async function runBorderBatches(
  engine: Engine,
  seed: number,
  from: number,
  seen: (batch: number, tally: Tally, counterexample: Counterexample | undefined) => boolean | Promise<boolean>,
): Promise<void> {
  const tried = async (batch: number) => {
    const ofBatch = randomFrom(seed + batch).below(2 ** 31);
    const all = worlds(policiesInBatch, ofBatch);
    return Promise.all(all.map((world, at) => tryWorld(engine, world, ofBatch + at, asItIs, at % 8 === 0)));
  };
  let next = tried(from);
  for (let batch = from; ; batch++) {
    const outcomes = await next;
    const tally = emptyTally();
    for (const { policies, flows } of outcomes) {
      tally.policies += policies;
      tally.admitted += policies;
      tally.flows += flows;
    }
    const text = outcomes.find(({ fault }) => fault !== undefined)?.fault;
    const counterexample =
      text === undefined ? undefined : ({ kind: 'soundness', batch, text, yaml: '' } satisfies Counterexample);
    if (await seen(batch, tally, counterexample)) return;
    next = tried(batch + 1);
  }
}
