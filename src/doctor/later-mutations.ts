/**
 * Webhooks of others that change the same objects after Bulkhead. The API server calls mutating webhooks in the order of the names of
 * their configurations, and those with reinvocationPolicy IfNeeded, as Bulkhead's, once more when a later one has changed the object. What
 * they write is judged in the validating phase, so nothing gets past. But a later one that is called once more, too, has the last word:
 * where it undoes the change of Bulkhead, the object is rejected.
 */
import { type DecodedObject, isRecord } from '../client/decode.ts';
import { kinds } from '../kinds/kinds.ts';
import { entry } from '../kubernetes/objects.ts';
import type { DoctorCheck } from './check.ts';
import { storedConfigurations, webhooksOf } from './own-configurations.ts';

export const laterMutations: DoctorCheck = {
  about: 'mutating webhooks of others',
  findings: {
    'webhook-mutates-later': {
      severity: 'warning',
      meaning:
        'another webhook with reinvocationPolicy IfNeeded changes namespaces, policies or GateRequests after Bulkhead. Objects on which it undoes the change of Bulkhead are rejected. Without IfNeeded it is a note',
      fix: 'make sure that it leaves the tenant label and the peers of policies alone, set its reinvocationPolicy to Never, or name its configuration so that it comes before `bulkhead`',
    },
    'webhook-injects-later': {
      severity: 'note',
      meaning:
        'another webhook changes pods after Bulkhead, as the injector of a mesh does. Bulkhead judges the result',
      fix: 'nothing, as long as its pods are admitted',
    },
  },
  async look(examination) {
    const stored = await storedConfigurations(examination);
    for (const object of stored?.otherMutating ?? [])
      for (const { webhook, resources, isLast } of laterThanBulkhead(object)) {
        const isOnlyPods = resources.every((resource) => resource === 'pods');
        const then = isLast ? 'and has the last word' : 'and Bulkhead is called once more after it';
        examination.found(isOnlyPods ? 'webhook-injects-later' : 'webhook-mutates-later', {
          where: `MutatingWebhookConfiguration ${object.metadata.name}, webhook ${webhook}`,
          why: `it is called after Bulkhead, for ${resources.join(', ')}, ${then}`,
          ...(!isLast && { severity: 'note' }),
        });
      }
  },
};

/** What Bulkhead changes, with the group. */
const mutated = kinds.flatMap(({ group, plural, reviews }) =>
  reviews.some(({ phase }) => phase === 'mutate') ? [{ group, plural }] : [],
);

/** @returns the webhooks of the configuration that are called after one of Bulkhead's, and what they change */
export function laterThanBulkhead(
  object: DecodedObject,
): readonly { readonly webhook: string; readonly resources: readonly string[]; readonly isLast: boolean }[] {
  // Source: the API server sorts the configurations by name (mutating_webhook_manager.go).
  if (object.metadata.name < 'bulkhead') return [];
  return [...webhooksOf(object)].flatMap(([webhook, fields]) => {
    const rules = entry(fields, 'rules');
    const resources = mutated.filter(({ group, plural }) =>
      (Array.isArray(rules) ? rules : []).filter(isRecord).some((rule) => {
        const has = (field: string, ...values: readonly string[]) => {
          const list = entry(rule, field);
          return Array.isArray(list) && values.some((one) => list.includes(one));
        };
        return (
          has('apiGroups', group, '*') &&
          has('resources', plural, '*', '*/*') &&
          has('operations', 'CREATE', 'UPDATE', '*')
        );
      }),
    );
    const isLast = entry(fields, 'reinvocationPolicy') === 'IfNeeded';
    return resources.length === 0 ? [] : [{ webhook, resources: resources.map(({ plural }) => plural), isLast }];
  });
}
