import { namespaceOwnerReferences as check } from '../checks/namespace-owner-references.ts';
import { anyOf, metadata, platform } from './expressions.ts';
import { namespaceUpdates, type Rule } from './rule.ts';

/** Nobody but the platform says which object a namespace hangs on. The whole check. */
export const namespaceOwnerReferences: Rule = {
  check,
  kind: 'Namespace',
  on: [namespaceUpdates, { ...namespaceUpdates, resources: ['namespaces'], operations: ['CREATE'] }],
  admits: () =>
    anyOf(
      platform,
      `${metadata('object', 'ownerReferences')} == (request.operation == "CREATE" ? [] : ${metadata('oldObject', 'ownerReferences')})`,
    ),
};
