/** Whether a CiliumNetworkPolicy with DNS names also lets Cilium learn their addresses. For a warning alone: nothing is proven by it. */
import { type FieldPath, field } from '../../../kubernetes/field-path.ts';
import { isMap, listOf } from '../../../kubernetes/json.ts';
import type { Policy } from '../../../kubernetes/objects.ts';

/**
 * The first `toFQDNs` of a policy none of whose rules sends the questions of its pods to Cilium's DNS proxy, which learns the addresses of
 * names from the answers: a rule for egress on port 53 with `rules.dns`. Undefined: there is such a rule, or no name. Which pods and which
 * name server the rule is about is not looked at.
 */
export function namesToLearn(policy: Policy): FieldPath | undefined {
  const { spec, specs }: { spec?: unknown; specs?: unknown } = policy;
  let found: FieldPath | undefined;
  const places: (readonly [written: unknown, path: FieldPath])[] = [[spec, field(undefined, 'spec')]];
  for (const [index, one] of listOf(specs).entries()) places.push([one, field(field(undefined, 'specs'), index)]);
  for (const [written, path] of places) {
    if (!isMap(written)) continue;
    for (const [index, rule] of listOf(written.egress).entries()) {
      if (!isMap(rule)) continue;
      if (listOf(rule.toPorts).some(asksProxy)) return undefined;
      if (listOf(rule.toFQDNs).length > 0) found ??= field(field(field(path, 'egress'), index), 'toFQDNs');
    }
  }
  return found;
}

function asksProxy(item: unknown): boolean {
  if (!isMap(item) || !isMap(item.rules) || !Array.isArray(item.rules.dns)) return false;
  return listOf(item.ports).some((port) => isMap(port) && port.port === '53');
}
