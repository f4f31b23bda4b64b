import { isMap } from '../kubernetes/json.ts';
import { contradiction, parseSelector } from '../kubernetes/label-selector.ts';
import { type Check, nothing } from './check.ts';

/**
 * Whoever writes a NetworkPolicy that selects no pod is told.
 * Reads    spec.podSelector of a policy of a tenant
 * Warns    when its requirements contradict each other, so that no labels a pod may ever have meet all of them. Whether there
 *          are such pods now is not asked: policies are written before pods
 * Why      it neither isolates nor opens anything, whatever its rules say
 */
export const policyWithoutPods: Check = {
  id: 'policy-without-pods',
  headline: 'selects no pod',
  protects: 'intent',
  networkPolicy({ operation, object }, { owner }) {
    if (owner === 'platform' || operation === 'DELETE') return nothing;
    const podSelector: unknown = object.spec?.podSelector;
    // Equalities alone contradict nothing.
    if (!isMap(podSelector) || !Array.isArray(podSelector.matchExpressions)) return nothing;
    const selector = parseSelector(podSelector);
    const label = selector.ok ? contradiction(selector.value) : undefined;
    if (label === undefined) return nothing;
    return [
      {
        check: 'policy-without-pods',
        path: 'spec.podSelector',
        reason: `selects no pod, as no value of the label ${label} meets all its requirements`,
        fix: `correct the requirements on ${label}`,
      },
    ];
  },
};
