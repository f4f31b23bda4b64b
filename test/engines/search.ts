/**
 * Differential search: random policies in random worlds, judged by Bulkhead and answered by the engines, with the baseline in place.
 *
 * - Soundness: of a policy that Bulkhead admits, no engine lets a foreign flow through.
 *   An exempted policy opens only the directions of what is exempted. Exemptions hold exactly as exemptions.ts says, and no pod is
 *   admitted with a key of identity.
 * - Usefulness: of a policy that it refuses, the witness that it names gets through in at least one engine, on a port where it is foreign.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { baselineOf } from '../../src/baseline/baseline.ts';
import type { PeerVerdict } from '../../src/reach/border.ts';
import type { Border } from '../../src/reach/violation.ts';
import type { Direction, World } from '../reach/evaluator.ts';
import { borderOf, documentsOf, world as someWorld } from '../reach/search-worlds.ts';
import {
  type Admit,
  flawOfPod,
  isAdmitted,
  isExempting,
  tell as tellSent,
  withExemptionsOf,
  wronglyExempted,
} from './admit.ts';
import type { Engine } from './engine.ts';
import {
  exemptionDocuments,
  names,
  type RolledWorld,
  rollout,
  type Sent,
  type SentPod,
  sentPod,
  users,
} from './exemptions.ts';
import { isReadByCilium } from './keys.ts';
import type { PolicyKind } from './kind.ts';
import { type Candidate, isForeignOn, othersOf, subjectsOf, wires } from './parties.ts';
import type { Answer, AskedPolicy, Flow, Question } from './protocol.ts';
import { type Random, randomFrom } from './random.ts';
import { smaller } from './shrink.ts';

/** Policies that share a world, and with it one question to each engine. */
export const policiesInBatch = 50;
/** Batches under way at once, so that no engine waits for the next question. */
const batchesUnderWay = 3;
/** Policies that are tried while a counterexample is made smaller. */
const mostTries = 1_000;

/** Counts of a search, which add up over runs. */
export interface Tally {
  policies: number;
  admitted: number;
  /** Flows that engines looked up. */
  flows: number;
  /** Witnesses that got through in some engine. */
  witnesses: number;
  /** Witnesses that no engine can know; see the kind. */
  unasked: number;
  /** Refused policies with a part that is invalid, which no API server takes. */
  invalid: number;
  /** Admitted policies that an engine does not take. */
  untaken: number;
  /** Policies that only an exemption admits. */
  exempted: number;
  pods: number;
  podsAdmitted: number;
  /** Of them: those that only an exemption admits. */
  podsExempted: number;
  /** Those whose identity Cilium was asked about. */
  podsAsked: number;
}

export function emptyTally(): Tally {
  const policies = {
    policies: 0,
    admitted: 0,
    exempted: 0,
    flows: 0,
    witnesses: 0,
    unasked: 0,
    invalid: 0,
    untaken: 0,
  };
  return { ...policies, pods: 0, podsAdmitted: 0, podsExempted: 0, podsAsked: 0 };
}

export function addTo(sum: Tally, more: Tally): void {
  for (const key of ['policies', 'admitted', 'flows', 'witnesses', 'unasked', 'invalid', 'untaken'] as const) {
    sum[key] += more[key];
  }
  for (const key of ['exempted', 'pods', 'podsAdmitted', 'podsExempted', 'podsAsked'] as const) sum[key] += more[key];
}

/** A counterexample. */
interface Fault {
  readonly kind: 'soundness' | 'usefulness';
  readonly text: string;
  /** Who shows it, for those who try again. */
  readonly shownBy: readonly Candidate[];
}

export interface Counterexample {
  readonly kind: Fault['kind'];
  readonly batch: number;
  readonly text: string;
  /** The world, and the policy, made as small as it gets. */
  readonly yaml: string;
}

interface Case<Spec> {
  readonly world: RolledWorld;
  readonly specs: readonly Spec[];
  readonly pods: readonly SentPod[];
  /** Of the platform. */
  readonly beside: Question['baseline'];
}

