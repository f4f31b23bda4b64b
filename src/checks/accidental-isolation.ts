import { isCalicoNetworkPolicy } from '../kinds/calico-network-policy/calico-network-policy.ts';
import { isNetworkPolicy } from '../kinds/network-policy/network-policy.ts';
import { isGiven, isMap, type JsonMap } from '../kubernetes/json.ts';
import type { PolicyRequest } from '../kubernetes/review.ts';
import { typesOf } from '../reach/dialects/calico/head.ts';
import { isolates } from '../reach/isolation.ts';
import type { Reach } from '../reach/model.ts';
import type { Direction } from '../tenancy/tenant.ts';
import { type Check, type Finding, nothing } from './check.ts';

/**
 * Warns the author of a policy that isolates a direction in which it allows nothing, where that is probably not meant.
 * Reads    the types and rules of a policy of a tenant that is not in mode `enforce`: a NetworkPolicy, and one of Cilium or Calico
 * Warns    when policyTypes, or types of Calico, has Egress and there are only ingress rules, and when it has Ingress and there are only
 *          egress rules. The second is also the default of a NetworkPolicy. Not for a policy without rules: that isolates on purpose.
 *          Also when all rules of a direction deny some peers or ports: of Cilium and Calico these close the direction for the rest too
 * Why      in such a namespace a pod is open in every direction in which no policy selects it, so this cuts existing traffic. In mode
 *          `enforce` the baseline isolates both directions, and a policy can only open
 */
export const accidentalIsolation: Check = {
  id: 'accidental-isolation',
  headline: 'isolates pods in a direction without rules',
  protects: 'intent',
  policy(request, { owner, reach }) {
    if (owner === 'platform' || request.operation === 'DELETE' || owner.mode === 'enforce') return nothing;
    const [isNative, isCalico] = [isNetworkPolicy(request), isCalicoNetworkPolicy(request)];
    const parts = partsOf(request.object);
    const [first] = parts;
    return directions.flatMap((direction): readonly Finding[] => {
      if (!isNative && !isCalico) return isolates(reach, direction) ? denialsOfCilium(parts, direction) : nothing;
      if (first === undefined || !(isCalico ? isTyped(first.spec, reach, direction) : isolates(reach, direction)))
        return nothing;
      if (hasItems(first.spec[direction])) return isCalico ? denialsOfCalico(first, direction) : nothing;
      return hasItems(first.spec[other[direction]])
        ? [withoutRules(isCalico ? 'types' : 'policyTypes', direction)]
        : nothing;
    });
  },
};

const directions = ['egress', 'ingress'] as const;
const other = { ingress: 'egress', egress: 'ingress' } as const;
const types = { ingress: 'Ingress', egress: 'Egress' } as const;

interface Part {
  readonly path: string;
  readonly spec: JsonMap;
}

/** `specs` are of Cilium alone. */
function partsOf(object: PolicyRequest['object']): readonly Part[] {
  const { spec, specs }: { spec?: unknown; specs?: unknown } = object;
  const listed = itemsOf(specs).map((one, index) => ({ path: `specs[${index}]`, spec: one }));
  return [{ path: 'spec', spec }, ...listed].filter((part): part is Part => isMap(part.spec));
}

/** A tier other than the default one may pass on what no rule decides. */
function isTyped(spec: JsonMap, { tiers = [] }: Reach, direction: Direction): boolean {
  return tiers.every(({ name }) => name === 'default') && typesOf(spec).includes(direction);
}

function withoutRules(field: string, direction: Direction): Finding {
  return {
    path: `spec.${field}`,
    reason: `has ${types[direction]} and no ${direction} rule follows: only other policies allow ${direction}`,
    fix: `write ${field}: [${types[other[direction]]}], or add the rules`,
  };
}

/** One of each selector: what rules of any part allow to its pods counts, and what they close. */
function denialsOfCilium(parts: readonly Part[], direction: Direction): readonly Finding[] {
  const denies = `${direction}Deny`;
  const denying = parts.filter(({ spec }) => hasItems(spec[denies]));
  return denying.flatMap((part, index): readonly Finding[] => {
    if (denying.slice(0, index).some((one) => isFor(one, part) && isFor(part, one))) return nothing;
    const about = parts.filter(
      (one) => isFor(one, part) && (hasItems(one.spec[direction]) || hasItems(one.spec[denies])),
    );
    const isClosed = about.some(({ spec: { enableDefaultDeny: rest } }) => !isMap(rest) || rest[direction] !== false);
    // An empty rule that allows is how a direction is closed on purpose, as is one that denies everybody.
    const isMeant = about.some(({ spec }) => hasItems(spec[direction]) || !itemsOf(spec[denies]).every(deniesSome));
    const way = `, or write enableDefaultDeny: { ${direction}: false }`;
    return isClosed && !isMeant ? [denialsAlone(`${part.path}.${denies}`, direction, way)] : nothing;
  });
}

/** Whether a part is for all pods of another one, as far as the same requirements say. */
function isFor(part: Part, other: Part): boolean {
  const own = requirementsOf(other);
  return [...requirementsOf(part)].every((one) => own.has(one));
}

function requirementsOf({ spec: { endpointSelector } }: Part): ReadonlySet<string> {
  const { matchLabels, matchExpressions } = isMap(endpointSelector) ? endpointSelector : {};
  const labels = isMap(matchLabels) ? Object.entries(matchLabels) : [];
  return new Set([...labels, ...itemsOf(matchExpressions)].map((one) => JSON.stringify(one)));
}

/** Of a rule of Cilium: not everybody on every port. */
function deniesSome(rule: unknown): boolean {
  return isMap(rule) && Object.entries(rule).some(([key, list]) => hasItems(list) && !isEverything(key, itemsOf(list)));
}

function isEverything(key: string, list: readonly unknown[]): boolean {
  if (key !== 'toPorts') return list.includes('all');
  return list.flatMap((one) => itemsOf(isMap(one) && one.ports)).some(isEveryPort);
}

function isEveryPort(one: unknown): boolean {
  return isMap(one) && one.port === '0' && (one.protocol ?? 'ANY') === 'ANY';
}

function denialsOfCalico({ spec }: Part, direction: Direction): readonly Finding[] {
  const rules = itemsOf(spec[direction]).filter((rule) => !isMap(rule) || rule.action !== 'Log');
  const isMeant = rules.length === 0 || !rules.every((rule) => isMap(rule) && rule.action === 'Deny' && isNarrow(rule));
  return isMeant ? nothing : [denialsAlone(`spec.${direction}`, direction, '')];
}

/** Of a rule of Calico, or of an end of it: not everybody on every port. */
function isNarrow(rule: JsonMap): boolean {
  return Object.entries(rule).some(([key, value]) => {
    if (['action', 'metadata', 'ipVersion'].includes(key) || !isGiven(value)) return false;
    if (isMap(value)) return isNarrow(value);
    if (key === 'selector') return value !== '' && value !== 'all()';
    return key === 'nets' ? !itemsOf(value).some((net) => String(net).endsWith('/0')) : true;
  });
}

function denialsAlone(path: string, direction: Direction, way: string): Finding {
  return {
    path,
    reason: `denies all other ${direction} too, because no rule allows any`,
    fix: `add a rule that allows what stays open${way}`,
  };
}

function itemsOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

function hasItems(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}
