/** Holds src/reach against worked cases, and every witness that it names against the naive evaluator. */

import { calicoGroups } from '../../src/kinds/calico-groups.ts';
import { calicoNetworkPolicy } from '../../src/kinds/calico-network-policy/calico-network-policy.ts';
import { ciliumNetworkPolicy } from '../../src/kinds/cilium-network-policy/cilium-network-policy.ts';
import { istioAuthorizationPolicy } from '../../src/kinds/istio-authorization-policy/istio-authorization-policy.ts';
import type { PolicyKind } from '../../src/kinds/kind.ts';
import { networkPolicy } from '../../src/kinds/network-policy/network-policy.ts';
import { parseCidr } from '../../src/kubernetes/ip-range.ts';
import { excerpt, isMap } from '../../src/kubernetes/json.ts';
import { contradiction, type LabelSelectorRequirement } from '../../src/kubernetes/label-selector.ts';
import { parseSelector } from '../../src/kubernetes/parse-selector.ts';
import { adminFlaws } from '../../src/reach/admin-crossing.ts';
import { judgeBorder, type PeerVerdict } from '../../src/reach/border.ts';
import { readAdminPolicy } from '../../src/reach/dialects/admin-policy.ts';
import { isolates } from '../../src/reach/isolation.ts';
import { flawOfWitness } from './border-proof.ts';
import { peersOf, rulesOf, type WrittenSpec } from './evaluator.ts';
import { type Block, isIn, readBlock } from './evaluator-addresses.ts';
import { judgeMeshCase } from './judge-mesh-case.ts';
import { type Assumptions, type WorkedCase, type WorkedCases, worldOf } from './worked-cases.ts';
import { judge } from './world.ts';
import { ruleAt } from './wrong-places.ts';

export interface Judgement {
  readonly held: readonly string[];
  /** One for each case that does not hold: its id, and what is found instead. */
  readonly differences: readonly { readonly id: string; readonly text: string }[];
  /** How many cases there are of each engine that is not built. */
  readonly notBuilt: ReadonlyMap<string, number>;
}

/** What is the matter with a case; undefined when it holds. */
type Judge = (one: WorkedCase, assume: Assumptions) => string | undefined;

/** A policy of which the input is the only part that says anything, in each direction that it can stand in. */
const policies = {
  'k8s.namespaceSelector': (input: unknown) => bothWays({ namespaceSelector: input }),
  'k8s.peer': (input: unknown) =>
    isMap(input) && Object.hasOwn(input, 'ipBlock') ? [inwards([input])] : bothWays(input),
  'k8s.rule': (input: unknown) => [
    isMap(input) && Object.hasOwn(input, 'to') ? { policyTypes: ['Egress'], egress: [input] } : { ingress: [input] },
  ],
  'k8s.spec': (input: unknown) => [input],
  'k8s.ports': (input: unknown) => [{ ingress: [{ from: [{ podSelector: {} }], ...Object(input) }] }],
  'k8s-on-cilium': (input: unknown) => bothWays(input),
};

const calico = calicoNetworkPolicy(calicoGroups[0]);
const calicoPolicies = {
  'calico.entityRule': (entity: unknown) => [
    { ingress: [{ action: 'Allow', source: entity }] },
    { egress: [{ action: 'Allow', destination: entity }] },
  ],
  'calico.rule': (rule: unknown) => [{ ingress: [rule] }, { egress: [rule] }],
  'calico.policy': (spec: unknown) => [spec],
};

