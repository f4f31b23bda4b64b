import type { PolicyVerdict } from '../kinds/kind.ts';
import { type Check, nothing } from './check.ts';

/**
 * Warns the author of a policy that can select no pod.
 * Reads    spec.podSelector of a NetworkPolicy of a tenant; spec.endpointSelector and specs[*].endpointSelector of a CiliumNetworkPolicy
 * Warns    when its requirements contradict each other, so that no labels a pod may ever have meet all of them. Whether there
 *          are such pods now is not checked: policies are written before pods
 * Why      it neither isolates nor opens anything, whatever its rules say
 */
export const policyWithoutPods: Check = {
  id: 'policy-without-pods',
  headline: 'selects no pods',
  protects: 'intent',
  policy(_, { border }) {
    if (border.length === 0) return nothing;
    return border.filter(isAboutItsPods).map(({ path, reason, fix }) => ({ path, reason, fix }));
  },
};

const subjects = /^(?:spec\.podSelector|specs?(?:\[\d+\])?\.endpointSelector)$/;

/** Whether it says of a policy that it selects no pod. */
export function isAboutItsPods({ verdict, path }: PolicyVerdict): boolean {
  return verdict === 'nothing' && subjects.test(path);
}
