import { tolerations as check } from '../checks/tolerations.ts';
import { pod } from '../kinds/pod.ts';
import { allOf } from './expressions.ts';
import { type Rule, requests } from './rule.ts';

/**
 * A pod of a tenant does not tolerate every taint.
 * Leaves to the webhook   which keys are reserved for whom
 */
export const tolerations: Rule = {
  check,
  kind: 'Pod',
  on: [requests(pod, ['CREATE', 'UPDATE'], 'pods')],
  admits: () =>
    `!object.spec.?tolerations.orValue([]).exists(one, ${allOf(
      'one.?key.orValue("") == ""',
      '!(request.operation == "UPDATE" && oldObject.spec.?tolerations.orValue([]).exists(known, known.?key.orValue("") == "" && known.?effect.orValue("") == one.?effect.orValue("")))',
    )})`,
};