/** The same for Cilium: a peer stands under endpoints, a rule in the direction that its fields say. A policy has at least one rule. */
const ciliumPolicies = {
  'cilium.peer': (input: unknown) =>
    (['ingress', 'egress'] as const).map((direction) =>
      ciliumWith({ [direction]: [{ [direction === 'ingress' ? 'fromEndpoints' : 'toEndpoints']: [input] }] }),
    ),
  'cilium.rule': (input: unknown) => [
    ciliumWith({ [Object.keys(Object(input)).some((key) => /^to[A-OQ-Z]/.test(key)) ? 'egress' : 'ingress']: [input] }),
  ],
  'cilium.policy': (input: unknown) =>
    isMap(input) && Object.hasOwn(input, 'specs')
      ? [input]
      : [
          ciliumWith({
            ...(Object.keys(Object(input)).some((key) => /gress/.test(key))
              ? {}
              : { ingress: [{ fromEndpoints: [{}] }] }),
            ...Object(input),
          }),
        ],
};
const ciliumWith = (fields: object) => ({ spec: { endpointSelector: {}, ...fields } });

const istioPolicies = {
  'istio.source': (source: unknown) => ({ rules: [{ from: [{ source }] }] }),
  'istio.rule': (rule: unknown) => ({ rules: [rule] }),
  'istio.policy': (spec: unknown) => spec,
};

const engines: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ...Object.entries(ciliumPolicies).map(([engine, write]): [string, Judge] => [
    engine,
    (one, assume) => firstOf(write(one.input), (object) => judgeObject(ciliumNetworkPolicy, object, one, assume)),
  ]),
  ...Object.entries(policies).map(([engine, write]): [string, Judge] => [
    engine,
    (one, assume) => firstOf(write(one.input), (spec) => judgePolicy(spec, one, assume)),
  ]),
  ...Object.entries(istioPolicies).map(([engine, write]): [string, Judge] => [
    engine,
    (one, assume) => judgeIstio(write(one.input), one, assume),
  ]),
  ['istio.peerAuthentication', judgeMeshCase],
  ['istio.requestAuthentication', judgeMeshCase],
  ['cnp', judgeClusterPolicy],
  ['ipBlock', judgeBlocks],
  ['ipBlock.strict', judgeSpelling],
  ['k8s.overlap', judgeOverlap],
  ['k8s.coverage', judgeCoverage],
  ...Object.entries(calicoPolicies).map(([engine, write]): [string, Judge] => [
    engine,
    (one, assume) => firstOf(write(one.input), (spec) => judgeCalico(spec, one, assume)),
  ]),
]);

export function judgeCases({ assume, cases }: WorkedCases): Judgement {
  const held: string[] = [];
  const differences: { id: string; text: string }[] = [];
  const notBuilt = new Map<string, number>();
  for (const one of cases) {
    // A sentence is about what no policy says by itself, such as its namespace.
    const ofMesh = one.engine.startsWith('istio.') && typeof one.input === 'string' ? judgeMeshCase : undefined;
    const engine = ofMesh ?? engines.get(one.engine);
    if (engine === undefined) {
      notBuilt.set(one.engine, (notBuilt.get(one.engine) ?? 0) + 1);
      continue;
    }
    const text = engine(one, assume);
    if (text === undefined) held.push(one.id);
    else differences.push({ id: one.id, text });
  }
  return { held, differences, notBuilt };
}

function judgePolicy(spec: unknown, { verdict, reserved }: WorkedCase, assume: Assumptions): string | undefined {
  const { border } = worldOf(assume, reserved);
  const verdicts = judge(spec, border);
  const found = overall(networkPolicy, { spec }, verdicts);
  return found === verdict ? flawIn(spec, verdicts, reserved, assume) : unlike(found, verdict, verdicts);
}

/** n/a: nothing in it refuses. */
function judgeIstio(spec: unknown, { verdict, reserved }: WorkedCase, assume: Assumptions): string | undefined {
  const { border } = worldOf(assume, reserved, ['beta']);
  const policy = JSON.parse(JSON.stringify({ spec, metadata: { namespace: border.namespace } }));
  const verdicts = judgeBorder(istioAuthorizationPolicy.read(policy), border);
  const refused = verdicts.some((one) => one.verdict !== 'nothing');
  const found = verdict === 'n/a' && !refused ? 'n/a' : overall(istioAuthorizationPolicy, policy, verdicts);
  if (found !== verdict) return unlike(found, verdict, verdicts);
  const mute = verdicts.find((one) => one.verdict === 'escapes' && one.witness === undefined);
  return mute && `${mute.path} names no witness`;
}

