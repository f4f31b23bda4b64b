/**
 * Reach: which pods may connect to which, in one form for every kind of policy.
 *
 *   policy ──dialect──▶ Reach = { rules, isolates, diagnostics } ──border──▶ verdicts
 *
 * An allow rule lets the pods of its subject and one peer connect, on some ports. A policy crosses the border exactly when one of its
 * allow rules does, whatever other policies say. So each rule is judged alone: no other policy, namespace or pod has to be known.
 * Where rules have an order, an earlier deny rule may restrict a later allow rule. That proves nothing: the order can change, and
 * the deny rule may have another author.
 * A field that a dialect cannot express exactly in these terms is a diagnostic, which has its verdict already.
 */

import type { DnsPattern } from '../kubernetes/dns-pattern.ts';
import type { FieldPath } from '../kubernetes/field-path.ts';
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { Selector } from '../kubernetes/label-selector.ts';
import { meshClusterLabel, namespaceNameLabel } from '../kubernetes/objects.ts';
import type { Port } from '../kubernetes/port-range.ts';
import type { Direction } from '../tenancy/tenant.ts';
import type { Expression } from './expression/expression.ts';
import type { Fix } from './fix.ts';
import type { IdentityPattern } from './identity/pattern.ts';

/** What one policy says. Both lists are in the order of the object's fields. */
export interface Reach {
  readonly rules: readonly (AllowRule | DenyRule)[];
  /** Empty where the policy isolates no pod, and where it is not understood which ones. */
  readonly isolates: readonly Isolation[];
  readonly diagnostics: readonly PlacedDiagnostic[];
  /** Where the kind has tiers: those that one version of its engine or another takes it to be in. */
  readonly tiers?: readonly Tier[];
  /** Where the kind can ask others for a decision. */
  readonly providers?: readonly Provider[];
}

/** Policies of an earlier tier decide before all of a later one. */
export interface Tier {
  readonly name: string;
  /** The field that says so. */
  readonly path: FieldPath;
}

/** Of an object that is not judged. */
export const emptyReach: Reach = { rules: [], isolates: [], diagnostics: [] };

/**
 * Pods that a policy isolates in these directions, as the API says it. Some network plugins also isolate a direction that has rules but
 * that policyTypes leaves out (check dead-rule). A pod counts as isolated only if every plugin isolates it.
 */
export interface Isolation {
  /** In the policy's own namespace. This selector may contradict itself; then it selects no pod. */
  readonly pods: Selector;
  readonly directions: readonly Direction[];
}

/** Traffic between the subject and one peer. */
interface Rule {
  readonly subject: Subject;
  /** As the subject sees it. */
  readonly direction: Direction;
  /** The field that says who the peer is. */
  readonly path: FieldPath;
  readonly peer: Peer;
  /** Never empty. Of the subject for ingress, of the peer for egress. */
  readonly ports: readonly Port[];
  /**
   * What the requests must be besides, as the policy writes it: `GET /orders`. Undefined: anything. It narrows where a proxy stands in
   * the way and proves nothing, as who is let in on a port may speak what he likes, and past the proxy.
   */
  readonly layer7?: readonly string[];
}

export interface AllowRule extends Rule {
  /** `pass` leaves it to later rules, or to what holds when there are none, which may be to let it through. */
  readonly action: 'allow' | 'pass';
}

export interface DenyRule extends Rule {
  readonly action: 'deny';
}

/** Pods by their own labels and those of their namespace. Selectors that contradict themselves match no pod and are left out. */
interface Pods {
  /** Undefined: the policy's own namespace. */
  readonly namespaces: Selector | undefined;
  readonly pods: Selector;
}

export const everyPod: Selector = new Map();

/** Whom the policy is about. One object for all rules about the same pods. */
export interface Subject extends Pods {
  /** The field that says so. */
  readonly path: FieldPath;
}

export type Peer = SelectorPeer | ExpressionPeer | AnyPeer | IpBlockPeer | EntityPeer | NamePeer | IdentityPeer;

export interface SelectorPeer extends Pods {
  readonly kind: 'selector';
  /** The clusters of a mesh whose pods these are, by name; not empty. Undefined: no other than the own one. */
  readonly clusters?: readonly string[] | undefined;
}

/** The reason of a verdict about such a peer. */
export const namesCluster = `names ${meshClusterLabel}, with which Cilium selects pods of other clusters of a mesh`;

