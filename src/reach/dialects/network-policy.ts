/**
 * networking.k8s.io/v1 NetworkPolicy -> Reach.
 *
 * Reads the spec as untrusted data: a value that is not what the API says gives an `invalid` diagnostic, and so does a field
 * that is not known (an API server of a later version may give it a meaning); nothing throws. Where the API means something
 * else than meets the eye, it is quoted above the function that implements it. Linear in the size of the policy.
 */
import { type FieldPath, field } from '../../kubernetes/field-path.ts';
import { excerpt, isGiven, isMap, unknownField } from '../../kubernetes/json.ts';
import { contradiction, type Selector } from '../../kubernetes/label-selector.ts';
import type { Policy } from '../../kubernetes/objects.ts';
import { parseSelector } from '../../kubernetes/parse-selector.ts';
import type { Direction } from '../../tenancy/tenant.ts';
import {
  type Diagnostic,
  diagnostic,
  emptyReach,
  everyPod,
  type Isolation,
  invalid,
  type Reach,
  type Subject,
} from '../model.ts';
import { Found } from './found.ts';
import { foreignKeyOf } from './network-policy-peer.ts';
import { limits, readRule, type Side, sides } from './network-policy-rule.ts';

const specFields: ReadonlySet<string> = new Set(['podSelector', 'policyTypes', 'ingress', 'egress']);
const spec = field(undefined, 'spec');
const podSelectorPath = field(spec, 'podSelector');
const bothTypes: readonly string[] = ['Ingress', 'Egress'];
const directions = ['ingress', 'egress'] as const;

const anyPod: Subject = { namespaces: undefined, pods: everyPod, path: podSelectorPath };

export function readNetworkPolicy(policy: Policy): Reach {
  const written: unknown = policy.spec;
  if (!isGiven(written)) return emptyReach;
  const found = Found.within(limits);
  const { rules, diagnostics } = found;
  const whole = sides.ingress.scope;
  if (!isMap(written)) {
    found.add(invalid(whole, spec, `${excerpt(written)} is not a policy`, 'write a map with podSelector and rules'));
    return { rules, isolates: [], diagnostics };
  }
  const unknown = unknownField(written, specFields);
  if (unknown !== undefined) {
    const reason = `${excerpt(unknown)} is not a field of a NetworkPolicy that is understood`;
    found.add(invalid(whole, spec, reason, 'write podSelector, policyTypes, ingress and egress'));
  }
  const { subject, selected, flaw } = readSubject(written.podSelector);
  if (flaw !== undefined) found.add(flaw);
  const types = readPolicyTypes(written.policyTypes, written.egress, found);
  const isolated = directions.filter((direction) => types?.includes(sides[direction].type));
  const isolates: readonly Isolation[] =
    selected === undefined || types === undefined ? [] : [{ pods: selected, directions: isolated }];
  for (const direction of directions) {
    if (isGiven(written[direction])) readRules(written[direction], sides[direction], types, subject, found);
  }
  if (flaw?.verdict !== 'nothing') return { rules, isolates, diagnostics };
  return {
    rules: [],
    isolates,
    diagnostics: diagnostics
      .filter(({ path, verdict }) => path === flaw.path || verdict === 'invalid')
      .map((one) => ({ ...one, rulesBefore: 0 })),
  };
}

/** The directions that have rules, whatever policyTypes says. */
export function directionsWithRules({ spec }: { readonly spec?: unknown }): readonly Direction[] {
  if (!isMap(spec)) return [];
  return directions.filter((direction) => {
    const rules = spec[direction];
    return Array.isArray(rules) && rules.length > 0;
  });
}

/** @param types undefined, where it is not understood, counts as both, so that no rule goes unread */
function readRules(
  rules: unknown,
  side: Side,
  types: readonly unknown[] | undefined,
  subject: Subject,
  found: Found,
): void {
  const { direction, scope, type } = side;
  const path = field(spec, direction);
  if (!Array.isArray(rules)) {
    found.add(invalid(scope, path, `${excerpt(rules)} is not a list of rules`, 'write a list of rules'));
    return;
  }
  if (types?.includes(type) === false) found.add(deadRules(side, path));
  if (!found.examines(rules.length, found.left.rules, scope, path)) return;
  for (let index = 0; index < rules.length; index++) readRule(rules[index], field(path, index), side, subject, found);
}

/** Whom a policy is about. */
interface ReadSubject {
  readonly subject: Subject;
  /** The podSelector, also one that contradicts itself; undefined: it is not understood. */
  readonly selected: Selector | undefined;
  readonly flaw?: Diagnostic;
}
const everyPodRead: ReadSubject = { subject: anyPod, selected: everyPod };

/**
 * "An empty podSelector matches all pods in this namespace", and so does none. One that contradicts itself selects no pod, and then
 * nothing is opened, whatever the rules say: labels of pods are free, but none of them can meet it.
 */
function readSubject(podSelector: unknown): ReadSubject {
  const { scope } = sides.ingress;
  if (!isGiven(podSelector)) return everyPodRead;
  const selector = parseSelector(podSelector);
  if (!selector.ok) {
    const at = selector.steps.reduce<FieldPath>(field, podSelectorPath);
    const flaw = invalid(scope, at, selector.reason, selector.fix);
    return { subject: anyPod, selected: undefined, flaw };
  }
  const selected = selector.value;
  const contradictory = contradiction(selected);
  if (contradictory === undefined)
    return { subject: { namespaces: undefined, pods: selected, path: podSelectorPath }, selected };
  // Cilium writes the policy's own namespace over such a key, and the contradiction with it: every pod may be selected.
  if (foreignKeyOf(selected) !== undefined) return { subject: anyPod, selected };
  const reason = `selects no pod, as no value of the label ${contradictory} meets all its requirements`;
  const flaw = diagnostic(scope, 'nothing', podSelectorPath, reason, `correct the requirements on ${contradictory}`);
  return { subject: anyPod, selected, flaw };
}

/**
 * "If no policyTypes are specified on a NetworkPolicy then by default Ingress will always be set and Egress will be set if
 * the NetworkPolicy has any egress rules": an empty list has none.
 *
 * @returns undefined where it is not understood
 */
function readPolicyTypes(types: unknown, egress: unknown, found: Found): readonly unknown[] | undefined {
  if (!isGiven(types) || (Array.isArray(types) && types.length === 0)) {
    return Array.isArray(egress) && egress.length > 0 ? bothTypes : ['Ingress'];
  }
  const listed: readonly unknown[] = Array.isArray(types) ? types : [types];
  const unknownType = listed.find((type) => type !== 'Ingress' && type !== 'Egress');
  if (Array.isArray(types) && unknownType === undefined) return listed;
  const reason = `${excerpt(unknownType ?? types)} is not ${unknownType === undefined ? 'a list' : 'a direction of a policy'}`;
  const path = field(spec, 'policyTypes');
  found.add(invalid(sides.ingress.scope, path, reason, 'write a list of Ingress, Egress or both'));
  return undefined;
}

/**
 * Rules of a direction that policyTypes leaves out. The API ignores them. Cilium 1.20.2, OVN-Kubernetes (policy.go), Antrea
 * (processNetworkPolicy) and the controller of the AWS VPC CNI (endpoints.go) enforce them, so they are judged like all others (NP-21).
 */
function deadRules({ scope, type }: Side, path: FieldPath): Diagnostic {
  const reason = `is ignored by the API: policyTypes lacks ${type}; Cilium, OVN-Kubernetes, Antrea, AWS apply it`;
  return diagnostic(scope, 'nothing', path, reason, `add ${type} to policyTypes, or remove the rules`);
}
