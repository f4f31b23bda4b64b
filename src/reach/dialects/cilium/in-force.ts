/** cilium.io/v2 CiliumNetworkPolicy -> what it does in a cluster, its denials included. */
import { isGiven, isMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import { additive, type InForce, type InForceRule } from '../../in-force.ts';
import { readCiliumPolicy } from './policy.ts';

/** Of a rule that denies, what is not understood is left out: so nobody counts as denied who is not. */
export function ciliumInForce(policy: Policy): InForce {
  const allows = additive(readCiliumPolicy(policy), 'cilium');
  const denying = denialsOf(policy);
  if (denying === undefined) return allows;
  const denials = additive(readCiliumPolicy(denying), 'cilium').parts.map(({ subject, rules }) => ({
    subject,
    isolates: [],
    rules: rules.map((rule): InForceRule => ({ ...rule, action: 'deny' })),
  }));
  return { ...allows, parts: [...allows.parts, ...denials] };
}

/** The same policy with the rules that deny in place of those that allow: they have the same fields. Undefined: there are none. */
function denialsOf(policy: Policy): Policy | undefined {
  const { spec, specs }: { spec?: unknown; specs?: unknown } = policy;
  const all = [...(isGiven(spec) ? [spec] : []), ...(Array.isArray(specs) ? specs : [])].filter(isMap);
  const denying = all.filter(({ ingressDeny, egressDeny }) => isGiven(ingressDeny) || isGiven(egressDeny));
  if (denying.length === 0) return undefined;
  const swapped = denying.map(({ endpointSelector, ingressDeny, egressDeny }) => ({
    endpointSelector,
    ingress: ingressDeny,
    egress: egressDeny,
  }));
  return Object.assign({ ...policy }, { spec: undefined, specs: swapped });
}