export interface Search<Spec> {
  readonly kind: PolicyKind<Spec>;
  readonly engines: readonly Engine[];
  readonly seed: number;
  /** Left out: Bulkhead admits what the kind's judge has nothing against, no exemption counts, and no pod is tried. */
  readonly admit?: Admit;
  /** Where engines are left out, a witness may get through in one of those. */
  readonly soundnessAlone?: boolean;
  /** Of the kind without its bug: policies of which both judges say the same show no bug, and are not tried. */
  readonly sound?: PolicyKind<Spec>['judge'];
  /** Counterexamples are given as they are found. */
  readonly asFound?: boolean;
  /** What is reserved is not compared with the documents: only Cilium says whether a pod is what it seems. */
  readonly podsByCiliumAlone?: boolean;
}

/** The same batch of the same seed is always the same. */
function caseOf<Spec>({ kind, seed, sound }: Search<Spec>, batch: number): Case<Spec> {
  const own = batchSeed(seed, batch);
  const [plain] = fc.sample(someWorld, { seed: own, numRuns: 1 });
  // Drawn apart, and late ones too: of the first draws of a list most are short.
  const roll = fc.sample(rollout, { seed: own, numRuns: 20 }).at(-1);
  if (plain === undefined || roll === undefined) throw new Error('no world');
  const world = roll(plain);
  const drawn = fc.sample(kind.specs, { seed: own, numRuns: policiesInBatch }).map((write) => write(world));
  const specs = sound === undefined ? drawn : drawn.filter(differsFrom(sound, kind.judge, world));
  const [write] = kind.beside === undefined ? [] : fc.sample(kind.beside, { seed: own, numRuns: 1 });
  const beside = write?.(world) ?? [];
  return { world, specs, pods: fc.sample(sentPod, { seed: own, numRuns: policiesInBatch }), beside };
}

/** Whether two judges say something else of a policy. */
function differsFrom<Spec>(one: PolicyKind<Spec>['judge'], other: typeof one, world: World): (spec: Spec) => boolean {
  const border = borderOf(world);
  return (spec) => !isDeepStrictEqual(one(spec, border), other(spec, border));
}

function batchSeed(seed: number, batch: number): number {
  return (Math.imul(seed, 1_000_003) + batch) | 0;
}

/**
 * Runs batches in order until `until` says that it is enough, and after each gives what was seen to `seen`.
 *
 * @param from the first batch
 */
export async function runBatches<Spec>(
  search: Search<Spec>,
  from: number,
  seen: (batch: number, tally: Tally, counterexample: Counterexample | undefined) => boolean | Promise<boolean>,
): Promise<void> {
  const underWay: Promise<Outcome<Spec>>[] = [];
  let next = from;
  const start = () => underWay.push(tryCase(search, caseOf(search, next), batchSeed(search.seed, next++)));
  // What comes after a fault that is looked for would be asked in vain.
  const ahead = search.asFound ? 0 : batchesUnderWay - 1;
  for (let index = 0; index < ahead; index++) start();
  for (let batch = from; ; batch++) {
    start();
    const outcome = await underWay.shift();
    if (outcome === undefined) return;
    const found = outcome.found === undefined ? undefined : await explain(search, batch, outcome.found);
    if (await seen(batch, outcome.tally, found)) break;
  }
  await Promise.allSettled(underWay);
}

/**
 * Runs batches until a counterexample of this sort is found, or there were so many.
 *
 * @param from the first batch: one in which it is found, so that no time goes by. Another generator finds it elsewhere
 */
export async function firstFault<Spec>(
  search: Search<Spec>,
  kind: Counterexample['kind'],
  mostBatches: number,
  from = 0,
): Promise<{ readonly found: Counterexample | undefined; readonly batches: number }> {
  let found: Counterexample | undefined;
  let batches = 0;
  await runBatches(search, from, (_batch, _tally, counterexample) => {
    if (counterexample?.kind === kind) found = counterexample;
    return found !== undefined || ++batches >= mostBatches;
  });
  return { found, batches };
}

interface Outcome<Spec> {
  readonly tally: Tally;
  readonly found: Found<Spec> | undefined;
}

/** What shows the fault: a policy or a pod. */
interface Found<Spec> extends Case<Spec> {
  readonly fault: Fault;
}

