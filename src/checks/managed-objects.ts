/** What holds for every object that Bulkhead puts in place, whatever its kind. */
import { isDeepStrictEqual } from 'node:util';
import { isManaged, isManagedName, managedByLabel, managedByValue } from '../baseline/managed.ts';
import { policyKindOf } from '../kinds/policy-kind.ts';
import { entry } from '../kubernetes/objects.ts';
import type { PolicyRequest, ResourceQuotaRequest } from '../kubernetes/review.ts';
import { type Finding, type ManagedFacts, nothing } from './check.ts';
import { onlyTakesFinalizers } from './metadata-changes.ts';

type ManagedRequest = PolicyRequest | ResourceQuotaRequest;

/** How the findings of a check speak of its kind. */
export interface ManagedKind {
  /** `policy`, `policies`. */
  readonly one: string;
  readonly many: string;
  /** What to do instead of an edit. */
  readonly instead: string;
}

/**
 * The names and the label of managed objects are Bulkhead's; managed objects stay as they are, and go with their namespace.
 * What has such a name and not the label is older than Bulkhead: its owner may delete it and no more.
 */
export function judgeManaged(
  { one, many, instead }: ManagedKind,
  request: ManagedRequest,
  facts: ManagedFacts,
): readonly Finding[] {
  const { operation, name, object, oldObject } = request;
  if (facts.requester.platform) return nothing;
  const path = 'metadata.name';
  if (operation === 'DELETE') {
    if (!isManaged(object) || facts.namespaceEmptied) return nothing;
    const reason = `the ${one} is managed by Bulkhead and stays until the namespace is deleted and its last pod is gone`;
    return [{ path, reason, fix: 'leave it in place; it goes with the namespace' }];
  }
  if (isManagedName(name) || isManagedName(object.metadata?.generateName ?? '')) {
    if (leavesSpecAlone(request) && onlyTakesFinalizers(request, () => true)) return nothing;
    if (oldObject !== undefined && isManaged(oldObject)) {
      const reason = `the ${one} is managed by Bulkhead and changes only with the tenant or the settings`;
      return [{ path, reason, fix: instead }];
    }
    const reason = `names that begin with bulkhead- are reserved to the ${many} that Bulkhead manages`;
    const fix = oldObject === undefined ? 'choose another name' : 'delete it and write it anew under another name';
    return [{ path, reason, fix }];
  }
  if (entry(object.metadata?.labels, managedByLabel) !== managedByValue) return nothing;
  return [
    {
      path: `metadata.labels[${managedByLabel}]`,
      reason: `claims that the ${one} is managed by Bulkhead`,
      fix: 'remove the label or give it another value',
    },
  ];
}

function leavesSpecAlone(request: ManagedRequest): boolean {
  if (request.oldObject === undefined) return false;
  return request.family === 'policy'
    ? policyKindOf(request).unchanged(request.object, request.oldObject)
    : isDeepStrictEqual(request.object.spec, request.oldObject.spec);
}
