import { hostNamespaces as check } from '../checks/host-namespaces.ts';
import { podCreations, type Rule } from './rule.ts';

/** A pod of a tenant does not share its node's process and memory namespaces. All of new pods. */
export const hostNamespaces: Rule = {
  check,
  kind: 'Pod',
  on: [podCreations],
  admits: () => '!object.spec.?hostPID.orValue(false) && !object.spec.?hostIPC.orValue(false)',
};
