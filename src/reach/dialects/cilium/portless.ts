/** What a CiliumNetworkPolicy says of protocols without ports, which who reaches whom leaves out (in-force.ts). */
import { isMap } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';
import { otherProtocols } from './ports.ts';

/**
 * The same policy without what it says of ICMP and other protocols that have no ports. A rule about those alone stays, and is about no port:
 * `toPorts: [{}]`.
 */
export function withoutPortless(policy: Policy): Policy {
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
