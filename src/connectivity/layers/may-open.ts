/** What network policies of one namespace may open to pods of which only some labels are known. More rather than less. */
import { matches, type Selector } from '../../kubernetes/label-selector.ts';
import type { InForcePeer, Part } from '../../reach/in-force.ts';
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

/** A part of a policy that may be about the pods. */
export interface PartAbout {
  readonly policy: SnapshotPolicy;
  readonly part: Part;
  readonly share: Share;
}

export function partsAbout(pods: Selector, listed: Listed): readonly PartAbout[] {
  return listed.policies.flatMap((policy) =>
    policy.inForce.parts.flatMap((part) => {
      const share = shareOfPart(part.subject, pods, listed);
      return share === 'none' ? [] : [{ policy, part, share }];
    }),
  );
}

/** What may be open in one of the readings. Everything where it is not certain that all of the pods are isolated. */
export function mayBeOpen(parts: readonly PartAbout[], callers: readonly Caller[], listed: Listed): PortSet {
  let open = noPorts;
  for (const reading of listed.readings) {
    open = unionOf(open, openIn(reading, parts, callers, listed));
    if (open === everyPort) return open;
  }
  return open;
}

function openIn(
  reading: Reading,
  parts: readonly PartAbout[],
  callers: readonly Caller[],
  { namespace, budget }: Listed,
): PortSet {
  let open = noPorts;
  let isIsolated = false;
  for (const { policy, part, share } of parts) {
    if (!reading.reads(policy)) continue;
    if (policy.inForce.unread.length > 0) return everyPort;
    const isForced = reading.untyped === 'isolate' && part.untyped?.includes('ingress') === true;
    if (share === 'all' && (isForced || part.isolates.includes('ingress'))) isIsolated = true;
    for (const rule of part.rules) {
      if (rule.direction !== 'ingress' || rule.action === 'deny') continue;
      if (rule.isUntyped === true && reading.untyped === 'ignored') continue;
      spend(budget, callers.length + rule.ports.length);
      if (!callers.some((caller) => mayBe(rule.peer, caller, namespace))) continue;
      // Which number a name has, the pods say. What is passed on may be open.
      const ranges = rule.ports.flatMap((port) => ('name' in port ? [] : [port]));
      if (rule.action === 'pass' || ranges.length < rule.ports.length) return everyPort;
      open = unionOf(open, setOf(ranges));
    }
  }
  return isIsolated ? open : everyPort;
}

export function shareOfPart(
  subject: Part['subject'],
  pods: Selector,
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
