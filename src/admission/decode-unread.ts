/**
 * Requests about kinds that carry network policy and that no entry of the table reads. Of their objects nothing is known, so only the
 * metadata is held to its types; the object of a subresource may be of another kind, such as Scale.
 */
import { isUnread } from '../kinds/unread-kinds.ts';
import type { JsonMap } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import { agreed, objectAt, operationOf, optionalText, Refusal, readMetadata, text, userOf } from './review-fields.ts';

/**
 * @param request of the review
 * @returns undefined: it is about another kind
 * @throws Refusal
 */
export function unreadRequest(uid: string, request: JsonMap): UnreadRequest | undefined {
  const { group: given, resource: plural } = objectAt(request.resource, 'request.resource');
  const group = optionalText(given, 'request.resource.group');
  const resource = text(plural, 'request.resource.resource');
  if (!isUnread(group, resource)) return undefined;
  const operation = operationOf(request.operation);
  const newest = operation === 'DELETE' ? undefined : objectWithMetadata(request.object, 'request.object');
  const stored = operation === 'CREATE' ? undefined : objectWithMetadata(request.oldObject, 'request.oldObject');
  const object = newest ?? stored;
  if (object === undefined) throw new Refusal('the request carries no object');
  const { metadata } = object;
  const before = stored?.metadata;
  return {
    family: 'unread',
    uid,
    operation,
    group,
    resource,
    kind: text(objectAt(request.kind, 'request.kind').kind, 'request.kind.kind'),
    subresource: optionalText(request.subResource, 'request.subResource'),
    name: agreed('name', optionalText(request.name, 'request.name'), metadata?.name, before?.name),
    namespace: agreed(
      'namespace',
      optionalText(request.namespace, 'request.namespace'),
      metadata?.namespace,
      before?.namespace,
    ),
    user: userOf(request.userInfo),
    dryRun: request.dryRun === true,
    object,
    oldObject: operation === 'UPDATE' ? stored : undefined,
  };
}

function objectWithMetadata(value: unknown, path: string): KubernetesObject {
  const object = objectAt(value, path);
  readMetadata(objectAt(object.metadata, path, 'metadata'), path);
  return object;
}
