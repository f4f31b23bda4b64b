import { hostPath as check } from '../checks/host-path.ts';
import { podCreations, type Rule } from './rule.ts';

/** A pod of a tenant mounts nothing of its node. All of new pods. */
export const hostPath: Rule = {
  check,
  kind: 'Pod',
  on: [podCreations],
  admits: () => '!object.spec.?volumes.orValue([]).exists(volume, has(volume.hostPath))',
};
