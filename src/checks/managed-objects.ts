/** What holds for every object that Bulkhead puts in place, whatever its kind. */
import { isDeepStrictEqual } from 'node:util';
import { isManagedName, managedByLabel, managedByValue } from '../baseline/managed.ts';
import { entry } from '../kubernetes/objects.ts';
import type { NetworkPolicyRequest, ResourceQuotaRequest } from '../kubernetes/review.ts';
import { type Facts, type Finding, nothing } from './check.ts';
import { changesOf, onlyRemoves, sameList } from './metadata-changes.ts';

type ManagedRequest = NetworkPolicyRequest | ResourceQuotaRequest;

/** How the findings of a check speak of its kind. */
export interface ManagedKind {
  readonly check: string;
  /** `policy`, `policies`. */
  readonly one: string;
  readonly many: string;
  /** What to do instead of an edit. */
  readonly instead: string;
}

/** The names and the label of managed objects are Bulkhead's; managed objects stay as they are, and go with their namespace. */
export function judgeManaged(
  { check, one, many, instead }: ManagedKind,
  request: ManagedRequest,
  facts: Facts,
): readonly Finding[] {
  if (facts.requester.platform) return nothing;
  if (isManagedName(request.name) || isManagedName(request.object.metadata?.generateName ?? '')) {
    if (request.operation === 'DELETE' && facts.namespaceEmptied) return nothing;
    if (request.operation === 'UPDATE' && leavesAlone(request)) return nothing;
    const reason = {
      CREATE: `names that begin with bulkhead- are reserved to the ${many} that Bulkhead manages`,
      UPDATE: `the ${one} is managed by Bulkhead and changes only with the tenant or the settings`,
      DELETE: `the ${one} is managed by Bulkhead and stays until the namespace is deleted and its last pod is gone`,
    }[request.operation];
    const fix = {
      CREATE: 'choose another name',
      UPDATE: instead,
      DELETE: 'leave it in place; it goes with the namespace',
    }[request.operation];
    return [{ check, path: 'metadata.name', reason, fix }];
  }
  if (request.operation === 'DELETE' || entry(request.object.metadata?.labels, managedByLabel) !== managedByValue)
    return nothing;
  return [
    {
      check,
      path: `metadata.labels[${managedByLabel}]`,
      reason: `claims that the ${one} is managed by Bulkhead`,
      fix: 'remove the label or give it another value',
    },
  ];
}

function leavesAlone({ object, oldObject }: ManagedRequest): boolean {
  const [after, before] = [object.metadata, oldObject?.metadata];
  return (
    changesOf('labels', object, oldObject).length === 0 &&
    changesOf('annotations', object, oldObject).length === 0 &&
    sameList(after?.ownerReferences, before?.ownerReferences) &&
    onlyRemoves(after?.finalizers, before?.finalizers, () => true) &&
    isDeepStrictEqual(object.spec, oldObject?.spec)
  );
}
