/**
 * Policies by the pods that they are about. Most are about pods of one namespace, and are found by its name; others by a label that the
 * namespace must have; the rest are looked at for every pod.
 */

import { matches, type Selector } from '../kubernetes/label-selector.ts';
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import type { Port } from '../kubernetes/port-range.ts';
import type { InForceRule, Part } from '../reach/in-force.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { namespacesIn, neededLabel } from './label-matcher.ts';
import type { NamespaceEntry, Parties, PodClass } from './parties.ts';
import type { Matcher, Matchers } from './peers.ts';
import { type ContainerPort, differenceOf, type PortSet, resolved } from './port-set.ts';
import type { Reading } from './readings.ts';
import type { SnapshotPolicy } from './snapshot.ts';
import type { Place } from './stages.ts';
import type { Step } from './world.ts';

/** One part of a policy. */
export interface Block {
  readonly number: number;
  readonly policy: SnapshotPolicy;
  readonly place: Place;
  readonly part: Part;
  /** Of the pods in its namespace; undefined where `subject` says which. */
  readonly pods: Selector | undefined;
  readonly subject: Matcher | undefined;
  /** Its rules by direction, undefined until they are asked for; of one that it says nothing of, null. */
  ingress: Half | null | undefined;
  egress: Half | null | undefined;
}

/** What it says in one direction. */
export interface Half {
  readonly isolates: boolean;
  readonly steps: readonly Step[];
}

/** The namespaces whose pods a policy may be about. */
export type About = 'all' | ReadonlySet<NamespaceEntry>;

export class PolicyIndex {
  /** About every pod. */
  readonly every: Block[] = [];
  readonly #parties: Parties;
  readonly #matchers: Matchers;
  readonly #reading: Reading;
  readonly #byNamespace = new Map<string, Block[]>();
  readonly #byLabel = new Map<string, Map<string, Block[]>>();
  readonly #others: Block[] = [];
  #count = 0;

  constructor(parties: Parties, matchers: Matchers, reading: Reading) {
    this.#parties = parties;
    this.#matchers = matchers;
    this.#reading = reading;
  }