/** What is asked about one policy, and how the answers are to be read. */
interface Plan<Spec> {
  readonly spec: Spec;
  readonly verdicts: readonly PeerVerdict[];
  readonly admitted: boolean;
  /** Only an exemption admits it. */
  readonly exempted: boolean;
  /** Known before any engine is asked. */
  readonly flaw: Pick<Fault, 'kind' | 'text'> | undefined;
  readonly unasked: number;
  readonly asked: readonly AskedPolicy[];
  /** The verdict that each of the own flows is to show, where there are witnesses. Later ones are to be closed. */
  readonly shows: readonly number[];
  readonly witnessed: readonly PeerVerdict[];
}

/** @param more tried on every policy, with those of the world */
async function tryCase<Spec>(
  search: Search<Spec>,
  { world, specs, pods, beside }: Case<Spec>,
  seed: number,
  more: readonly Candidate[] = [],
): Promise<Outcome<Spec>> {
  const { engines, admit } = search;
  if (specs.length === 0 && admit === undefined) return { tally: emptyTally(), found: undefined };
  const soundnessAlone = search.soundnessAlone === true || beside.length > 0;
  const random = randomFrom(seed);
  const border = withExemptionsOf(world, borderOf(world));
  const roster = new Roster();
  const subjects = subjectsOf(world, random).map((one) => roster.place(one));
  const { isPossible } = search.kind;
  const others = [...othersOf(world, random), ...more].filter((one) => isPossible?.(one, world) ?? true);
  const flows = others.flatMap((one) => foreignFlows(one, roster, world, search.kind));
  const plans = specs.map((spec) => planFor(search, spec, { world, border, flows }, roster, random));
  const question: Question = {
    parties: roster.candidates.map(({ asked }) => asked),
    wires,
    subjects,
    baseline: [
      ...baselineOf(world.namespace, border.tenant, border.tenancy.settings)
        .filter((object) => object.kind === 'NetworkPolicy')
        .map((object) => ({ kind: object.kind, object })),
      ...beside,
    ],
    flows,
    policies: plans.flatMap(({ asked }) => asked),
  };
  const answers = await Promise.all(engines.map((engine) => engine.ask(question)));
  const tally = emptyTally();
  let found: Outcome<Spec>['found'];
  const takenFor = admit === undefined ? [] : await askAboutPods(search, pods, world);
  for (const [index, sent] of admit === undefined ? [] : pods.entries()) {
    const judged = admit?.(sent, sent.pod, border) ?? [];
    const taken = takenFor[index];
    tally.pods++;
    if (isAdmitted(judged)) tally.podsAdmitted++;
    if (isAdmitted(judged) && isExempting(judged)) tally.podsExempted++;
    if (taken !== undefined) tally.podsAsked++;
    const wrong = search.podsByCiliumAlone ? undefined : flawOfPod(judged, sent, world);
    const text =
      wrong ?? (taken && isAdmitted(judged) ? `${tellSent(sent)} is admitted, and Cilium takes it for ${taken}` : '');
    if (text !== '')
      found ??= { world, specs: [], pods: [sent], beside, fault: { kind: 'soundness', text, shownBy: [] } };
  }
  let at = 0;
  for (const plan of plans) {
    const of = answers.map((all, index) => ({
      engine: engines[index],
      answers: all.slice(at, at + plan.asked.length),
    }));
    at += plan.asked.length;
    count(tally, plan, of);
    const fault = faultOf(plan, of, roster, world);
    if (fault !== undefined && !(soundnessAlone && fault.kind === 'usefulness'))
      found ??= { world, specs: [plan.spec], pods: [], beside, fault };
  }
  return { tally, found };
}

