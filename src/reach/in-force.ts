/**
 * The effect of one stored policy: which pods it isolates, and its rules with their order and their denials.
 * Admission needs less, as it relies on no order and no denial (model.ts). Connectivity in a whole cluster needs all of it (connectivity/).
 */
import type { FieldPath } from '../kubernetes/field-path.ts';
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { Selector } from '../kubernetes/label-selector.ts';
import type { Port } from '../kubernetes/port-range.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { Expression } from './expression/expression.ts';
import type { ExpressionPeer, Peer, Reach, SelectorPeer, Verdict } from './model.ts';

export interface InForce {
  readonly stage: Stage;
  readonly parts: readonly Part[];
  /** What of it is not understood. Rules with such a part are left out. */
  readonly unread: readonly Unread[];
  /** Rules whose peers other objects say. Without these objects they are not understood, and are among the unread. */
  readonly referring?: readonly Referring[];
}

/** A rule about whom objects name that change without the policy. */
export interface Referring {
  readonly subject: InForceSubject;
  readonly rule: Omit<InForceRule, 'peer'>;
  readonly to: Reference;
}

/** Of Cilium. */
export type Reference =
  | {
      readonly kind: 'groups';
      /** Undefined: by their labels. */
      readonly name: string | undefined;
      readonly labels: readonly Requirement[];
      readonly except: IpSet;
    }
  | {
      readonly kind: 'services';
      /** Of any of these. */
      readonly any: readonly ServiceReference[];
      /** A rule that names ports, and no Service that there is, is about every peer. */
      readonly hasPorts: boolean;
    };

export interface ServiceReference {
  /** Undefined: of any namespace. */
  readonly namespace: string | undefined;
  /** Undefined: by their labels. */
  readonly name: string | undefined;
  readonly labels: readonly Requirement[];
}

/** As it is written: a value of one of several objects is enough. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/**
 * When the policy is asked, in the order of the world:
 *
 *   admin     ClusterNetworkPolicy before all others, by priority; what no rule decides goes on
 *   network   all policies together: a denial wins, then an allow rule; who is isolated and not allowed is denied
 *   calico    tiers by their order, in a tier policies by theirs, then by name; undefined comes last
 *   baseline  ClusterNetworkPolicy for pods that no other policy isolates
 */
export type Stage =
  | { readonly kind: 'admin' | 'baseline'; readonly priority: number }
  | { readonly kind: 'network'; readonly engine: 'any' | 'cilium' }
  | { readonly kind: 'calico'; readonly tier: string; readonly order: number | undefined };

export interface Part {
  readonly subject: InForceSubject;
  readonly isolates: readonly Direction[];
  /** Directions with rules, of whomever, that the policy has no type for. Cilium isolates in these too (NP-21). */
  readonly untyped?: readonly Direction[];
  /** In their order. */
  readonly rules: readonly InForceRule[];
}

/** Pods by their labels, in the policy's own namespace unless `namespaces` says otherwise; or by an expression over both. */
export type InForceSubject =
  | { readonly namespaces: Selector | undefined; readonly pods: Selector }
  | { readonly expression: Expression };

export interface InForceRule {
  readonly action: 'allow' | 'deny' | 'pass';
  readonly direction: Direction;
  readonly peer: InForcePeer;
  /** Never empty. Of the destination. */
  readonly ports: readonly Port[];
  /** Pods of the subject that it is about; undefined: all. */
  readonly own?: Expression;
  /** Taken away from `ports`. */
  readonly notPorts?: readonly Port[];
  /** The field that says who the peer is. */
  readonly path: FieldPath;
  /** A direction that the policy has no type for: the API ignores the rule, some engines enforce it (NP-21). */
  readonly isUntyped?: boolean;
  /** What the requests must be besides. A proxy decides that. */
  readonly layer7?: readonly string[];
}

/** `nodes`: hosts of the cluster, by what a ClusterNetworkPolicy says of them. */
export type InForcePeer =
  | Exclude<Peer, SelectorPeer | ExpressionPeer>
  | InForceExpressionPeer
  | InForceSelectorPeer
  | { readonly kind: 'nodes' };

export interface InForceExpressionPeer extends ExpressionPeer {
  /** All but whom the expression matches: without a selector that says who it must be, addresses outside of the cluster are among them. */
  readonly isAllBut?: boolean;
}

export interface InForceSelectorPeer extends SelectorPeer {
  /**
   * Written as `namespaces` of a ClusterNetworkPolicy. Cilium 1.20 takes the labels of a namespace for labels of the peer there. So who is
   * in no namespace, as an address or a node, is matched where the selector asks for no label to be there.
   */
  readonly byNamespace?: boolean;
}

export interface Unread {
  readonly path: FieldPath;
  readonly direction: Direction;
  readonly verdict: Verdict;
  readonly reason: string;
}

/**
 * Of a policy whose rules only allow, and have no order.
 *
 * @param withRules directions for which a list of rules is written that is not empty; of a kind that has policyTypes
 */
export function additive(reach: Reach, engine: 'any' | 'cilium', withRules: readonly Direction[] = []): InForce {
  const { rules, isolates, diagnostics } = reach;
  const typed = new Set(isolates.flatMap(({ directions }) => directions));
  const untyped = withRules.filter((direction) => !typed.has(direction));
  const readRules = (own: Reach['rules']): readonly InForceRule[] =>
    engine === 'any' && own.some(({ direction }) => !typed.has(direction))
      ? own.map((rule) => (typed.has(rule.direction) ? rule : { ...rule, isUntyped: true }))
      : own;
  const [isolation] = isolates;
  const [first] = rules;
  const isOne = isolates.length === 1 && rules.every(({ subject }) => subject === first?.subject);
  const stage: Stage = { kind: 'network', engine };
  const unread = diagnostics.flatMap(({ path, direction, verdict, reason }): readonly Unread[] =>
    verdict === 'nothing' ? [] : [{ path, direction, verdict, reason }],
  );
  // Nearly every policy isolates the pods that its rules are about, and is read as one part.
  if (isOne && isolation !== undefined && (first === undefined || first.subject.pods === isolation.pods)) {
    const { pods, directions } = isolation;
    const subject: InForceSubject = first?.subject ?? { namespaces: undefined, pods };
    return { stage, parts: [{ subject, isolates: directions, untyped, rules: readRules(rules) }], unread };
  }
  const isolating = isolates.map(
    ({ pods, directions }): Part => ({
      subject: { namespaces: undefined, pods },
      isolates: directions,
      untyped,
      rules: [],
    }),
  );
  const bySubject = Map.groupBy(rules, ({ subject }) => subject);
  const opening = [...bySubject].map(([subject, own]): Part => ({ subject, isolates: [], rules: readRules(own) }));
  return { stage, parts: [...isolating, ...opening], unread };
}
