/**
 * Observed flows against a set of policies: what was allowed and would be dropped, and which rules no flow has used. Memory follows what
 * differs in the flows, up to a bound, not their number.
 */
import { formatPath } from '../kubernetes/field-path.ts';
import { formatPort } from '../kubernetes/port-range.ts';
import type { InForceRule } from '../reach/in-force.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Flow, FlowEnd } from './flow.ts';
import { createFinder, type FoundParty } from './flow-parties.ts';
import { createParties, type Party, type PodClass } from './parties.ts';
import { hasPort, intersectionOf, portNumber, rangesOf, resolved, setOf } from './port-set.ts';
import { readingsOf } from './readings.ts';
import { covers, type ReportScope } from './report-scope.ts';
import { refText, type Snapshot, type SnapshotPolicy } from './snapshot.ts';
import { createUnread, type UnreadPart } from './unread.ts';
import { createWorld, type Step, type World } from './world.ts';

export interface ReplayedFlow {
  readonly from: string;
  readonly to: string;
  /** `5432/TCP` */
  readonly port: string;
  readonly flows: number;
  /** `egress: NetworkPolicy acme-web/deny isolates it` */
  readonly because: string;
}

export interface UnusedRule {
  readonly policy: string;
  readonly path: string;
  readonly direction: 'ingress' | 'egress';
  /** Of the rule, those that no flow used. `every port` where the whole rule is unused. */
  readonly ports: readonly string[];
  readonly isWhole: boolean;
}

export interface Replayed {
  readonly flows: number;
  /** Those that were allowed and would be dropped, most flows first. */
  readonly dropped: readonly ReplayedFlow[];
  /** Those that were dropped and would be allowed. */
  readonly opened: readonly ReplayedFlow[];
  readonly unused: readonly UnusedRule[];
  /** Flows with an end that nothing in the snapshot is. */
  readonly unknown: { readonly flows: number; readonly ends: readonly string[] };
  /** Flows that would be in `dropped` or `opened`, beyond those that are listed. */
  readonly beyond: number;
  /** Of policies about ends of the flows, what is not understood: that may allow or drop more. */
  readonly unread: readonly UnreadPart[];
}

/** So many different lines are kept; the flows of others are counted. */
const mostKept = 10_000;
const mostUnknown = 50;
/** Answers that are kept. */
const mostKnown = 20_000;

interface Answer {
  readonly isAllowed: boolean;
  readonly because: string;
  readonly steps: readonly Step[];
}

/** Of a policy by its rules, as policies that are written alike share them. */
type Used = Map<SnapshotPolicy, Map<InForceRule, Set<number>>>;

export interface Replay {
  add(flow: Flow): void;
  result(): Replayed;
}

/** @param scope of what is reported: flows with an end there, and rules of policies there */
export function createReplay(snapshot: Snapshot, tenancy: Tenancy, scope?: ReportScope): Replay {
  const parties = createParties(snapshot.namespaces, snapshot.workloads, tenancy);
  const readings = readingsOf(tenancy.settings.plugin, snapshot.policies);
  const worlds = readings.map((reading) => createWorld(snapshot, parties, tenancy.settings, reading));
  const unreadAbout = createUnread(snapshot, parties, tenancy.settings, readings);
  const unread = new Map<string, UnreadPart>();
  const find = createFinder(parties);
  const known = new Map<string, Answer>();
  const used: Used = new Map();
  const kept = { dropped: new Map<string, Kept>(), opened: new Map<string, Kept>() };
  const unknown = new Set<string>();
  const counts = { flows: 0, unknown: 0, beyond: 0 };

  const isReported = (party: Party): boolean => scope === undefined || (party.kind === 'pod' && covers(scope, party));
  /** @param found undefined where nothing in the snapshot is the end: what the flow says of it counts */
  const isOfReport = ({ namespace, labels }: FlowEnd, found: FoundParty | undefined): boolean =>
    found === undefined
      ? scope === undefined || scope.has(namespace, Object.fromEntries(labels))
      : isReported(found.party);
  const answerOf = (from: FoundParty, to: FoundParty, number: number): Answer => {
    const key = `${keyOf(from)} ${keyOf(to)} ${number}`;
    let answer = known.get(key);
    if (answer === undefined) {
      answer = ask(worlds, from.party, to.party, number);
      for (const one of unreadAbout({ from: [from.party], to: [to.party] }))
        unread.set(`${one.policy} ${one.field}`, one);
      if (known.size >= mostKnown) known.clear();
      known.set(key, answer);
    }
    return answer;
  };

  return {
    add({ from, to, protocol, port, wasAllowed }) {
      counts.flows++;
      const ends = [find(from), find(to)] as const;
      const [source, target] = ends;
      if (source === undefined || target === undefined) {
        if (!(isOfReport(from, source) || isOfReport(to, target))) return;
        counts.unknown++;
        for (const [at, end] of [from, to].entries())
          if (ends[at] === undefined && unknown.size < mostUnknown) unknown.add(describe(end));
        return;
      }
      const number = portNumber(protocol, port);
      const { isAllowed, because, steps } = answerOf(source, target, number);
      if (wasAllowed)
        for (const { policy, rule } of steps) {
          const own = used.get(policy) ?? new Map<InForceRule, Set<number>>();
          used.set(policy, own);
          const ports = own.get(rule) ?? new Set();
          own.set(rule, ports);
          ports.add(number);
        }
      if (isAllowed === wasAllowed || !(isReported(source.party) || isReported(target.party))) return;
      const lines = wasAllowed ? kept.dropped : kept.opened;
      const key = `${source.text} ${target.text} ${number}`;
      const line = lines.get(key);
      if (line !== undefined) line.flows++;
      else if (lines.size >= mostKept) counts.beyond++;
      else {
        const text = formatPort({ protocol, first: port, last: port });
        lines.set(key, { from: source.text, to: target.text, port: text, flows: 1, because });
      }
    },
    result: () => ({
      flows: counts.flows,
      dropped: inOrder(kept.dropped),
      opened: inOrder(kept.opened),
      unused: snapshot.policies
        .filter(({ ref }) => scope === undefined || scope.hasObject(refText(ref)))
        .flatMap((policy) => unusedOf(policy, used.get(policy) ?? new Map())),
      unknown: { flows: counts.unknown, ends: [...unknown].sort() },
      beyond: counts.beyond,
      unread: [...unread.values()],
    }),
  };
}

