/** What a world says of each namespace: its workloads, whom a policy isolates, and what its policies open. */

import { type Group, groupOf, platformGroup } from '../connectivity/matrix.ts';
import { type PodClass, unnamedPod } from '../connectivity/parties.ts';
import type { Matcher } from '../connectivity/peers.ts';
import type { Snapshot, SnapshotPolicy } from '../connectivity/snapshot.ts';
import type { Step, World } from '../connectivity/world.ts';
import { formatRange } from '../kubernetes/ip-range.ts';
import { formatPort } from '../kubernetes/port-range.ts';
import type { InForcePeer } from '../reach/in-force.ts';
import type { Direction } from '../tenancy/tenant.ts';

/** Whether pods in this direction are closed but for what rules open. */
export function isIsolated(world: World, pods: PodClass, direction: Direction): boolean {
  return (
    world.plan(pods, direction).some(({ closedBy }) => closedBy.length > 0) ||
    world.allowed(pods, direction, unnamedPod).length === 0
  );
}

/** One rule of a policy, as the snapshot resolves it. */
export interface OpenRule {
  readonly direction: Direction;
  readonly action: 'allow' | 'deny' | 'pass';
  /** Tenants, addresses or names. Empty: there is no such peer. */
  readonly peers: string;
  readonly ports: string;
  /** What requests must be besides, where the rule says so: `GET /orders`. */
  readonly layer7?: readonly string[];
}

export interface PolicyUse {
  readonly policy: SnapshotPolicy;
  /** Pods on the pod network, of all classes that it is about. */
  readonly pods: number;
  readonly rules: readonly OpenRule[];
  /** It has allow rules, and none of them matches an existing peer. */
  readonly opensNothing: boolean;
}

/** In the order of the snapshot; of the policies that the reading knows. */
export function policyUse(world: World, snapshot: Snapshot): readonly PolicyUse[] {
  const steps = new Map<SnapshotPolicy, Set<Step>>();
  const pods = new Map<SnapshotPolicy, number>();
  const texts = createPeerTexts();
  for (const one of world.parties.classes) {
    const count = one.workloads.reduce((sum, workload) => sum + workload.pods, 0);
    const seen = new Set<SnapshotPolicy>();
    for (const direction of ['ingress', 'egress'] as const)
      for (const stage of world.plan(one, direction)) {
        for (const policy of stage.closedBy) seen.add(policy);
        for (const step of stage.steps) {
          seen.add(step.policy);
          const own = steps.get(step.policy);
          if (own === undefined) steps.set(step.policy, new Set([step]));
          else own.add(step);
        }
      }
    for (const policy of seen) pods.set(policy, (pods.get(policy) ?? 0) + count);
  }
  return snapshot.policies.filter(world.reading.reads).map((policy) => {
    const own = [...(steps.get(policy) ?? [])];
    const rules = new Map<string, OpenRule>();
    for (const { rule, peer } of own) {
      const { direction, action } = rule;
      const { layer7 } = rule;
      const one = {
        ...{ direction, action, peers: texts(rule.peer, peer), ports: portsText(rule.ports) },
        ...(layer7 !== undefined && { layer7 }),
      };
      rules.set(Object.values(one).join(' '), one);
    }
    const listed = [...rules.values()];
    const allowing = listed.filter(({ action }) => action !== 'deny');
    const opensNothing = allowing.length > 0 && allowing.every(({ peers }) => peers === '');
    return { policy, pods: pods.get(policy) ?? 0, rules: listed, opensNothing };
  });
}

function portsText(ports: Step['rule']['ports']): string {
  const texts = ports.map(formatPort);
  return texts.join() === 'all/TCP,all/UDP,all/SCTP' ? 'every port' : texts.join(', ');
}

const mostShown = 5;

/** Peers as those whom they are in the snapshot. Many rules have the same ones. */
function createPeerTexts() {
  const known = new Map<Matcher, string>();
  return (peer: InForcePeer, matcher: Matcher): string => {
    let text = known.get(matcher);
    if (text === undefined || matcher.isEverybody) {
      text = textOf(peer, matcher);
      known.set(matcher, text);
    }
    return text;
  };
}

function textOf(peer: InForcePeer, matcher: Matcher): string {
  switch (peer.kind) {
    case 'any':
      return 'everyone, inside and outside';
    case 'nodes':
      return 'nodes';
    case 'entity':
      return `entity ${peer.entity}`;
    case 'name':
      return peer.pattern.text;
    case 'ipBlock':
      return some(peer.addresses.map(formatRange));
    default:
      if (peer.kind === 'expression' && peer.isAllBut === true) return 'all but those that a selector matches';
      if (matcher.isEveryPod) return 'every pod';
      return some([
        ...[...new Set(matcher.classes().map(groupText))].sort(),
        ...(matcher.setAddresses ?? []).map(formatRange),
      ]);
  }
}

function groupText(pods: PodClass): Group {
  const group = groupOf(pods);
  return group === platformGroup ? `${platformGroup} ${pods.namespace.name}` : group;
}

function some(texts: readonly string[]): string {
  const shown = texts.slice(0, mostShown).join(', ');
  return texts.length > mostShown ? `${shown} and ${texts.length - mostShown} more` : shown;
}
