/** NetworkPolicy of networking.k8s.io/v1. */
import fc from 'fast-check';
import type { PeerVerdict } from '../../../src/reach/border.ts';
import type {
  Direction,
  WirePort,
  World,
  WrittenPeer,
  WrittenPort,
  WrittenRule,
  WrittenSpec,
} from '../../reach/evaluator.ts';
import { letsPort, nameLabel } from '../../reach/evaluator.ts';
import { readBlock } from '../../reach/evaluator-addresses.ts';
import { readWitness } from '../../reach/read-witness.ts';
import { policy } from '../../reach/search-policies.ts';
import { judge } from '../../reach/world.ts';
import { ruleAt } from '../../reach/wrong-places.ts';
import type { PolicyKind, ReadWitness } from '../kind.ts';
import {
  addressParty,
  type Candidate,
  edgesOf,
  isForeignOn,
  isLabelValue,
  namedPorts,
  ownNamespace,
  pod,
  podsAround,
  satisfy,
  wires,
} from '../parties.ts';
import type { NamedPort } from '../protocol.ts';
import type { Random } from '../random.ts';

const directions = ['ingress', 'egress'] as const;

// Generation: the policies of the search against the evaluator, with what only an engine can tell about.

/** policyTypes in every spelling; the API server takes two of the same. */
const everyPolicyTypes = [
  ...[undefined, null, []],
  ...[
    ['Ingress'],
    ['Egress'],
    ['Ingress', 'Egress'],
    ['Egress', 'Ingress'],
    ['Ingress', 'Ingress'],
    ['Egress', 'Egress'],
  ],
];

/** Keys that mean something else to Cilium than to the API, or that no label can have. */
const oddKeys = [
  ...['io.cilium.k8s.policy.cluster', 'io.kubernetes.pod.namespace', 'io.cilium.k8s.policy.serviceaccount'],
  ...['io.cilium.k8s.namespace.labels.env', 'io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name'],
  ...['io.cilium.k8s.policy.uid', 'io.kubernetes.pod.name', 'reserved:host', 'reserved.host', 'k8s:app', 'any.app'],
  ...['k8s.io.kubernetes.pod.namespace', 'cidr:0.0.0.0/0', 'constructor'],
];
const oddValues = [
  ...['kube-system', 'beta-db', 'acme-web', 'elsewhere', 'here', 'default', 'beta', ''],
  ...["x' } || all() || a in { '", '-x', 'x_', 'ä', 'x'.repeat(64), ' '],
];

/** A change of what is written: a number chooses the place. */
type Twist = (spec: Draft, at: number) => void;

/** What is being written; the same fields as WrittenSpec. */
interface Draft {
  podSelector?: DraftSelector | null;
  policyTypes?: string[] | null;
  ingress?: (DraftRule | null)[] | null;
  egress?: (DraftRule | null)[] | null;
}
interface DraftSelector {
  matchLabels?: Record<string, string> | null;
  matchExpressions?: { key: string; operator: string; values?: string[] | null }[] | null;
}
interface DraftPeer {
  podSelector?: DraftSelector | null;
  namespaceSelector?: DraftSelector | null;
}
interface DraftRule {
  from?: (DraftPeer | null)[] | null;
  to?: (DraftPeer | null)[] | null;
}

function selectorsIn(spec: Draft): DraftSelector[] {
  const peers = [...(spec.ingress ?? []), ...(spec.egress ?? [])].flatMap((rule) => [
    ...(rule?.from ?? []),
    ...(rule?.to ?? []),
  ]);
  return [spec.podSelector, ...peers.flatMap((peer) => [peer?.podSelector, peer?.namespaceSelector])].flatMap(
    (selector) => selector ?? [],
  );
}

function chosen<Item>(items: readonly Item[], at: number): Item | undefined {
  return items[at % Math.max(1, items.length)];
}

