/**
 * Reach: who may talk to whom, in one form for every kind of policy.
 *
 * Policies only ever add openings, so a policy crosses the border exactly when one of its openings does, and each can be
 * judged alone: no other policy, namespace or pod has to be known. What a dialect cannot turn into an opening is a remark
 * in the same list, so that verdicts come in the order of the object's fields.
 *
 *   policy ──dialect──▶ Reach = (Opening | Remark)[] ──border──▶ verdicts
 */
import type { FieldPath } from '../kubernetes/field-path.ts';
import type { IpSet } from '../kubernetes/ip-set.ts';
import type { Selector } from '../kubernetes/label-selector.ts';
import type { Port } from '../kubernetes/port-range.ts';
import type { Direction } from '../tenancy/tenant.ts';

export type Reach = readonly (Opening | Remark)[];

/** Traffic between the policy's pods and one peer that the policy lets through. */
export interface Opening {
  readonly direction: Direction;
  /** The field that says who the peer is. */
  readonly path: FieldPath;
  readonly peer: Peer;
  /** Never empty. Of the policy's pods for ingress, of the peer for egress. */
  readonly ports: readonly Port[];
}

type Peer = SelectorPeer | AnyPeer | IpBlockPeer;

/** Pods by their own labels and those of their namespace. No selector contradicts itself. */
export interface SelectorPeer {
  readonly kind: 'selector';
  /** Undefined: the policy's own namespace. */
  readonly namespaces: Selector | undefined;
  readonly pods: Selector;
}

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
 * nothing      can never match: dead text, harmless
 * conditional  lets nobody else through while certain assumptions hold, and nothing makes sure that they do
 * escapes      lets somebody through who is not the tenant's
 * unproven     may be fine, but that was not shown
 * invalid      is not understood
 */
export type Verdict = 'nothing' | 'conditional' | 'escapes' | 'unproven' | 'invalid';

/** Which side of the border a part of a policy is about, and what kind of peer. */
export interface Subject {
  readonly direction: Direction;
  readonly kind: Peer['kind'];
}

/** A part of the policy that has its verdict already, whoever the tenant is. */
export interface Remark extends Subject {
  readonly verdict: Verdict;
  readonly path: FieldPath;
  /** What is wrong with the field at `path`: a sentence of its own, or one that begins with the field. No full stop. */
  readonly reason: string;
  /** For `escapes`: somebody who would get through. */
  readonly witness?: string;
  /** What to write instead. */
  readonly fix: string;
}

/** What is left of a rule without its only peer lets everybody through. */
export const removePeer =
  'remove the peer, with its rule where it is the only one: a rule without peers is open to everybody';

export function remark(subject: Subject, verdict: Verdict, path: FieldPath, reason: string, fix: string): Remark {
  return { direction: subject.direction, kind: subject.kind, verdict, path, reason, fix };
}