  add(policy: SnapshotPolicy, place: Place): void {
    for (const part of policy.inForce.parts) {
      const { subject: written } = part;
      const isOwn = !('expression' in written) && written.namespaces === undefined;
      const subject = isOwn ? undefined : this.#matchers.subject(written, policy.ref.namespace);
      const pods = isOwn ? written.pods : undefined;
      const number = this.#count++;
      const block: Block = { number, policy, place, part, pods, subject, ingress: undefined, egress: undefined };
      for (const list of this.#listsOf(policy, part)) list.push(block);
    }
  }

  /** @returns where it stood; undefined: its parts, if any, were not here */
  remove(policy: SnapshotPolicy): Place | undefined {
    let place: Place | undefined;
    for (const part of policy.inForce.parts)
      for (const list of this.#listsOf(policy, part)) {
        const at = list.findIndex((one) => one.policy === policy && one.part === part);
        if (at < 0) continue;
        place = list[at]?.place;
        list.splice(at, 1);
      }
    return place;
  }

  /** Namespaces with pods whose plans the policy may be in. */
  about(policy: SnapshotPolicy): About {
    const found = new Set<NamespaceEntry>();
    for (const { subject } of policy.inForce.parts) {
      const label = labelOf(subject, policy.ref.namespace);
      if (label === undefined) return 'all';
      for (const value of label.values) for (const one of this.#parties.labelled(label.key, value)) found.add(one);
    }
    return found;
  }

  /** Those that say something of the pods in the direction, but for the ones about every pod; each once. */
  of(pods: PodClass, direction: Direction): Block[] {
    const found: Block[] = [];
    const { namespace, labels } = pods;
    const add = (block: Block): void => {
      const { pods: own, subject } = block;
      const isAbout = own === undefined ? subject?.has(pods) === true : own.size === 0 || matches(own, labels);
      if (isAbout && this.half(block, direction) !== null) found.push(block);
    };
    for (const block of this.#byNamespace.get(namespace.name) ?? []) add(block);
    if (this.#byLabel.size > 0)
      for (const [key, value] of namespace.labels)
        for (const block of this.#byLabel.get(key)?.get(value) ?? []) add(block);
    for (const block of this.#others) add(block);
    return found;
  }

  half(block: Block, direction: Direction): Half | null {
    const known = block[direction];
    if (known !== undefined) return known;
    const made = this.#halfOf(block, direction);
    block[direction] = made;
    return made;
  }

  #halfOf({ policy, part }: Block, direction: Direction): Half | null {
    const { untyped } = this.#reading;
    const steps: Step[] = [];
    for (const rule of part.rules)
      if (rule.direction === direction && !(rule.isUntyped === true && untyped === 'ignored'))
        steps.push(this.#stepOf(rule, policy));
    const isForced = untyped === 'isolate' && part.untyped?.includes(direction) === true;
    const isolates = isForced || part.isolates.includes(direction);
    return steps.length === 0 && !isolates ? null : { isolates, steps: steps.slice() };
  }

  #stepOf(rule: InForceRule, policy: SnapshotPolicy): Step {
    const { peer, ports, notPorts = [], own, action } = rule;
    return {
      policy,
      rule,
      peer: this.#matchers.peer(peer, policy.ref.namespace, action !== 'deny'),
      own: own && this.#matchers.pods(own, action !== 'deny'),
      ports: ports.some(isNamed) || notPorts.some(isNamed) ? undefined : portsOf(rule, []),
    };
  }

  #listsOf(policy: SnapshotPolicy, { subject }: Part): readonly Block[][] {
    if (isEveryPod(subject)) return [this.every];
    const label = labelOf(subject, policy.ref.namespace);
    if (label === undefined) return [this.#others];
    return [...label.values].map((value) => {
      if (label.key === namespaceNameLabel) return listIn(this.#byNamespace, value);
      const values = this.#byLabel.get(label.key) ?? new Map<string, Block[]>();
      this.#byLabel.set(label.key, values);
      return listIn(values, value);
    });
  }
}

function listIn(lists: Map<string, Block[]>, key: string): Block[] {
  const found = lists.get(key) ?? [];
  lists.set(key, found);
  return found;
}

function isEveryPod(subject: Part['subject']): boolean {
  if ('expression' in subject) return 'all' in subject.expression && subject.expression.all.length === 0;
  return subject.namespaces?.size === 0 && subject.pods.size === 0;
}

/** A label of which the namespace must have one of the values. */
function labelOf(subject: Part['subject'], own: string): ReturnType<typeof neededLabel> {
  if ('expression' in subject) {
    const values = namespacesIn(subject.expression);
    return values && { key: namespaceNameLabel, values };
  }
  if (subject.namespaces === undefined) return { key: namespaceNameLabel, values: [own] };
  return neededLabel(subject.namespaces);
}

function isNamed(port: Port): boolean {
  return 'name' in port;
}

/** What was resolved, by both lists: policies that are written alike share them, and so do pods. */
const known = new WeakMap<readonly Port[], WeakMap<readonly ContainerPort[], PortSet>>();
const none: readonly ContainerPort[] = [];

export function portsOf({ ports, notPorts = [] }: InForceRule, named: readonly ContainerPort[]): PortSet {
  if (notPorts.length > 0) return differenceOf(resolved(ports, named), resolved(notPorts, named));
  const key = named.length === 0 ? none : named;
  const byNamed = known.get(ports) ?? new WeakMap<readonly ContainerPort[], PortSet>();
  known.set(ports, byNamed);
  const set = byNamed.get(key) ?? resolved(ports, named);
  byNamed.set(key, set);
  return set;
}