/** CIDR: only its addresses are judged; n/a: the direction without rules is not isolated. */
function judgeCalico(spec: unknown, { verdict, reserved }: WorkedCase, assume: Assumptions): string | undefined {
  const { border } = worldOf(assume, reserved);
  const policy = JSON.parse(JSON.stringify({ spec, metadata: { namespace: border.namespace } }));
  const reach = calico.read(policy);
  const verdicts = judgeBorder(reach, border);
  if (verdict === 'n/a') return isolates(reach, 'ingress') ? 'it isolates ingress' : undefined;
  const byAddress = verdicts.length > 0 && verdicts.every(({ kind }) => kind === 'ipBlock');
  const found = verdict === 'CIDR' && byAddress ? 'CIDR' : overall(calico, policy, verdicts);
  return found === verdict ? undefined : unlike(found, verdict, verdicts);
}

/**
 * ClusterNetworkPolicy, of which the input is the only part that says anything. FAIL-CLOSED: a peer without a known field accepts nobody, and
 * is everybody for other rules. n/a: it lets nobody cross by itself.
 */
function judgeClusterPolicy({ input, verdict, reserved }: WorkedCase, assume: Assumptions): string | undefined {
  const { border } = worldOf(assume, reserved, ['beta']);
  const { now } = border;
  const { settings } = border.tenancy;
  // As the settings name them.
  const protectedRanges = settings.protectedRanges.map((one) =>
    one.name.startsWith('pod') ? { ...one, name: 'pod network' } : one,
  );
  const tenancy = { ...border.tenancy, settings: { ...settings, protectedRanges } };
  const kinds = (spec: object) =>
    adminFlaws(readAdminPolicy('ClusterNetworkPolicy', { spec }), tenancy, undefined, now).map(({ kind }) => kind);
  const rule = (action: string, peer: object) => ({ tier: 'Admin', egress: [{ action, to: [peer] }] });
  if (verdict === 'FAIL-CLOSED') {
    const found = ['Accept', 'Deny', 'Pass'].flatMap((action) => kinds(rule(action, { later: {} })));
    return found.join() === 'dead,unknown,unknown' ? undefined : unlike(found.join(), verdict, []);
  }
  const given = Object(input);
  const spec = Object.hasOwn(given, 'networks')
    ? rule('Accept', given)
    : Object.hasOwn(given, 'action')
      ? { tier: given.tier, ingress: [{ action: given.action, from: [{ namespaces: {} }] }] }
      : given;
  const found = kinds(spec).includes('crossing') ? 'ESCAPES' : 'n/a';
  return found === verdict ? undefined : unlike(found, verdict, []);
}

/** Whether the witnesses get through, Cilium's own code says (test/engines). */
function judgeObject(
  kind: PolicyKind,
  object: unknown,
  { verdict, reserved }: WorkedCase,
  assume: Assumptions,
): string | undefined {
  const { border } = worldOf(assume, reserved, ['beta']);
  const policy = JSON.parse(JSON.stringify({ ...Object(object), metadata: { namespace: border.namespace } }));
  const verdicts = judgeBorder(kind.read(policy), border);
  const found = overall(kind, policy, verdicts);
  if (found !== verdict) return unlike(found, verdict, verdicts);
  const mute = verdicts.find((one) => one.verdict === 'escapes' && one.witness === undefined);
  return mute && `${mute.path} names no witness`;
}

/** The gravest verdict; NOTHING when there is nothing else, CONTAINED when some part got none. */
function overall({ read }: PolicyKind, object: unknown, verdicts: readonly PeerVerdict[]): string {
  for (const grave of ['invalid', 'escapes', 'unproven', 'conditional'] as const) {
    if (verdicts.some(({ verdict }) => verdict === grave)) return grave.toUpperCase();
  }
  const { rules, diagnostics } = read(JSON.parse(JSON.stringify(object)));
  return rules.length + diagnostics.length === verdicts.length ? 'NOTHING' : 'CONTAINED';
}