/** What Cilium takes each pod for beside a pod of its namespace; empty: nothing. Undefined: it was not asked. */
async function askAboutPods<Spec>(
  { engines }: Pick<Search<Spec>, 'engines'>,
  pods: readonly SentPod[],
  world: RolledWorld,
): Promise<readonly (string | undefined)[]> {
  const cilium = engines.find(({ name }) => name === 'cilium');
  const read = pods.filter((sent) => isReadByCilium(sent, world));
  if (cilium === undefined || read.length === 0) return [];
  const policies = read.map(({ pod: { metadata, spec } }) => {
    const labels = { ...metadata.labels, [world.tenantLabel]: world.tenant };
    return {
      ...{ kind: 'Pod', object: { metadata: { ...metadata, labels, namespace: world.namespace }, spec } },
      ...{ subjects: [], common: false, flows: [] },
    };
  });
  const answers = await cilium.ask({ parties: [], wires, subjects: [], baseline: [], flows: [], policies });
  const taken = new Map(read.map((sent, index) => [sent, answers[index]?.takenFor ?? '']));
  return pods.map((sent) => taken.get(sent));
}

type Answered = readonly { readonly engine: Engine | undefined; readonly answers: readonly Answer[] }[];

/** The parties of a question, without duplicates. */
class Roster {
  readonly candidates: Candidate[] = [];

  at(place: number): Candidate {
    const candidate = this.candidates[place];
    if (candidate === undefined) throw new Error(`nobody is at ${place}`);
    return candidate;
  }

  readonly #places = new Map<string, number>();

  place(candidate: Candidate): number {
    const key = JSON.stringify(candidate.asked);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.candidates.push(candidate) - 1;
    this.#places.set(key, place);
    return place;
  }
}

const directions = ['ingress', 'egress'] as const;

function foreignFlows(
  candidate: Candidate,
  roster: Roster,
  world: World,
  { isAbout, knowsEntities }: Pick<PolicyKind<never>, 'isAbout' | 'knowsEntities'>,
  only: readonly Direction[] = directions,
): readonly Flow[] {
  const place = roster.place(candidate);
  const granting = knowsEntities ? world : { ...world, entities: [] };
  return only.flatMap((direction) =>
    wires.flatMap((wire, index): Flow[] =>
      isAbout?.(direction, wire.protocol) !== false && isForeignOn(candidate, wire, direction, granting)
        ? [[direction === 'ingress' ? 0 : 1, place, index]]
        : [],
    ),
  );
}

/** A border in its world, with the flows to and from foreigners that every policy is tried on. */
interface Place {
  readonly world: RolledWorld;
  readonly border: Border;
  readonly flows: readonly Flow[];
}

/** What Bulkhead makes of a policy under each name and of each user. */
function rulingOn<Spec>(
  { kind, admit }: Pick<Search<Spec>, 'kind' | 'admit'>,
  object: unknown,
  verdicts: readonly PeerVerdict[],
  { world, border }: Place,
): {
  readonly admitted: boolean;
  readonly exempted: boolean;
  readonly flaw: string | undefined;
} {
  if (admit === undefined)
    return { admitted: verdicts.every(({ verdict }) => verdict === 'nothing'), exempted: false, flaw: undefined };
  const sent = names.flatMap((name) => users.map((user): Sent => ({ kind: kind.kind, name, user })));
  const rulings = sent.map((one) => ({ one, judged: admit(one, object, border) }));
  const taken = rulings.filter(({ judged }) => isAdmitted(judged));
  const admitted = taken.some(({ judged }) => !isExempting(judged));
  const found = verdicts.filter(({ verdict }) => verdict !== 'nothing').map(({ path }) => path);
  const flaws = [
    ...rulings.flatMap(({ one, judged }) => wronglyExempted(judged, one, world) ?? []),
    ...taken.flatMap(({ judged }) =>
      found
        .filter((path) => !judged.some((one) => one.path === path && one.exemption !== undefined))
        .map((path) => `${path} is admitted, and nothing exempts it`),
    ),
  ];
  return { admitted, exempted: taken.length > 0 && !admitted, flaw: flaws[0] };
}

