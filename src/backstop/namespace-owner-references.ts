import { namespaceOwnerReferences as check, garbageCollectors } from '../checks/namespace-owner-references.ts';
import { namespace } from '../kinds/namespace.ts';
import { allOf, anyOf, literal, metadata, platform } from './expressions.ts';
import { provisionedBy } from './grants.ts';
import { namespaceUpdates, type Rule, requests } from './rule.ts';

const sameOwner = [
  ...['apiVersion', 'kind', 'name', 'uid'].map((field) => `one.${field} == other.${field}`),
  'one.?controller.orValue(false) == other.?controller.orValue(false)',
].join(' && ');

/** Only the platform sets the owner references of a namespace. The whole check. */
export const namespaceOwnerReferences: Rule = {
  check,
  kind: 'Namespace',
  on: [namespaceUpdates, requests(namespace, ['CREATE'], 'namespaces')],
  admits: (_, { platform: { provisioners } }) =>
    anyOf(
      platform,
      ...provisioners.filter(({ ownerReferences }) => ownerReferences).map((one) => provisionedBy([one])),
      allOf(
        'request.operation == "UPDATE"',
        `request.userInfo.username in ${literal([...garbageCollectors])}`,
        `${metadata('object', 'ownerReferences')}.all(one, ${metadata('oldObject', 'ownerReferences')}.exists(other, ${sameOwner}))`,
      ),
      `${metadata('object', 'ownerReferences')} == (request.operation == "CREATE" ? [] : ${metadata('oldObject', 'ownerReferences')})`,
    ),
};