/** What is wrong with the first witness that is; every escape must have one. */
function flawIn(
  spec: unknown,
  verdicts: readonly PeerVerdict[],
  reserved: boolean,
  assume: Assumptions,
): string | undefined {
  const { world } = worldOf(assume, reserved);
  const written: WrittenSpec = JSON.parse(JSON.stringify(spec));
  return firstOf(verdicts, ({ verdict, path, witness }) => {
    if (verdict !== 'escapes' && verdict !== 'conditional') return undefined;
    const at = ruleAt(path);
    const rule = at && rulesOf(written, at.direction)[at.rule];
    if (at === undefined || rule === undefined) return `${path} is no place in the policy`;
    const peer = at.peer === undefined ? undefined : peersOf(rule, at.direction)?.[at.peer];
    // Ports that are not understood count as every port.
    const misread = verdicts.some((other) => other.path.startsWith(`spec.${at.direction}[${at.rule}].ports`));
    const flaw = flawOfWitness(witness, peer, misread ? { ...rule, ports: null } : rule, at.direction, world);
    return flaw && `${path}: the witness ${excerpt(witness)} ${flaw}`;
  });
}

/**
 * HITS names the protected ranges that are touched, CLEAR says none is. Text that is not canonical is refused, and its
 * correction has to touch the same. What IPv6 embeds of IPv4 may be touched beyond what the case lists.
 */
function judgeBlocks(one: WorkedCase, assume: Assumptions): string | undefined {
  const blocks: readonly unknown[] = Array.isArray(one.input) ? one.input : [one.input];
  const [word = '', list = ''] = one.verdict.split(' ');
  if (word !== 'HITS' && word !== 'CLEAR') {
    return judgePolicy(inwards(blocks.map((ipBlock) => ({ ipBlock }))), one, assume);
  }
  const corrected: readonly unknown[] = JSON.parse(JSON.stringify(blocks), (_, value) => canonical(value));
  const spec = inwards(corrected.map((ipBlock) => ({ ipBlock })));
  const { border } = worldOf(assume, one.reserved);
  const verdicts = judge(spec, border);
  const found = overall(networkPolicy, { spec }, verdicts);
  const wanted = new Set(list === '' ? [] : list.split(','));
  if (found !== (wanted.size > 0 ? 'ESCAPES' : 'CONTAINED') && !(wanted.size === 0 && found === 'NOTHING')) {
    return unlike(found, one.verdict, verdicts);
  }
  const touched = new Set(
    verdicts.flatMap(({ reason }) => /^covers addresses of the (.*)$/.exec(reason)?.[1]?.split(/, | and /) ?? []),
  );
  const missed = [...wanted].filter((name) => !touched.has(name));
  if (missed.length > 0) return `does not touch ${missed.join()}: ${describe(verdicts)}`;
  const plain = assume.protectedRanges.filter(({ cidr }) => corrected.some((block) => coversPlainly(block, cidr)));
  const more = [...touched].filter((name) => !wanted.has(name) && plain.some((range) => range.name === name));
  return more.length > 0
    ? `touches ${more.join()} too: ${describe(verdicts)}`
    : flawIn(spec, verdicts, one.reserved, assume);
}

function canonical(value: unknown): unknown {
  const range = typeof value === 'string' ? parseCidr(value) : undefined;
  return range?.ok === false && range.fix !== undefined ? range.fix : value;
}

/** Whether the block covers an address of the range as it is written, IPv4 as IPv4 and IPv6 as IPv6. */
function coversPlainly(ipBlock: unknown, cidr: string): boolean {
  if (!isMap(ipBlock)) return false;
  const { cidr: whole, except } = ipBlock;
  const [block, range] = [readBlock(whole), readBlock(cidr)];
  if (block === undefined || range === undefined) return false;
  const holes = Array.isArray(except) ? except.flatMap((text): Block | [] => readBlock(text) ?? []) : [];
  const ends = [block.first, range.first, ...holes.map(({ last }) => last + 1n)];
  return ends.some((value) => {
    const address = { family: block.family, value };
    return isIn(address, block) && isIn(address, range) && !holes.some((hole) => isIn(address, hole));
  });
}

