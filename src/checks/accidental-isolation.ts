import { isCalicoNetworkPolicy } from '../kinds/calico-network-policy/calico-network-policy.ts';
import { isNetworkPolicy } from '../kinds/network-policy/network-policy.ts';
import { isMap, type JsonMap } from '../kubernetes/json.ts';
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
 *          Also when all rules of a direction deny some peers: of Cilium and Calico these close the direction for the rest too
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

/** A rule that denies everybody is how a direction is closed on purpose. */
function denialsOfCilium(parts: readonly Part[], direction: Direction): readonly Finding[] {
  const denies = `${direction}Deny`;
  // So is an empty rule that allows.
  if (parts.some(({ spec }) => hasItems(spec[direction]))) return nothing;
  const denying = parts.filter(({ spec }) => hasItems(spec[denies]));
  const [first] = denying;
  if (first === undefined || !denying.every(({ spec }) => itemsOf(spec[denies]).every(namesSome))) return nothing;
  return [denialsAlone(`${first.path}.${denies}`, direction, `, or write enableDefaultDeny: { ${direction}: false }`)];
}

function denialsOfCalico({ spec }: Part, direction: Direction): readonly Finding[] {
  const end = direction === 'ingress' ? 'source' : 'destination';
  const deniesSome = (rule: unknown): boolean =>
    isMap(rule) &&
    rule.action === 'Deny' &&
    isMap(rule[end]) &&
    Object.entries(rule[end]).some(([key, value]) => !(key === 'selector' && (value === '' || value === 'all()')));
  return itemsOf(spec[direction]).every(deniesSome) ? [denialsAlone(`spec.${direction}`, direction, '')] : nothing;
}

/** Of a rule of Cilium: not everybody, as without peers. */
function namesSome(rule: unknown): boolean {
  return (
    isMap(rule) &&
    Object.entries(rule).some(
      ([key, peers]) => /^(from|to)(?!Ports)[A-Z]/.test(key) && hasItems(peers) && !itemsOf(peers).includes('all'),
    )
  );
}

function denialsAlone(path: string, direction: Direction, way: string): Finding {
  return {
    path,
    reason: `closes ${direction} for everybody, and not only for whom it denies`,
    fix: `add a rule that allows what stays open${way}`,
  };
}

function itemsOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

function hasItems(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}
