/**
 * Everything the judgement needs beside the request: the only place on the way of a request that waits. Memory first, one
 * live request on a miss, else a refusal that can be tried again.
 */

import { isManagedName } from '../baseline/managed.ts';
import type { Facts } from '../checks/check.ts';
import { losesItsFinalizer } from '../checks/namespace-finalize.ts';
import { isGiven } from '../kubernetes/json.ts';
import type {
  AdmissionRequest,
  NamespaceRequest,
  NetworkPolicyRequest,
  PodRequest,
  ResourceQuotaRequest,
  TenantRequest,
} from '../kubernetes/review.ts';
import { serviceAccountOf } from '../kubernetes/user.ts';
import { decideOwner } from '../tenancy/ownership.ts';
import type { Owner, Requester, Tenancy } from '../tenancy/tenancy.ts';
import { type BaselineSource, type NamespaceRecord, type NamespaceSource, TooManyWait } from './facts.ts';

/** Facts that could not be had in time. Nothing is known to be wrong with the request: it can be tried again. */
export class FactsUnavailable extends Error {
  override readonly name = 'FactsUnavailable';
}

export interface Sources {
  readonly namespaces: NamespaceSource;
  readonly tenancy: Tenancy;
  /**
   * Whether namespaces are closed. Without it pods are not held: so in the mutating phase, which never refuses, and where
   * nothing puts baselines in place (namespaces from files, or a cluster that is only read), for there the wait would be for ever.
   */
  readonly baselines?: BaselineSource | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds that live requests may take, and that a pod may be held. */
  readonly patience: number;
}

/** The share of a pod's patience in which the watch is waited for; the rest is for asking the API server itself. */
const watchShare = 0.75;

export async function gather(request: AdmissionRequest, sources: Sources): Promise<Facts> {
  if (request.kind === 'Tenant') return aboutTenant(request, sources);
  return request.kind === 'Namespace' ? aboutNamespace(request, sources) : inNamespace(request, sources);
}

/** Tenants are the platform's, whatever they say. */
function aboutTenant({ name, user }: TenantRequest, { tenancy, namespaces, now }: Sources): Facts {
  const requester = tenancy.requester(user, undefined);
  const namespacesOwned = namespaces.countOwned(name);
  return { tenancy, requester, owner: 'platform', ownership: undefined, namespacesOwned, namespaceEmptied: false, now };
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
    losesItsFinalizer(request) &&
    isGiven(stored.metadata?.deletionTimestamp) &&
    !(await live((signal) => namespaces.hasPods(request.name, signal), sources));
  const owner = tenancy.ownerByLabels(stored.metadata?.labels);
  return { ...common, owner, ownership: undefined, namespacesOwned: 0, namespaceEmptied };
}

type InNamespace = PodRequest | NetworkPolicyRequest | ResourceQuotaRequest;

async function inNamespace(request: InNamespace, sources: Sources): Promise<Facts> {
  const { tenancy, namespaces, now } = sources;
  const began = performance.now();
  const requester = tenancy.requester(request.user, undefined);
  const remembered = namespaces.lookup(request.namespace);
  // The API server itself lets no pod into a namespace on its way out: there must be a newer one of the same name.
  const outdated = isPodCreation(request) && remembered?.terminating === true;
  const record = outdated || remembered === undefined ? await fetch(request.namespace, sources) : remembered;
  if (record === undefined) throw new FactsUnavailable(`namespace ${request.namespace} is not known`);
  const owner = tenancy.ownerByLabels(record.labels);
  if (isPodCreation(request) && owner !== 'platform' && owner.mode === 'enforce') {
    await untilClosed(record, sources, began + sources.patience);
  }
  const namespaceEmptied =
    request.kind !== 'Pod' &&
    request.operation === 'DELETE' &&
    isManagedName(request.name) &&
    !requester.platform &&
    record.terminating &&
    !(await live((signal) => namespaces.hasPods(request.namespace, signal), sources));
  return { tenancy, requester, owner, ownership: undefined, namespacesOwned: 0, namespaceEmptied, now };
}

/**
 * Every pod that is created, by whomever, for whichever node, dry-run too: it is held until its namespace is closed, and
 * refused for now when that does not come in time (POD-16). A Binding is not held: what was never admitted cannot be bound.
 */
async function untilClosed(namespace: NamespaceRecord, sources: Sources, deadline: number): Promise<void> {
  const { baselines } = sources;
  if (baselines === undefined || baselines.closed(namespace)) return;
  const left = deadline - performance.now();
  const notYet = `namespace ${namespace.name} has no default-deny policy yet, and no pod is admitted before it`;
  if (left <= 0) throw new FactsUnavailable(notYet);
  const patience = left * (1 - watchShare);
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), left * watchShare);
  let closed: boolean;
  try {
    closed = await baselines.whenClosed(namespace, ended.signal);
  } catch (error) {
    if (!(error instanceof TooManyWait)) throw error;
    throw new FactsUnavailable(`${notYet}; others wait for it already`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  closed ||= await live((signal) => baselines.fetchClosed(namespace, signal), { patience });
  if (!closed) throw new FactsUnavailable(notYet);
}

function isPodCreation({ kind, operation, subresource }: AdmissionRequest): boolean {
  return kind === 'Pod' && operation === 'CREATE' && subresource === '';
}

/** Service accounts speak for the tenant whose namespace they live in, so that namespace is looked up as well. */
async function requesterOf(request: NamespaceRequest, sources: Sources): Promise<Requester> {
  const { tenancy } = sources;
  const requester = tenancy.requester(request.user, undefined);
  const account = serviceAccountOf(request.user);
  if (requester.platform || account === undefined) return requester;
  const home = sources.namespaces.lookup(account.namespace) ?? (await fetch(account.namespace, sources));
  // An account whose namespace is gone speaks for nobody but those that list it by name.
  return home === undefined ? requester : tenancy.requester(request.user, tenancy.ownerByLabels(home.labels));
}

async function fetch(name: string, sources: Sources): Promise<NamespaceRecord | undefined> {
  return await live((signal) => sources.namespaces.fetch(name, signal), sources);
}

async function live<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  { patience }: Pick<Sources, 'patience'>,
): Promise<Value> {
  if (patience <= 0) throw new FactsUnavailable('there was no time left to ask the API server');
  // The timer takes whole milliseconds and throws on anything else.
  const signal = AbortSignal.timeout(Math.ceil(patience));
  try {
    return await ask(signal);
  } catch (error) {
    const failed = signal.aborted ? 'did not answer in time' : 'could not be asked';
    throw new FactsUnavailable(`the API server ${failed}`, { cause: error });
  }
}
