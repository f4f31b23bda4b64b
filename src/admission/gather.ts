/**
 * Everything the judgement needs beside the request: the only place on the way of a request that waits. Memory first, one
 * live request on a miss, else a refusal that can be tried again.
 */

import { isManagedName } from '../baseline/managed.ts';
import type { Facts } from '../checks/check.ts';
import type { AdmissionRequest, NamespaceRequest, NetworkPolicyRequest, PodRequest } from '../kubernetes/review.ts';
import { serviceAccountOf } from '../kubernetes/user.ts';
import { decideOwner } from '../tenancy/ownership.ts';
import type { Owner, Requester, Tenancy } from '../tenancy/tenancy.ts';
import type { NamespaceRecord, NamespaceSource } from './facts.ts';

/** Facts that could not be had in time. Nothing is known to be wrong with the request: it can be tried again. */
export class FactsUnavailable extends Error {
  override readonly name = 'FactsUnavailable';
}

export interface Sources {
  readonly namespaces: NamespaceSource;
  readonly tenancy: Tenancy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds that live requests may take. */
  readonly patience: number;
}

export async function gather(request: AdmissionRequest, sources: Sources): Promise<Facts> {
  return request.kind === 'Namespace' ? aboutNamespace(request, sources) : inNamespace(request, sources);
}

async function aboutNamespace(request: NamespaceRequest, sources: Sources): Promise<Facts> {
  const { tenancy, namespaces, now } = sources;
  const requester = await requesterOf(request, sources);
  const common = { tenancy, requester, now };
  if (request.operation === 'CREATE') {
    const ownership = decideOwner(request.object, requester, tenancy);
    const owner: Owner = ownership.kind === 'decided' ? ownership.owner : 'platform';
    const namespacesOwned = owner === 'platform' ? 0 : namespaces.countOwned(owner.name);
    return { ...common, owner, ownership, namespacesOwned, namespaceEmptied: false };
  }
  // Before the request: the stored labels decide, whatever the new ones say.
  const stored = request.oldObject ?? request.object;
  const namespaceEmptied =
    !requester.platform &&
    losesFinalizer(request) &&
    isSet(stored.metadata?.deletionTimestamp) &&
    !(await live((signal) => namespaces.hasPods(request.name, signal), sources));
  const owner = tenancy.ownerByLabels(stored.metadata?.labels);
  return { ...common, owner, ownership: undefined, namespacesOwned: 0, namespaceEmptied };
}

async function inNamespace(request: PodRequest | NetworkPolicyRequest, sources: Sources): Promise<Facts> {
  const { tenancy, namespaces, now } = sources;
  const requester = tenancy.requester(request.user, undefined);
  const record = await find(request.namespace, sources);
  if (record === undefined) throw new FactsUnavailable(`namespace ${request.namespace} is not known`);
  const namespaceEmptied =
    request.kind === 'NetworkPolicy' &&
    request.operation === 'DELETE' &&
    isManagedName(request.name) &&
    !requester.platform &&
    record.terminating &&
    !(await live((signal) => namespaces.hasPods(request.namespace, signal), sources));
  const owner = tenancy.ownerByLabels(record.labels);
  return { tenancy, requester, owner, ownership: undefined, namespacesOwned: 0, namespaceEmptied, now };
}

/** Service accounts speak for the tenant whose namespace they live in, so that namespace is looked up as well. */
async function requesterOf(request: NamespaceRequest, sources: Sources): Promise<Requester> {
  const { tenancy } = sources;
  const requester = tenancy.requester(request.user, undefined);
  const account = serviceAccountOf(request.user);
  if (requester.platform || account === undefined) return requester;
  const home = await find(account.namespace, sources);
  // An account whose namespace is gone speaks for nobody but those that list it by name.
  return home === undefined ? requester : tenancy.requester(request.user, tenancy.ownerByLabels(home.labels));
}

async function find(name: string, sources: Sources): Promise<NamespaceRecord | undefined> {
  return sources.namespaces.lookup(name) ?? (await live((signal) => sources.namespaces.fetch(name, signal), sources));
}

async function live<Value>(ask: (signal: AbortSignal) => Promise<Value>, { patience }: Sources): Promise<Value> {
  if (patience <= 0) throw new FactsUnavailable('there was no time left to ask the API server');
  try {
    // The timer takes whole milliseconds and throws on anything else.
    return await ask(AbortSignal.timeout(Math.ceil(patience)));
  } catch (error) {
    throw new FactsUnavailable('the API server did not answer in time', { cause: error });
  }
}

function losesFinalizer({ object, oldObject }: NamespaceRequest): boolean {
  const kept = object.spec?.finalizers ?? [];
  return (oldObject?.spec?.finalizers ?? []).some((finalizer) => !kept.includes(finalizer));
}

function isSet(timestamp: string | null | undefined): boolean {
  return timestamp !== undefined && timestamp !== null;
}