const otherTypes: Twist = (spec, at) => {
  const types = chosen(everyPolicyTypes, at);
  if (types === undefined) delete spec.policyTypes;
  else spec.policyTypes = types && [...types];
};
const oddRule: Twist = (spec, at) => {
  const direction = chosen(directions, at) ?? 'ingress';
  const rule: DraftRule | null =
    at % 3 === 0 ? null : at % 3 === 1 ? {} : { [direction === 'ingress' ? 'from' : 'to']: [] };
  spec[direction] = [...(spec[direction] ?? []), rule];
};
const oddPeer: Twist = (spec, at) => {
  const rules = [...(spec.ingress ?? []).map((rule) => rule?.from), ...(spec.egress ?? []).map((rule) => rule?.to)];
  chosen(rules, at)?.push(at % 3 === 0 ? null : at % 3 === 1 ? {} : { podSelector: {} });
};
const oddKey: Twist = (spec, at) => {
  const selector = chosen(selectorsIn(spec), at);
  const key = chosen(oddKeys, at >> 4);
  if (selector === undefined || key === undefined) return;
  const value = chosen(oddValues, at >> 8) ?? '';
  const operator = chosen(['In', 'NotIn', 'Exists', 'DoesNotExist', '='], at >> 12) ?? '=';
  if (operator === '=') selector.matchLabels = { ...selector.matchLabels, [key]: value };
  else {
    const requirement = { key, operator, ...(operator.endsWith('In') && { values: [value] }) };
    selector.matchExpressions = [...(selector.matchExpressions ?? []), requirement];
  }
};
const oddValue: Twist = (spec, at) => {
  const requirements = selectorsIn(spec).flatMap(({ matchExpressions }) =>
    (matchExpressions ?? []).filter(({ values }) => (values ?? []).length > 0),
  );
  chosen(requirements, at)?.values?.push(chosen(oddValues, at >> 6) ?? '');
};
/** Rules that let in or out everyone, in a direction that policyTypes may leave out. */
const openRule: Twist = (spec, at) => {
  const direction = chosen(directions, at) ?? 'ingress';
  spec[direction] = [at % 4 < 2 ? {} : { [direction === 'ingress' ? 'from' : 'to']: [{ namespaceSelector: {} }] }];
};

const twist: fc.Arbitrary<Twist> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(otherTypes) },
  { weight: 1, arbitrary: fc.constant(oddRule) },
  { weight: 1, arbitrary: fc.constant(oddPeer) },
  { weight: 3, arbitrary: fc.constant(oddKey) },
  { weight: 1, arbitrary: fc.constant(oddValue) },
  { weight: 1, arbitrary: fc.constant(openRule) },
);

const specs: fc.Arbitrary<(world: World) => WrittenSpec> = fc
  .tuple(policy, fc.array(fc.tuple(twist, fc.nat(0xffffff)), { maxLength: 2 }))
  .map(([write, twists]) => (world) => {
    const draft: Draft = JSON.parse(JSON.stringify(write(world)));
    for (const [change, at] of twists) change(draft, at);
    // A null rule or peer, which the API reads as an empty one, is not in these types.
    const spec: WrittenSpec = JSON.parse(JSON.stringify(draft));
    return spec;
  });

// Reading.

function rulesIn(spec: WrittenSpec): readonly { readonly rule: WrittenRule; readonly peers: readonly WrittenPeer[] }[] {
  return directions.flatMap((direction) =>
    (spec[direction] ?? []).flatMap((rule: WrittenRule | null) => {
      if (rule === null) return [];
      const peers: readonly (WrittenPeer | null)[] = (direction === 'ingress' ? rule.from : rule.to) ?? [];
      return [{ rule, peers: peers.flatMap((peer) => peer ?? []) }];
    }),
  );
}

/** "If no policyTypes are specified on a NetworkPolicy then by default Ingress will always be set", and Egress with egress rules. */
function objectOf(spec: WrittenSpec, { namespace }: World): unknown {
  const written = spec.policyTypes ?? [];
  const types = ['Ingress', ...((spec.egress ?? []).length > 0 ? ['Egress'] : [])];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'asked', namespace },
    spec: { ...spec, policyTypes: written.length > 0 ? written : types },
  };
}

/** A port by its name is whatever the pod makes of it: so each number, in each protocol. */
const everyNaming: readonly (readonly NamedPort[])[] = [1, 2, 3, 4, 5, 65535].flatMap((port) =>
  ['TCP', 'UDP', 'SCTP'].map((protocol) => ['http', 'dns'].map((name) => ({ name, protocol, port }))),
);
const isNamed = ({ port }: WrittenPort) => typeof port === 'string';
const hasNames = (rules: readonly WrittenRule[] | null | undefined) =>
  (rules ?? []).some((rule: WrittenRule | null) => rule?.ports?.some(isNamed));

function subjects(spec: WrittenSpec, world: World): readonly (readonly Candidate[])[] {
  const named = hasNames(spec.ingress);
  const labels = satisfy(spec.podSelector ?? {});
  // The pods that every policy is tried on have no labels beside these.
  const plain =
    labels !== undefined && [...labels].every(([key, value]) => /^(app|role)$/.test(key) && /^[xy]$/.test(value));
  if (plain && !named) return [[]];
  const all = named ? everyNaming : everyNaming.slice(0, 1);
  // By the book no pod meets the selector; an engine may still apply the policy to the others.
  if (labels === undefined) return [[]];
  return all.map((ports) => [pod(ownNamespace(world), labels, world, ports) ?? []].flat());
}

