import { managedByLabel, managedByValue, managedPrefix } from '../baseline/managed.ts';
import { managedPolicy as check } from '../checks/managed-policy.ts';
import { networkPolicy } from '../kinds/network-policy/network-policy.ts';
import { allOf, anyOf, literal, metadata, platform, unchanged } from './expressions.ts';
import { type Rule, requests } from './rule.ts';

const label = (object: string): string => `${object}.metadata.?labels[?${literal(managedByLabel)}].orValue("")`;
const claims = (object: string): string => `${label(object)} == ${literal(managedByValue)}`;
const named = (name: string): string => `${name}.startsWith(${literal(managedPrefix)})`;

/**
 * Only Bulkhead writes the policies that it manages, and no other policy looks like them.
 * Leaves to the webhook   whether a pod is left in a terminating namespace: its policies are deleted before it is gone
 */
export const managedPolicy: Rule = {
  check,
  kind: 'NetworkPolicy',
  on: [requests(networkPolicy, ['CREATE', 'UPDATE', 'DELETE'], 'networkpolicies')],
  admits: () =>
    anyOf(
      platform,
      // A delete of many sends no name: the stored one counts (ADM-16).
      allOf(
        'request.operation == "DELETE"',
        anyOf(
          `!(${allOf(named('oldObject.metadata.name'), claims('oldObject'))})`,
          'namespaceObject.metadata.?deletionTimestamp.hasValue()',
        ),
      ),
      allOf(
        'request.operation != "DELETE"',
        anyOf(named('object.metadata.?name.orValue("")'), named('object.metadata.?generateName.orValue("")')),
        'request.operation == "UPDATE"',
        unchanged('labels', 'annotations', 'ownerReferences'),
        `${metadata('object', 'finalizers')}.all(one, one in ${metadata('oldObject', 'finalizers')})`,
        'object.?spec == oldObject.?spec',
      ),
      allOf(
        'request.operation != "DELETE"',
        `!${named('object.metadata.?name.orValue("")')}`,
        `!${named('object.metadata.?generateName.orValue("")')}`,
        `!(${claims('object')})`,
      ),
    ),
};
