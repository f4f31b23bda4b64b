import { isNetworkPolicy } from '../kinds/network-policy/network-policy.ts';
import { isolates } from '../reach/isolation.ts';
import { type Check, type Finding, nothing } from './check.ts';

/**
 * Warns the author of a NetworkPolicy that isolates a direction for which it has no rules, but rules for the other one.
 * Reads    spec.policyTypes, spec.ingress and spec.egress of a policy of a tenant that is not in mode `enforce`
 * Warns    when policyTypes has Egress and there are only ingress rules, and when it has Ingress and there are only egress rules.
 *          The second is also the default: a policy that leaves policyTypes out always isolates ingress. Not for a policy without
 *          rules: that isolates on purpose
 * Why      in such a namespace a pod is open in every direction in which no policy selects it, so this cuts existing traffic. In mode
 *          `enforce` the baseline isolates both directions, and a policy can only open
 */
export const accidentalIsolation: Check = {
  id: 'accidental-isolation',
  headline: 'isolates pods in a direction without rules',
  protects: 'intent',
  policy(request, { owner, reach }) {
    if (owner === 'platform' || request.operation === 'DELETE' || owner.mode === 'enforce') return nothing;
    if (!isNetworkPolicy(request)) return nothing;
    const { spec } = request.object;
    const [ingress, egress] = [hasRules(spec?.ingress), hasRules(spec?.egress)];
    if (ingress === egress) return nothing;
    if (ingress && isolates(reach, 'egress')) {
      return [found('has Egress and no egress rule follows: only other policies allow egress', 'Egress')];
    }
    if (egress && isolates(reach, 'ingress')) {
      return [found('has Ingress and no ingress rule follows: only other policies allow ingress', 'Ingress')];
    }
    return nothing;
  },
};

function found(reason: string, type: string): Finding {
  const others = type === 'Ingress' ? 'Egress' : 'Ingress';
  return {
    path: 'spec.policyTypes',
    reason,
    fix: `write policyTypes: [${others}], or add the rules`,
  };
}

function hasRules(rules: unknown): boolean {
  return Array.isArray(rules) && rules.length > 0;
}
