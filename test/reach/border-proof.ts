/**
 * The verdicts on one policy against what the naive evaluator finds when it tries everything:
 * - what gets no verdict lets no foreigner through,
 * - whoever is called a witness gets through at that very path, and is a foreigner,
 * - what is called conditional lets a foreigner through, and none once the names it assumes are the tenant's,
 * - what is called nothing matches nobody, what is called invalid is wrong, and nothing else is refused,
 * - of a policy that selects no pod just that is said, and what is wrong in it.
 */
import type { PeerVerdict } from '../../src/reach/border.ts';
import type { Verdict } from '../../src/reach/model.ts';
import {
  canBe,
  type Direction,
  isForeign,
  isRead,
  letsParty,
  letsPort,
  peersOf,
  rulesOf,
  type World,
  type WrittenPeer,
  type WrittenRule,
  type WrittenSpec,
} from './evaluator.ts';
import { destination, isIn, readBlock } from './evaluator-addresses.ts';
import { readWitness } from './read-witness.ts';
import { canSelect, portsAround, type Trial, tryEverything } from './universe.ts';
import { ruleAt, wrongPlaces } from './wrong-places.ts';

/** How often what was seen. */
export interface Tally {
  cases: number;
  admitted: number;
  /** Peers and rules without peers, by verdict; what gets none is contained. */
  readonly verdicts: Record<Verdict | 'contained', number>;
  /** Contained, and pods of others get through by agreement. */
  agreed: number;
  /** Contained addresses. */
  addresses: number;
  /** Called unproven although no foreigner gets through: wrong refusals. */
  unprovenInVain: number;
}

export function emptyTally(): Tally {
  const verdicts = { contained: 0, conditional: 0, escapes: 0, nothing: 0, invalid: 0, unproven: 0 };
  return { cases: 0, admitted: 0, verdicts, agreed: 0, addresses: 0, unprovenInVain: 0 };
}

/** Throws what does not hold: a sentence with the path. */
export function proveBorder(spec: WrittenSpec, world: World, verdicts: readonly PeerVerdict[], tally: Tally): void {
  const wrong = wrongPlaces(spec);
  for (const place of wrong) {
    if (!verdicts.some(({ verdict, path }) => verdict === 'invalid' && isAt(path, place))) {
      throw new Error(`${place} is wrong, and nothing says so`);
    }
  }
  tally.cases++;
  if (verdicts.every(({ verdict }) => verdict === 'nothing')) tally.admitted++;
  for (const verdict of verdicts) {
    tally.verdicts[verdict.verdict]++;
    tellsOfNobody(verdict, spec, world);
    if (verdict.verdict === 'invalid') {
      if (!wrong.some((place) => isAt(verdict.path, place))) throw new Error(`${verdict.path} is called invalid`);
    }
  }
  const selectsNone = verdicts.some(({ verdict, path }) => verdict === 'nothing' && path === 'spec.podSelector');
  if (selectsNone === canSelect(spec.podSelector))
    throw new Error(`spec.podSelector selects ${selectsNone ? 'some' : 'no'} pod`);
  if (selectsNone) {
    const more = verdicts.find(({ verdict, path }) => verdict !== 'invalid' && path !== 'spec.podSelector');
    if (more !== undefined) throw new Error(`${more.path} is called ${more.verdict}, and nobody is concerned`);
    return;
  }
  for (const direction of ['ingress', 'egress'] as const) {
    const rules = rulesOf(spec, direction);
    const dead = verdicts.find(({ path }) => path === `spec.${direction}`);
    if (dead !== undefined && isRead(spec, direction)) throw new Error(`${dead.path} is called ${dead.verdict}`);
    if (dead === undefined && rules.length > 0 && !isRead(spec, direction)) throw new Error(`${direction} is dead`);
    for (const [index, rule] of rules.entries()) {
      // Ports that are not understood count as every port: the rule as it stands says nothing about its peers.
      if (wrong.includes(`spec.${direction}[${index}].ports`)) continue;
      const said = verdicts.filter(({ path }) => {
        const at = ruleAt(path);
        return at?.direction === direction && at.rule === index;
      });
      for (const [at, peer] of (peersOf(rule, direction) ?? [undefined]).entries()) {
        const verdict = said.find(({ path }) => peer === undefined || ruleAt(path)?.peer === at);
        if (verdict?.verdict === 'invalid') continue;
        provePeer(peer, rule, direction, world, verdict, `spec.${direction}[${index}], peer ${at}`, tally);
      }
    }
  }
}