function planFor<Spec>(
  search: Pick<Search<Spec>, 'kind' | 'admit'>,
  spec: Spec,
  place: Place,
  roster: Roster,
  random: Random,
): Plan<Spec> {
  const { kind } = search;
  const { world, border } = place;
  const verdicts = kind.judge(spec, border);
  const written = kind.objectOf(spec, world);
  const { admitted, exempted, ...ruling } = rulingOn(search, written, verdicts, place);
  const isInvalid = verdicts.some(({ verdict }) => verdict === 'invalid');
  const flows: Flow[] = [];
  const shows: number[] = [];
  const witnessed: PeerVerdict[] = [];
  let unasked = 0;
  let common = admitted;
  const excused = kind.excuses?.(spec, world);
  const isCounted = ([direction, party]: Flow) => excused?.(roster.at(party), directions[direction]) !== true;
  let flaw: Plan<Spec>['flaw'] = ruling.flaw === undefined ? undefined : { kind: 'soundness', text: ruling.flaw };
  const useless = (text: string) => {
    flaw ??= { kind: 'usefulness', text };
  };
  if (admitted) {
    for (const candidate of kind.around(spec, world, random))
      flows.push(...foreignFlows(candidate, roster, world, kind));
    if (excused !== undefined) {
      common = false;
      const asked = [...flows.splice(0), ...place.flows];
      flows.push(...asked.filter(isCounted));
    }
  } else if (!isInvalid) {
    for (const verdict of verdicts) {
      if (verdict.verdict !== 'escapes' && verdict.verdict !== 'conditional') continue;
      const read = kind.witness(verdict, spec, world);
      if ('unasked' in read) {
        unasked++;
        continue;
      }
      if ('unread' in read) {
        useless(`${verdict.path}: the witness cannot be tried: ${read.unread}`);
        continue;
      }
      const own = read.candidates.flatMap((one) => foreignFlows(one, roster, world, kind, [read.direction]));
      if (own.length === 0) useless(`${verdict.path}: the witness "${verdict.witness}" is no foreigner on any port`);
      flows.push(...own);
      for (const _ of own) shows.push(witnessed.length);
      witnessed.push(verdict);
    }
    // An exemption opens what was found, and so no direction in which nothing was found.
    const closed = directions.filter((one) => verdicts.every((of) => of.verdict === 'nothing' || of.direction !== one));
    if (exempted) flows.push(...place.flows.filter((flow) => closed.includes(directions[flow[0]]) && isCounted(flow)));
  }
  const object = { kind: kind.kind, object: written };
  const isAsked = admitted || flows.length > 0;
  const asked = isAsked
    ? kind.subjects(spec, world).map((list): AskedPolicy => {
        return { ...object, subjects: list.map((one) => roster.place(one)), common, flows };
      })
    : [];
  return { spec, verdicts, admitted, exempted, flaw, unasked, asked, shows, witnessed };
}

function count<Spec>(tally: Tally, plan: Plan<Spec>, answered: Answered): void {
  const { admitted, exempted, verdicts, unasked } = plan;
  tally.policies++;
  if (exempted) tally.exempted++;
  if (admitted) tally.admitted++;
  else tally.witnesses += shownBy(plan, answered).size;
  if (verdicts.some(({ verdict }) => verdict === 'invalid')) tally.invalid++;
  tally.unasked += unasked;
  const answers = answered.flatMap((one) => one.answers);
  for (const { looked } of answers) tally.flows += looked;
  if (admitted && answers.some(({ error }) => error !== undefined)) {
    tally.untaken++;
  }
}

/** The witnesses that got through, by their place among those of the plan. */
function shownBy<Spec>({ shows }: Plan<Spec>, answered: Answered): ReadonlySet<number> {
  return new Set(answered.flatMap(({ answers }) => answers.flatMap(({ own }) => own.flatMap((at) => shows[at] ?? []))));
}

