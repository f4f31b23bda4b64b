/** What network policies of one namespace may open to pods of which only some labels are known. More rather than less. */
import { matches } from '../../kubernetes/label-selector.ts';
import type { InForcePeer } from '../../reach/in-force.ts';
import type { Authorization } from '../mesh.ts';
import type { Labels } from '../parties.ts';
import { everyPort, noPorts, type PortSet, setOf, unionOf } from '../port-set.ts';
import type { Reading } from '../readings.ts';
import type { SnapshotPolicy } from '../snapshot.ts';
import { type Share, shareOfSubject } from './known-pods.ts';

/** Steps of about a microsecond. */
export interface Budget {
  steps: number;
}

export class BudgetSpent extends Error {
  override readonly name = 'BudgetSpent';
}

export function spend(budget: Budget, steps: number): void {
  budget.steps -= steps;
  if (budget.steps < 0) throw new BudgetSpent();
}

/** A namespace of the same tenant whose pods call. */
export interface Caller {
  readonly name: string;
  readonly labels: Labels;
}

export interface Listed {
  readonly namespace: string;
  readonly labels: Labels;
  readonly policies: readonly SnapshotPolicy[];
  readonly readings: readonly Reading[];
  readonly budget: Budget;
}

/** What may be open in one of the readings. Everything where it is not certain that all of the pods are isolated. */
export function mayBeOpen({ pods }: Pick<Authorization, 'pods'>, callers: readonly Caller[], listed: Listed): PortSet {
  let open = noPorts;
  for (const reading of listed.readings) {
    open = unionOf(open, openIn(reading, pods, callers, listed));
    if (open === everyPort) return open;
  }
  return open;
}

function openIn(reading: Reading, pods: Authorization['pods'], callers: readonly Caller[], listed: Listed): PortSet {
  let open = noPorts;
  let isIsolated = false;
  for (const policy of listed.policies) {
    if (!reading.reads(policy)) continue;
    const { parts, unread } = policy.inForce;
    for (const part of parts) {
      const share = shareOfPart(part.subject, pods, listed);
      if (share === 'none') continue;
      if (unread.length > 0) return everyPort;
      const isForced = reading.untyped === 'isolate' && part.untyped?.includes('ingress') === true;
      if (share === 'all' && (isForced || part.isolates.includes('ingress'))) isIsolated = true;
      for (const rule of part.rules) {
        if (rule.direction !== 'ingress' || rule.action === 'deny') continue;
        if (rule.isUntyped === true && reading.untyped === 'ignored') continue;
        spend(listed.budget, callers.length + rule.ports.length);
        if (!callers.some((caller) => mayBe(rule.peer, caller, listed.namespace))) continue;
        // Which number a name has, the pods say. What is passed on may be open.
        const ranges = rule.ports.flatMap((port) => ('name' in port ? [] : [port]));
        if (rule.action === 'pass' || ranges.length < rule.ports.length) return everyPort;
        open = unionOf(open, setOf(ranges));
      }
    }
  }
  return isIsolated ? open : everyPort;
}

export function shareOfPart(
  subject: SnapshotPolicy['inForce']['parts'][number]['subject'],
  pods: Authorization['pods'],
  { labels, budget }: Pick<Listed, 'labels' | 'budget'>,
): Share {
  spend(budget, 1 + ('pods' in subject ? subject.pods.size : pods.size));
  return shareOfSubject(subject, pods, labels);
}

/** The callers' pods have whatever labels. */
function mayBe(peer: InForcePeer, { name, labels }: Caller, namespace: string): boolean {
  switch (peer.kind) {
    case 'selector':
      return peer.namespaces === undefined ? name === namespace : matches(peer.namespaces, labels);
    case 'expression':
      return shareOfSubject({ expression: peer.expression }, new Map(), labels) !== 'none';
    default:
      return true;
  }
}