function judgeSpelling({ input, verdict }: WorkedCase): string | undefined {
  const range = typeof input === 'string' ? parseCidr(input) : undefined;
  const found = range?.ok ? 'ACCEPT' : range?.fix === undefined ? 'INVALID' : 'REJECT-NONCANONICAL';
  const holds =
    found === verdict || (found === 'ACCEPT' ? /^(?:OK|CANONICAL|VALID)$/.test(verdict) : verdict === 'REJECT');
  return holds ? undefined : unlike(found, verdict, []);
}

/** Two selectors overlap when the requirements of both can be met at once. */
function judgeOverlap({ input, verdict }: WorkedCase): string | undefined {
  const requirements = requirementsOf(input)?.flat();
  const found = requirements === undefined ? 'INVALID' : canBeMet(requirements) ? 'OVERLAP' : 'DISJOINT';
  return found === verdict ? undefined : unlike(found, verdict, []);
}

/** Selectors cover everything when nothing misses one requirement of each. */
function judgeCoverage({ input, verdict }: WorkedCase): string | undefined {
  const selectors = requirementsOf(input);
  let budget = 100_000;
  const isMissed = (missed: readonly LabelSelectorRequirement[], [next, ...others]: typeof selectors & {}): boolean =>
    budget-- > 0 &&
    canBeMet(missed) &&
    (next === undefined || next.some((requirement) => isMissed([...missed, opposite(requirement)], others)));
  const found =
    selectors === undefined ? 'INVALID' : isMissed([], selectors) ? 'NOT-COVERS' : budget > 0 ? 'COVERS' : 'UNPROVEN';
  const holds = found === verdict || (found === 'NOT-COVERS' && /^(?:NOT[ -]COVER.*|GAP|UNCOVERED)$/.test(verdict));
  return holds ? undefined : unlike(found, verdict, []);
}

const opposites: ReadonlyMap<string, string> = new Map([
  ['In', 'NotIn'],
  ['NotIn', 'In'],
  ['Exists', 'DoesNotExist'],
  ['DoesNotExist', 'Exists'],
]);

function opposite(requirement: LabelSelectorRequirement): LabelSelectorRequirement {
  return { ...requirement, operator: opposites.get(requirement.operator) ?? requirement.operator };
}

function canBeMet(matchExpressions: readonly LabelSelectorRequirement[]): boolean {
  const selector = parseSelector({ matchExpressions });
  return selector.ok && contradiction(selector.value) === undefined;
}

/** The requirements of each selector of a list; undefined when one cannot be read. */
function requirementsOf(input: unknown): readonly (readonly LabelSelectorRequirement[])[] | undefined {
  if (!Array.isArray(input) || !input.every((selector) => parseSelector(selector).ok)) return undefined;
  return input.map(({ matchLabels, matchExpressions }) => [
    ...Object.entries<string>(matchLabels ?? {}).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    ...(matchExpressions ?? []),
  ]);
}

function inwards(peers: readonly unknown[]): unknown {
  return { ingress: [{ from: peers }] };
}

function bothWays(peer: unknown): readonly unknown[] {
  return [inwards([peer]), { policyTypes: ['Egress'], egress: [{ to: [peer] }] }];
}

function unlike(found: string, wanted: string, verdicts: readonly PeerVerdict[]): string {
  return [`is ${found} and should be ${wanted}`, describe(verdicts)].filter((part) => part !== '').join(': ');
}

function describe(verdicts: readonly PeerVerdict[]): string {
  return verdicts
    .map(({ path, reason, witness }) => `${path} ${reason}${witness === undefined ? '' : `, for example ${witness}`}`)
    .join('; ');
}

function firstOf<Item>(items: readonly Item[], judge: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const text = judge(item);
    if (text !== undefined) return text;
  }
  return undefined;
}
