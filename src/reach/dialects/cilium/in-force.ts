/** cilium.io/v2 CiliumNetworkPolicy -> what it does in a cluster, its denials included. */
import { isGiven, isMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import { additive, type InForce, type InForceRule } from '../../in-force.ts';
import { readCiliumPolicy } from './policy.ts';
import { otherProtocols } from './ports.ts';

/** Of a rule that denies, what is not understood is left out: so nobody counts as denied who is not. */
export function ciliumInForce(policy: Policy): InForce {
  const plain = withoutPortless(policy);
  const allows = additive(readCiliumPolicy(plain), 'cilium');
  const denying = denialsOf(plain);
  if (denying === undefined) return allows;
  const denials = additive(readCiliumPolicy(denying), 'cilium').parts.map(({ subject, rules }) => ({
    subject,
    isolates: [],
    rules: rules.map((rule): InForceRule => ({ ...rule, action: 'deny' })),
  }));
  return { ...allows, parts: [...allows.parts, ...denials] };
}

/**
 * The same policy without what it says of ICMP and other protocols that have no ports. A rule about those alone stays, and is about no port:
 * `toPorts: [{}]`.
 */
function withoutPortless(policy: Policy): Policy {
  const { spec, specs }: { spec?: unknown; specs?: unknown } = policy;
  const plain = (written: unknown): unknown => {
    if (!isMap(written)) return written;
    const lists = ruleLists.flatMap((name) => {
      const rules = written[name];
      return Array.isArray(rules) && rules.some(isPortless) ? [[name, rules.map(withPortsAlone)] as const] : [];
    });
    return lists.length === 0 ? written : { ...written, ...Object.fromEntries(lists) };
  };
  return Object.assign({ ...policy }, { spec: plain(spec), specs: Array.isArray(specs) ? specs.map(plain) : specs });
}

const ruleLists = ['ingress', 'ingressDeny', 'egress', 'egressDeny'] as const;

function isPortless(rule: unknown): boolean {
  if (!isMap(rule)) return false;
  const { icmps, toPorts } = rule;
  const hasIcmp = Array.isArray(icmps) && icmps.length > 0;
  return hasIcmp || (Array.isArray(toPorts) && toPorts.some((one) => portsIn(one).some(isOfOther)));
}

function withPortsAlone(rule: unknown): unknown {
  if (!isMap(rule) || !isPortless(rule)) return rule;
  const { icmps: _, toPorts, ...rest } = rule;
  const lists: readonly unknown[] = Array.isArray(toPorts) ? toPorts : [];
  const kept = lists.map((one) =>
    isMap(one) ? { ...one, ports: portsIn(one).filter((port) => !isOfOther(port)) } : one,
  );
  return { ...rest, toPorts: [...kept, {}] };
}

function portsIn(item: unknown): readonly unknown[] {
  const ports: unknown = isMap(item) ? item.ports : undefined;
  return Array.isArray(ports) ? ports : [];
}

function isOfOther(port: unknown): boolean {
  return isMap(port) && typeof port.protocol === 'string' && otherProtocols.has(port.protocol);
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
