import { networkCapabilities as check } from '../checks/network-capabilities.ts';
import { imagesOf, noContainer } from './expressions.ts';
import { podCreations, type Rule } from './rule.ts';

/** CEL: whether the container in the variable `one` is privileged. */
export const privileged = 'one.?securityContext.?privileged.orValue(false)';

/**
 * A container of a tenant is not privileged. The rule ephemeral-containers covers those that are added later.
 * Leaves to the webhook   capabilities, which are spelled in many ways
 */
export const networkCapabilities: Rule = {
  check,
  protects: 'node',
  kind: 'Pod',
  on: [podCreations],
  admits: () => noContainer(privileged),
  images: imagesOf(privileged),
};
