import { hostNetwork as check } from '../checks/host-network.ts';
import { podCreations, type Rule } from './rule.ts';

/** A pod of a tenant stays on the pod network. All of new pods. */
export const hostNetwork: Rule = {
  check,
  kind: 'Pod',
  on: [podCreations],
  admits: () => '!object.spec.?hostNetwork.orValue(false)',
};
