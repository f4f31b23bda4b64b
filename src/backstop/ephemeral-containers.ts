import { ephemeralContainers as check } from '../checks/ephemeral-containers.ts';
import { pod } from '../kinds/pod.ts';
import { imagesOf } from './expressions.ts';
import { privileged } from './network-capabilities.ts';
import { type Rule, requests } from './rule.ts';

const before = 'oldObject.spec.?ephemeralContainers.orValue([])';
const isAdded = `${privileged} && !${before}.exists(old, old.name == one.name)`;

/**
 * A container that is added to a running pod is not privileged. Containers that the pod already has are not judged again.
 * Leaves to the webhook   capabilities and host ports
 */
export const ephemeralContainers: Rule = {
  check,
  protects: 'node',
  kind: 'Pod',
  on: [requests(pod, ['UPDATE'], 'pods/ephemeralcontainers')],
  admits: () => `!object.spec.?ephemeralContainers.orValue([]).exists(one, ${isAdded})`,
  images: imagesOf(isAdded, ['ephemeralContainers']),
};