function provePeer(
  peer: WrittenPeer | undefined,
  rule: WrittenRule,
  direction: Direction,
  world: World,
  said: PeerVerdict | undefined,
  place: string,
  tally: Tally,
): void {
  const trial = tryEverything(peer, rule, direction, world);
  switch (said?.verdict) {
    case undefined:
      if (trial.crossing !== undefined)
        throw new Error(`${place} is taken for contained, and ${tell(trial)} gets through`);
      tally.verdicts.contained++;
      if (trial.agreed) tally.agreed++;
      if (peer?.ipBlock) tally.addresses++;
      return;
    case 'nothing':
      if (trial.matched) throw new Error(`${place} is taken for dead text, and somebody matches`);
      return;
    case 'unproven':
      // Of some versions of Cilium alone. In the API it is dead text.
      if (said.reason.startsWith('selects what is in no namespace')) {
        if (trial.matched) throw new Error(`${place} is in no namespace, and somebody matches`);
        return;
      }
      if (trial.crossing === undefined) tally.unprovenInVain++;
      return;
    case 'conditional':
    case 'escapes': {
      const { verdict, assumedOwn = [] } = said;
      const assumed = verdict === 'conditional' && tryEverything(peer, rule, direction, { ...world, assumedOwn });
      if (assumed && assumed.crossing !== undefined) throw new Error(`${place} assumes too little: ${tell(assumed)}`);
      if (trial.crossing === undefined) throw new Error(`${place} is refused, and no foreigner gets through`);
      const flaw = flawOfWitness(said.witness, peer, rule, direction, world);
      if (flaw !== undefined) throw new Error(`${place}: the witness "${said.witness}" ${flaw}`);
      return;
    }
    default:
      throw new Error(`${place} is called ${said?.verdict}`);
  }
}

/** What is wrong with a witness; undefined when somebody like that gets through the peer, and must not. */
export function flawOfWitness(
  sentence: string | undefined,
  peer: WrittenPeer | undefined,
  rule: WrittenRule,
  direction: Direction,
  world: World,
): string | undefined {
  const witness = readWitness(sentence ?? '');
  if (witness === undefined) return 'cannot be read';
  const { party, spelling } = witness;
  if (party.kind === 'pod' && party.cluster === undefined && !canBe(party.namespace, world)) return 'cannot be';
  if (!letsParty(peer, party, world)) return 'is not matched by the peer';
  if (party.kind === 'address' && spelling !== undefined && peer !== undefined) {
    const arrived = destination(spelling);
    const { cidr, except } = peer.ipBlock ?? {};
    const covers = (text: unknown) => {
      const block = readBlock(text);
      return block !== undefined && isIn(spelling, block);
    };
    if (arrived.family !== party.address.family || arrived.value !== party.address.value)
      return 'stands for another address';
    if (!covers(cidr) || except?.some(covers)) return 'is not spelled as the peer covers it';
  }
  const wires = portsAround(rule, world).filter((wire) => letsPort(rule.ports, wire));
  return wires.some((wire) => isForeign(party, wire, direction, world)) ? undefined : 'is no foreigner on these ports';
}

/** No refusal tells a tenant of another one that neither the policy names nor a gate or a request of its own. */
function tellsOfNobody({ path, reason, witness, fix }: PeerVerdict, spec: WrittenSpec, world: World): void {
  const own = world.tenants.find(({ name }) => name === world.tenant);
  const asked = world.requests?.filter(({ from }) => from === world.tenant);
  const written = JSON.stringify([spec, own?.gates, asked]);
  for (const { name } of world.tenants) {
    if (name === world.tenant || written.includes(name)) continue;
    if (`${reason} ${witness} ${fix}`.includes(name)) throw new Error(`${path} tells of ${name}`);
  }
}

/** Whether a path is the place, or in it. */
function isAt(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`);
}

function tell({ crossing }: Trial): string {
  return JSON.stringify(crossing, (_, value) =>
    value instanceof Map ? Object.fromEntries(value) : typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
}
