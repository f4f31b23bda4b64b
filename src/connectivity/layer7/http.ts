/**
 * Fields of an AuthorizationPolicy that only a proxy for HTTP understands. Where the traffic is TCP, and in ztunnel, a rule of ALLOW with one
 * of them never matches, and a rule of DENY matches without them (istio.io, "Fallback on TCP"; ambient, "Layer 4 policies").
 */
import { isMap, listOf, valueAt } from '../../kubernetes/json.ts';
import { isFilled } from '../tokens.ts';

const ofSource = new Set(['requestPrincipals', 'notRequestPrincipals']);
const ofOperation = new Set(['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths']);

export function isAboutHttp(rule: unknown): boolean {
  const has = (list: unknown, inner: string, names: ReadonlySet<string>): boolean =>
    listOf(list).some((one) => [...names].some((name) => isFilled(valueAt(one, inner, name))));
  return (
    has(valueAt(rule, 'from'), 'source', ofSource) ||
    has(valueAt(rule, 'to'), 'operation', ofOperation) ||
    listOf(valueAt(rule, 'when')).some(isOfRequest)
  );
}

/** The same rule as a proxy for TCP reads it. */
export function withoutHttp(rule: unknown): unknown {
  if (!isMap(rule)) return rule;
  const stripped = (list: unknown, inner: string, names: ReadonlySet<string>): readonly unknown[] =>
    listOf(list).map((one) => {
      const fields = valueAt(one, inner);
      if (!isMap(fields)) return one;
      return { [inner]: Object.fromEntries(Object.entries(fields).filter(([name]) => !names.has(name))) };
    });
  return {
    ...rule,
    from: stripped(rule.from, 'source', ofSource),
    to: stripped(rule.to, 'operation', ofOperation),
    when: listOf(rule.when).filter((one) => !isOfRequest(one)),
  };
}

function isOfRequest(condition: unknown): boolean {
  const key = valueAt(condition, 'key');
  return typeof key === 'string' && key.startsWith('request.');
}