/** Everything that a boolean expression over labels matches: pods, and objects that are in no namespace. */
export interface ExpressionPeer {
  readonly kind: 'expression';
  /** The keys of labels of the namespace begin with {@link ofNamespace}; what is in no namespace has none of them. */
  readonly expression: Expression;
  /** Undefined: any. Not empty. What does not have one of these addresses is not matched. */
  readonly addresses: IpSet | undefined;
  /** Of the proof; what needs more is `unproven`. */
  readonly steps: number;
}

/** No key of a label has a colon. */
export const ofNamespace = 'namespace:';
/** The name of the namespace. */
export const nameKey = `${ofNamespace}${namespaceNameLabel}`;

/** Everybody, inside and outside the cluster. */
interface AnyPeer {
  readonly kind: 'any';
}

export interface IpBlockPeer {
  readonly kind: 'ipBlock';
  /** Not empty. */
  readonly addresses: IpSet;
}

/**
 * Whom Cilium has a name for, pods by their labels aside (pkg/policy/api/entity.go, 1.20): `host` is the pod's own node, `world` everybody
 * outside the cluster, `kube-apiserver` the API server wherever it runs.
 */
const entities = [
  ...(['all', 'world', 'world-ipv4', 'world-ipv6', 'cluster', 'cluster-mesh', 'init', 'unmanaged'] as const),
  ...(['host', 'remote-node', 'kube-apiserver', 'ingress', 'health'] as const),
] as const;
export type Entity = (typeof entities)[number];
const entityNames: ReadonlySet<string> = new Set(entities);

export function isEntity(text: string): text is Entity {
  return entityNames.has(text);
}

export interface EntityPeer {
  readonly kind: 'entity';
  readonly entity: Entity;
}

/** Whatever addresses the cluster's DNS gives for the names. */
export interface NamePeer {
  readonly kind: 'name';
  readonly pattern: DnsPattern;
}

/** Who calls in a mesh, by the identity in the certificate: whom all of it holds for. */
export interface IdentityPeer {
  readonly kind: 'identity';
  /** Of each list one pattern matches; no list is empty. None: every caller, one without an identity too. */
  readonly all: readonly (readonly IdentityPattern[])[];
  /** None of them matches, as none does of a caller without an identity. */
  readonly none: readonly IdentityPattern[];
  /** Undefined: any. Not empty. */
  readonly addresses: IpSet | undefined;
}

/** Who is asked about each request besides, by a name that the platform has given it. It can only deny, and sees what it is asked about. */
export interface Provider {
  readonly name: string;
  /** The field that names it. */
  readonly path: FieldPath;
}

/**
 * nothing      can never match: dead text, harmless
 * conditional  stays inside the tenant only under certain assumptions, which are not ensured
 * escapes      lets a peer through that is not the tenant's
 * unproven     may be fine, but that was not shown
 * invalid      is not understood
 */
export type Verdict = 'nothing' | 'conditional' | 'escapes' | 'unproven' | 'invalid';

/** Which direction a part of a policy is about, and what kind of peer. */
export interface DiagnosticScope {
  readonly direction: Direction;
  readonly kind: Peer['kind'];
}

/** A part of the policy that has its verdict already, for every tenant. */
export interface Diagnostic extends DiagnosticScope {
  readonly verdict: Verdict;
  readonly path: FieldPath;
  /** What is wrong with the field at `path`: a sentence of its own, or one that begins with the field. No full stop. */
  readonly reason: string;
  /** For `escapes`: a peer that would get through. */
  readonly witness?: string;
  /** The cluster of the witness. Where it is the own one, or granted to the tenant, the witness may be the tenant's own. */
  readonly cluster?: string;
  /** What mends it. A text is in the policy's own fields. */
  readonly fix: Fix | string;
}

/** With its place among the rules, so that verdicts follow the order of the object's fields. */
export interface PlacedDiagnostic extends Diagnostic {
  /** How many of the rules come before it. */
  readonly rulesBefore: number;
}

export function diagnostic(
  scope: DiagnosticScope,
  verdict: Verdict,
  path: FieldPath,
  reason: string,
  fix: Fix | string,
): Diagnostic {
  return { direction: scope.direction, kind: scope.kind, verdict, path, reason, fix };
}

/** What is written there is not what the API says. */
export function invalid(scope: DiagnosticScope, path: FieldPath, reason: string, fix: string): Diagnostic {
  return diagnostic(scope, 'invalid', path, reason, fix);
}