function faultOf<Spec>(plan: Plan<Spec>, answered: Answered, roster: Roster, world: World): Fault | undefined {
  if (plan.flaw !== undefined) return { ...plan.flaw, shownBy: [] };
  if (plan.admitted) {
    for (const { engine, answers } of answered) {
      for (const [index, answer] of answers.entries()) {
        const [own] = answer.own;
        const flow = answer.common[0] ?? (own === undefined ? undefined : plan.asked[index]?.flows[own]);
        if (flow !== undefined) {
          const who = roster.candidates[flow[1]];
          const text = `Bulkhead admits it, and ${engine?.name} lets through: ${tell(flow, roster, answer.subject)}`;
          return { kind: 'soundness', text, shownBy: who ? [who] : [] };
        }
        const other = answer.others.find((place) => !isOwnPod(roster.candidates[place], world));
        const party = other === undefined ? undefined : roster.candidates[other];
        if (party !== undefined) {
          const text = `Bulkhead admits it, and ${engine?.name} applies it to ${JSON.stringify(party.asked)}`;
          return { kind: 'soundness', text, shownBy: [party] };
        }
      }
    }
    return undefined;
  }
  for (const { engine, answers } of answered) {
    for (const [index, { own, subject }] of answers.entries()) {
      const flow = plan.asked[index]?.flows[own.find((at) => at >= plan.shows.length) ?? -1];
      if (flow === undefined) continue;
      const text = `nothing is exempted in that direction, and ${engine?.name} lets through: ${tell(flow, roster, subject)}`;
      const who = roster.candidates[flow[1]];
      return { kind: 'soundness', text, shownBy: who ? [who] : [] };
    }
  }
  const shown = shownBy(plan, answered);
  const missed = plan.witnessed.findIndex((_, index) => !shown.has(index));
  const verdict = plan.witnessed[missed];
  if (verdict === undefined) return undefined;
  const errors = answered.flatMap(({ engine, answers }) =>
    answers.flatMap(({ error }) => (error === undefined ? [] : [`${engine?.name} does not take it: ${error}`])),
  );
  const text = [
    `${verdict.path} ${verdict.reason}: the witness "${verdict.witness}" gets through in no engine`,
    ...new Set(errors),
  ].join('; ');
  return { kind: 'usefulness', text, shownBy: [] };
}

function isOwnPod(candidate: Candidate | undefined, { namespace }: World): boolean {
  return candidate !== undefined && 'pod' in candidate.asked && candidate.asked.pod.namespace === namespace;
}

function tell([direction, party, wire]: Flow, { candidates }: Roster, subject: number): string {
  const { protocol = '', port = 0 } = wires[wire] ?? {};
  const [way, other] = [direction === 0 ? 'in from' : 'out to', JSON.stringify(candidates[party]?.asked)];
  const pod = candidates[subject]?.asked;
  const labels = pod !== undefined && 'pod' in pod ? JSON.stringify(pod.pod.labels) : '';
  return `${port}/${protocol} ${way} ${other}, for a pod with the labels ${labels}`;
}

/** Makes it as small as it gets, and writes it down. */
async function explain<Spec>(search: Search<Spec>, batch: number, found: Found<Spec>): Promise<Counterexample> {
  const { fault, pods, beside } = found;
  const seed = batchSeed(search.seed, batch);
  let tries = 0;
  let last = fault;
  const shows = async (world: RolledWorld, specs: readonly Spec[]): Promise<boolean> => {
    if (++tries > mostTries) return false;
    try {
      const again = (await tryCase(search, { world, specs, pods, beside }, seed, fault.shownBy)).found;
      if (again?.fault.kind !== fault.kind) return false;
      last = again.fault;
      return true;
    } catch {
      // A smaller world need not be one.
      return false;
    }
  };
  if (search.asFound) return { kind: fault.kind, batch, text: fault.text, yaml: writeDown(search.kind, found) };
  const specs = await smaller(found.specs, (candidate) => shows(found.world, candidate));
  // Worlds have all of their fields.
  const world = await smaller(
    found.world,
    (candidate) => shows(candidate, specs),
    (key) => typeof key === 'number',
  );
  // What was shown last need not be what is shown by the smallest.
  await shows(world, specs);
  return { kind: fault.kind, batch, text: last.text, yaml: writeDown(search.kind, { world, specs, pods, beside }) };
}

function writeDown<Spec>(kind: PolicyKind<Spec>, { world, specs, pods, beside }: Case<Spec>): string {
  const objects = [...specs.map((spec) => kind.objectOf(spec, world)), ...pods.map(({ pod }) => pod)];
  const ofPlatform = beside.map(({ object }) => object);
  const documents = [...documentsOf(world), ...exemptionDocuments(world), ...ofPlatform, ...objects];
  const texts = documents.map((document) => stringify(document, { aliasDuplicateObjects: false }));
  return `# as of ${new Date(world.now).toISOString()}\n${texts.join('---\n')}`;
}
