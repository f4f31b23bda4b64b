/** Which AuthorizationPolicies ask for a token. Fields of istio.io/docs/reference/config/security: authorization-policy, conditions. */
import { listOf, valueAt } from '../kubernetes/json.ts';

/**
 * Whether a rule asks who the end user is: ALLOW by a token, or DENY without one. A provider of CUSTOM may ask for one. Where one rule asks,
 * the author knows that a RequestAuthentication does not.
 */
export function asksToken(spec: unknown): boolean {
  const action = valueAt(spec, 'action') ?? 'ALLOW';
  if (action === 'CUSTOM') return true;
  const [ofSource, ofCondition] =
    action === 'ALLOW'
      ? ['requestPrincipals', 'values']
      : action === 'DENY'
        ? ['notRequestPrincipals', 'notValues']
        : [];
  if (ofSource === undefined || ofCondition === undefined) return false;
  return listOf(valueAt(spec, 'rules')).some(
    (rule) =>
      listOf(valueAt(rule, 'from')).some((one) => isFilled(valueAt(one, 'source', ofSource))) ||
      listOf(valueAt(rule, 'when')).some(
        (one) => isOfToken(valueAt(one, 'key')) && isFilled(valueAt(one, ofCondition)),
      ),
  );
}

/** `request.auth.principal`, `request.auth.claims[groups]` */
function isOfToken(key: unknown): boolean {
  return typeof key === 'string' && key.startsWith('request.auth.');
}

export const isFilled = (list: unknown): boolean => listOf(list).length > 0;
