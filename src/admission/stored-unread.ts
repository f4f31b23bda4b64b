/** A stored object of a kind that the table does not read, judged as if a user who is no member of a tenant wrote it now. */
import { type Judged, judge } from '../checks/judge.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import { unaffiliatedUser } from '../kubernetes/user.ts';
import type { OwnerByName } from '../reach/violation.ts';
import type { NamespaceRecord } from './facts.ts';
import { notExempted, type State } from './stored-policy.ts';

/**
 * Who wrote it is not known: an object by an agent counts as one by a tenant.
 *
 * @returns the findings that no exemption covers; none in a namespace of the platform
 */
export function judgeStoredUnread(
  written: Pick<UnreadRequest, 'kind' | 'group' | 'resource'>,
  object: KubernetesObject,
  record: NamespaceRecord,
  state: State,
): readonly Judged[] {
  const { tenancy, namespaces, now } = state;
  const ownerByName: OwnerByName = (name) => {
    const other = namespaces.lookup(name);
    return other === undefined ? 'none' : tenancy.ownerByLabels(other.labels);
  };
  const owner = tenancy.ownerByLabels(record.labels);
  if (owner === 'platform') return [];
  const request: UnreadRequest = {
    ...written,
    family: 'unread',
    uid: '',
    operation: 'CREATE',
    subresource: '',
    name: object.metadata?.name ?? '',
    namespace: record.name,
    user: unaffiliatedUser,
    dryRun: true,
    object,
    oldObject: undefined,
  };
  const requester = tenancy.requester(unaffiliatedUser, undefined);
  const facts = { tenancy, requester, owner, now, byAgent: false, ownerByName };
  return notExempted(judge({ family: 'unread', request, facts }), state);
}