type Kept = { -readonly [Field in keyof ReplayedFlow]: ReplayedFlow[Field] };

function inOrder(lines: ReadonlyMap<string, Kept>): readonly ReplayedFlow[] {
  return [...lines.values()].sort(
    (one, other) => other.flows - one.flows || (`${one.from} ${one.to}` < `${other.from} ${other.to}` ? -1 : 1),
  );
}

function keyOf({ party, text }: FoundParty): string {
  return party.kind === 'pod' ? `${party.index}` : text;
}

function describe({ namespace, name, workloads: [first], address }: FlowEnd): string {
  return namespace === '' ? address || name || '(nothing)' : `${namespace}/${first ?? (name || '(no name)')}`;
}

/** Where engines differ, it is allowed only if each allows it. */
function ask(worlds: readonly World[], from: Party, to: Party, number: number): Answer {
  const steps = new Set<Step>();
  let because = '';
  for (const world of worlds) {
    const sides = [
      ...(from.kind === 'pod' ? [side(world, from, 'egress', to, number, steps)] : []),
      ...(to.kind === 'pod' ? [side(world, to, 'ingress', from, number, steps)] : []),
    ];
    because ||= sides.find((one) => one !== '') ?? '';
  }
  return { isAllowed: because === '', because, steps: [...steps] };
}

/** @returns why it is dropped; empty where it is not */
function side(
  world: World,
  pods: PodClass,
  direction: 'ingress' | 'egress',
  peer: Party,
  number: number,
  steps: Set<Step>,
): string {
  let because = '';
  world.allowed(pods, direction, peer, ({ stage, step, action, ports }) => {
    if (action === 'pass' || !hasPort(ports, number)) return;
    if (action === 'allow') {
      if (step !== undefined) steps.add(step);
    } else if (step !== undefined)
      because ||= `${direction}: ${refText(step.policy.ref)} denies it in ${formatPath(step.rule.path)}`;
    else {
      const [first] = stage?.closedBy ?? [];
      because ||= `${direction}: ${first === undefined ? 'a policy' : refText(first.ref)} isolates the pods, and no rule allows it`;
    }
  });
  return because;
}

/** Those that Bulkhead makes are not for people to close. */
function unusedOf(
  { ref, inForce }: SnapshotPolicy,
  used: ReadonlyMap<InForceRule, ReadonlySet<number>>,
): readonly UnusedRule[] {
  if (ref.name.startsWith('bulkhead-')) return [];
  return inForce.parts.flatMap(({ rules }) =>
    rules.flatMap((rule): readonly UnusedRule[] => {
      if (rule.action !== 'allow') return [];
      const { direction, ports } = rule;
      const numbers = used.get(rule);
      const place = { policy: refText(ref), path: formatPath(rule.path), direction };
      if (numbers === undefined) return [{ ...place, ports: ports.map(formatPort), isWhole: true }];
      const set = setOf([...numbers].map(rangeOf));
      // A port with a name is another number in each pod.
      const left = ports.filter((port) => !('name' in port) && intersectionOf(resolved([port], []), set).length === 0);
      return left.length === 0 ? [] : [{ ...place, ports: left.map(formatPort), isWhole: false }];
    }),
  );
}

function rangeOf(number: number) {
  const [range] = rangesOf([number, number]);
  if (range === undefined) throw new Error(`${number} is no port`);
  return range;
}