function around(spec: WrittenSpec, world: World, random: Random): readonly Candidate[] {
  const candidates: Candidate[] = [];
  for (const { peers } of rulesIn(spec)) {
    for (const { podSelector, namespaceSelector, ipBlock } of peers) {
      if (ipBlock) {
        const blocks = [ipBlock.cidr, ...(ipBlock.except ?? [])].flatMap((text) => readBlock(text) ?? []);
        candidates.push(...random.some(edgesOf(blocks), 8).map(addressParty));
      } else {
        candidates.push(...random.some(podsAround(namespaceSelector, podSelector, world, namedPorts(random)), 6));
      }
    }
  }
  return random.some(candidates, 20);
}

function witness({ direction, path, witness: sentence }: PeerVerdict, spec: WrittenSpec, world: World): ReadWitness {
  const labels = satisfy(spec.podSelector ?? {});
  if (labels === undefined) return { unasked: 'no pod can have what podSelector asks for' };
  if (JSON.stringify(spec.podSelector ?? {}).match(/"io\.(cilium|kubernetes\.pod)\./))
    return { unasked: 'podSelector selects other pods for each engine' };
  const read = readWitness(sentence ?? '');
  if (read === undefined) return { unread: sentence ?? 'no witness' };
  const { party, spelling } = read;
  const at = ruleAt(path);
  const rule = at && spec[at.direction]?.[at.rule];
  if (at === undefined || rule === undefined) return { unread: `${path} is no place in the policy` };
  if (party.kind === 'address') {
    const candidate = addressParty(spelling ?? party.address);
    if (direction === 'egress' && !isForeignByNumber(candidate, rule, world))
      return { unasked: 'an address has no port by a name, but for a pod behind it' };
    if (!isForeignInProtocol(candidate, rule, direction, world)) return { unasked: byNameOfAnotherProtocol };
    return { direction, candidates: [candidate] };
  }
  const namings = rule.ports?.some(isNamed) && direction === 'egress' ? everyNaming : everyNaming.slice(0, 1);
  const peer = at.peer === undefined ? undefined : (direction === 'ingress' ? rule.from : rule.to)?.[at.peer];
  const places = party.cluster === undefined ? [party] : inMesh(peer, world);
  const candidates = places.flatMap((place) =>
    namings.flatMap((ports) => pod(place.namespace, place.pod, world, ports, party.cluster) ?? []),
  );
  if (candidates.length === 0) return { unread: `no pod can be ${sentence}` };
  if (!candidates.some((candidate) => isForeignInProtocol(candidate, rule, direction, world)))
    return { unasked: byNameOfAnotherProtocol };
  return { direction, candidates };
}

const byNameOfAnotherProtocol = 'by the name of a port, kube-router alone opens the other protocols';

/** Whether it gets through on some port of the protocols that the rule names, where it is foreign. */
function isForeignInProtocol(
  candidate: Candidate,
  { ports }: WrittenRule,
  direction: Direction,
  world: World,
): boolean {
  const named = new Set((ports ?? []).filter(isNamed).map(({ protocol }) => protocol ?? 'TCP'));
  const others = (ports ?? []).filter((port) => !isNamed(port));
  const isOpen = (wire: WirePort) =>
    (ports ?? []).length === 0 || named.has(wire.protocol) || (others.length > 0 && letsPort(others, wire));
  return wires.some((wire) => isOpen(wire) && isForeignOn(candidate, wire, direction, world));
}

/** Whether it gets out to them on some port that is a number where they are foreign. */
function isForeignByNumber(candidate: Candidate, { ports }: WrittenRule, world: World): boolean {
  const numbers = (ports ?? []).filter((port) => !isNamed(port));
  if (numbers.length === 0 && (ports ?? []).length > 0) return false;
  return wires.some((wire) => letsPort(numbers, wire) && isForeignOn(candidate, wire, 'egress', world));
}

/** "a pod of the cluster X" says nothing of its labels and its namespace: some pod that the peer selects in any namespace it may mean. */
function inMesh(peer: WrittenPeer | undefined, world: World) {
  const pods = peer?.podSelector ?? {};
  const labels = new Map(satisfy(pods) ?? []);
  for (const key of labels.keys()) if (/^io\.(cilium|kubernetes\.pod)\./.test(key)) labels.delete(key);
  const selected = peer?.namespaceSelector ? (satisfy(peer.namespaceSelector) ?? new Map()) : ownNamespace(world);
  const named = selected.get(nameLabel);
  const names = named
    ? [named]
    : [world.namespace, ...oddValues.filter((value) => value !== '' && isLabelValue(value))];
  return names.map((name) => ({ namespace: new Map([...selected, [nameLabel, name]]), pod: labels }));
}

export const networkPolicy: PolicyKind<WrittenSpec> = {
  kind: 'NetworkPolicy',
  specs,
  objectOf,
  judge: (spec, border) => judge(spec, border),
  subjects,
  around,
  witness,
};
