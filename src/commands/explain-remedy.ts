/**
 * The change that would open a connection. A policy is proposed only if it helps: `explain` adds it to the snapshot and decides again.
 */
import { stringify } from 'yaml';
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { judgeStoredPolicy } from '../admission/stored-policy.ts';
import type { End } from '../connectivity/endpoints.ts';
import { nameOfParty, type PairAnswer, pathText, type Side } from '../connectivity/explain.ts';
import type { Party, PodClass } from '../connectivity/parties.ts';
import { differenceOf, intersectionOf, type PortSet, rangesOf } from '../connectivity/port-set.ts';
import { portsText } from '../connectivity/port-text.ts';
import { refText, type Snapshot, type SnapshotPolicy } from '../connectivity/snapshot.ts';
import { createWorld, type Decision, type World } from '../connectivity/world.ts';
import { networkPolicy } from '../kinds/network-policy/network-policy.ts';
import type { NetworkPolicy } from '../kubernetes/objects.ts';
import type { Remedy } from '../report/explain-report.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { internetBlocks, isUnlabelled, policyFor } from './explain-proposal.ts';

export interface RemedyContext {
  readonly snapshot: Snapshot;
  /** Of the snapshot, one for each reading. */
  readonly worlds: readonly World[];
  readonly tenancy: Tenancy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** One for each side that blocks something. */
export function remediesFor(answer: PairAnswer, from: End, to: End, context: RemedyContext): readonly Remedy[] {
  if (answer.asked.length === 0) return [];
  return answer.sides
    .flatMap((side) => {
      const missing = differenceOf(answer.asked, side.open);
      if (missing.length === 0) return [];
      const end = side.direction === 'egress' ? to : from;
      const peerName = nameOfParty(side.peer, end);
      const way = `${side.direction === 'egress' ? 'leave' : 'enter'} ${side.pods.namespace.name}`;
      return [
        remedyFor(
          side,
          missing,
          { peerName, way, isInternet: end.isInternet === true, isNode: end.isNode === true },
          context,
        ),
      ];
    })
    .concat(remediesAtLayer7(answer));
}

/** What a policy of a mesh would have to say. */
function remediesAtLayer7({ from, layer7, asked }: PairAnswer): readonly Remedy[] {
  if (layer7 === undefined || differenceOf(asked, layer7.may).length === 0) return [];
  const isByIdentity = from.kind === 'pod';
  const caller = isByIdentity ? `source.namespaces: [${from.namespace.name}]` : 'source.ipBlocks for the address';
  const sure = layer7.steps.filter(({ conditions }) => conditions.length === 0);
  const says = sure.flatMap(({ says, policy, path }) => {
    if (policy === undefined) return [];
    if (says === 'denies') return [`Narrow or remove ${path} of ${refText(policy)}.`];
    return says === 'demands' ? [`Take the caller into the mesh, as ${refText(policy)} demands mutual TLS.`] : [];
  });
  const [left] = layer7.steps.some((one) => one.says === 'allows')
    ? []
    : sure.filter(({ says }) => says === 'leaves out' || says === 'allows none');
  if (left?.policy !== undefined) {
    if (isByIdentity && layer7.identity === 'no')
      says.push('Take both ends into the mesh with mutual TLS first, as the caller has no identity.');
    says.push(`Add a rule with ${caller}${portsOfRule(asked)} to ${refText(left.policy)}.`);
    says.push('Ask bulkhead lint whether Bulkhead admits it.');
  }
  return says.length === 0 ? [] : [{ says: [`To let it through at layer 7: ${says.join(' ')}`], manifest: [] }];
}

/** Where they are single ones: a rule lists no ranges. */
function portsOfRule(asked: PortSet): string {
  const ports = rangesOf(asked).filter(({ protocol }) => protocol === 'TCP');
  if (ports.length === 0 || ports.some(({ first, last }) => first !== last)) return '';
  return ` and operation.ports: [${ports.map(({ first }) => `"${first}"`).join(', ')}]`;
}

interface Words {
  readonly peerName: string;
  readonly way: string;
  readonly isInternet: boolean;
  /** And not a pod on the network of one. */
  readonly isNode: boolean;
}

function remedyFor(
  side: Side,
  missing: PortSet,
  { peerName, way, isInternet, isNode }: Words,
  context: RemedyContext,
): Remedy {
  const without = (...says: readonly string[]): Remedy => ({
    says: [`To let it ${way}: ${says.join(' ')}`],
    manifest: [],
  });
  if (side.peer.kind === 'node')
    return without(
      isNode
        ? 'no NetworkPolicy selects nodes.'
        : `${peerName} is on the network of a node, and no NetworkPolicy names such pods by labels.`,
      'Ask the platform for it: a shared service, or an address and port that it vouches for (spec.network.vouched of the Tenant).',
    );
  if (isUnlabelled(side))
    return without(
      `${peerName} or its peer has pods without labels of their own, so no policy can name them alone. Give them a label first.`,
    );
  const { snapshot, tenancy } = context;
  const taken = new Set(
    snapshot.policies.map(({ ref }) => (ref.kind === 'NetworkPolicy' ? `${ref.namespace}/${ref.name}` : '')),
  );
  const isTaken = (name: string): boolean => taken.has(`${side.pods.namespace.name}/${name}`);
  const blocks = isInternet ? internetBlocks(tenancy.settings) : undefined;
  const policy = policyFor(side, missing, tenancy.settings.tenantLabel, isTaken, blocks);
  if (policy === undefined) return without(`${peerName} cannot be named in a NetworkPolicy; name addresses of it`);
  const left = blockersWith(policy, side, missing, context);
  if (left.length > 0) return without(...left);
  return proposed(policy, side, missing, { way, isInternet }, context);
}

function proposed(
  policy: NetworkPolicy,
  { direction, pods, peer }: Side,
  missing: PortSet,
  { way, isInternet }: Pick<Words, 'way' | 'isInternet'>,
  { snapshot, worlds, tenancy, now }: RemedyContext,
): Remedy {
  const manifest = stringify(policy).trimEnd().split('\n');
  const namespaces = createNamespaceStore(() => tenancy);
  namespaces.replaceAll(snapshot.namespaces.map(({ name, labels }) => ({ name, uid: '', labels, terminating: false })));
  const judged = judgeStoredPolicy(networkPolicy, policy, { tenancy, namespaces, now });
  const on = `${direction} on ${portsText(missing)}`;
  const isIsolated = worlds.every(({ plan }) => plan(pods, direction).some(({ closedBy }) => closedBy.length > 0));
  const isolates = isIsolated ? '' : `. It isolates these pods for ${direction}, so allow what else they need too`;
  if (judged === undefined)
    return { says: [`To let it ${way}, add a policy for ${on}${agreement(pods, peer)}${isolates}:`], manifest };
  const reasons = judged.findings.map(({ reason, fix }) => `  ${reason}; ${fix}`);
  // The word stands for exactly the addresses of the proposal.
  const grant =
    isInternet && direction === 'egress'
      ? [
          `  The grant for it is the word internet: an entry of network.egress of ${judged.tenant.name} with cidr: internet.`,
        ]
      : [];
  return {
    says: [
      `To let it ${way}, a policy for ${on} is needed, and Bulkhead would refuse it today:`,
      ...new Set(reasons),
      ...grant,
    ],
    manifest,
  };
}

function agreement(pods: PodClass, peer: Party): string {
  if (peer.kind !== 'pod') return '';
  const [own, other] = [pods.namespace.owner, peer.namespace.owner];
  if (own === 'platform' || other === own) return '';
  return other === 'platform'
    ? '; what it opens is granted'
    : `; the gate between ${own.name} and ${other.name} is there`;
}

/** @returns sentences about what blocks some of the ports all the same; empty: the policy opens them, in every reading */
function blockersWith(
  policy: NetworkPolicy,
  side: Side,
  missing: PortSet,
  { snapshot, worlds, tenancy }: RemedyContext,
): readonly string[] {
  const inForce = networkPolicy.inForce?.(policy);
  if (inForce === undefined) return [];
  const { name = '', namespace = '' } = policy.metadata ?? {};
  const added: SnapshotPolicy = { ref: { kind: 'NetworkPolicy', namespace, name }, inForce };
  const { direction, pods, peer } = side;
  const found = new Set<string>();
  for (const { plan, parties, reading } of worlds) {
    // Policies about other pods do not decide.
    const own = plan(pods, direction).flatMap(({ steps, closedBy }) => [
      ...steps.map((one) => one.policy),
      ...closedBy,
    ]);
    const policies = [...new Set([...own, added])];
    const world = createWorld({ ...snapshot, policies }, parties, tenancy.settings, reading);
    world.allowed(pods, direction, peer, (decision) => {
      if (decision.action !== 'deny' || intersectionOf(decision.ports, missing).length === 0) return;
      found.add(blockerText(decision, pods));
    });
  }
  return [...found];
}

function blockerText({ step, stage }: Decision, { namespace: { name, owner } }: PodClass): string {
  if (step === undefined) {
    const [first] = stage?.closedBy ?? [];
    const by = first === undefined ? '' : ` by ${refText(first.ref)}`;
    return `the ${stage?.name} isolates it${by}, and comes before NetworkPolicies. The platform has to allow it there, or leave it to the next tier with Pass.`;
  }
  const { ref } = step.policy;
  const isOfTenant = ref.namespace === name && owner !== 'platform';
  const who = isOfTenant ? 'Narrow or remove that rule.' : 'The platform has to narrow or remove that rule.';
  return `${refText(ref)} ${pathText(step)} denies it, and a NetworkPolicy does not change that. ${who}`;
}
