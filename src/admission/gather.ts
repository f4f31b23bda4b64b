/**
 * Everything the judgement needs beside the request: the only place on the way of a request that waits. Memory first, one
 * live request for each missing name that counts, otherwise a retryable refusal. Each namespace has its own share of the live
 * requests (client/fair-requests.ts), so one namespace cannot use up the time of all others (NP-23).
 */

import { isManaged } from '../baseline/managed.ts';
import type { Facts, Gathered, GatheredPolicyFacts, ManagedFacts } from '../checks/check.ts';
import { neededNames, needsAccountOwner, needsNamespaceEmptied } from '../checks/needs.ts';
import { policyKindOf } from '../kinds/policy-kind.ts';
import { isGiven } from '../kubernetes/json.ts';
import type {
  AdmissionRequest,
  NamespaceRequest,
  PodRequest,
  PolicyRequest,
  ResourceQuotaRequest,
  TenantRequest,
  WorkloadRequest,
} from '../kubernetes/review.ts';
import { serviceAccountOf, type UserInfo } from '../kubernetes/user.ts';
import { isNarrowable, isNarrowed } from '../mutations/narrowed-peers.ts';
import { namesToLookUp } from '../reach/names-to-look-up.ts';
import type { HolderOf } from '../reach/violation.ts';
import { decideOwner } from '../tenancy/ownership.ts';
import type { Owner, Requester, Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type BaselineSource, type NamespaceRecord, type NamespaceSource, TooManyWait } from './facts.ts';

/** Facts that could not be had in time. Nothing is known to be wrong with the request: it can be tried again. */
export class FactsUnavailable extends Error {
  override readonly name = 'FactsUnavailable';
}

export interface Sources {
  readonly namespaces: NamespaceSource;
  readonly tenancy: Tenancy;
  /**
   * Whether namespaces are isolated. Without it pods are not held: so in the mutating phase, as the validating one follows, and where
   * nothing puts baselines in place (namespaces from files, or a cluster that is only read), for there the wait would be for ever.
   */
  readonly baselines?: BaselineSource | undefined;
  /** The phase in which a policy is not judged, and looked into only where it may be narrowed. */
  readonly mutating?: true;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds that live requests may take, and that a pod may be held. */
  readonly patience: number;
}

/** The share of what is left of a pod's patience in which the watch is waited for; the rest is for asking the API server itself. */
const watchShare = 0.75;

/** Sources with the time, as of `performance.now`, at which the patience is over for all that is asked. */
interface TimedSources extends Sources {
  readonly deadline: number;
}

export function gather(request: AdmissionRequest, sources: Sources): Promise<Gathered> {
  if (request.family === 'tenant') return Promise.resolve(aboutTenant(request, sources));
  const timed = { ...sources, deadline: performance.now() + sources.patience };
  return request.family === 'namespace' ? aboutNamespace(request, timed) : inNamespace(request, timed);
}

/** Tenants are the platform's, whatever they say. */
function aboutTenant(request: TenantRequest, { tenancy, namespaces, now }: Sources): Gathered {
  const { name, user } = request;
  const requester = tenancy.requester(user, undefined);
  const namesOwned = namespaces.namesOwned(name);
  const prefixes = requester.platform ? [...neededNames(request)] : [];
  const covered = prefixes.flatMap((prefix) => namespaces.startingWith(prefix));
  const namesOfOthers = covered.flatMap((record) => {
    const owner = tenancy.ownerByLabels(record.labels);
    return owner !== 'platform' && owner.name === name ? [] : [record.name];
  });
  const owned = { namespacesOwned: namesOwned.size, namesOwned, namesOfOthers };
  return { family: 'tenant', request, facts: { tenancy, requester, owner: 'platform', now, ...owned } };
}

async function aboutNamespace(request: NamespaceRequest, sources: TimedSources): Promise<Gathered> {
  const { tenancy, namespaces, now } = sources;
  const requester = await requesterOf(request, sources);
  const common = { tenancy, requester, now };
  if (request.operation === 'CREATE') {
    const ownership = decideOwner(request.object, requester, tenancy);
    const owner: Owner = ownership.kind === 'decided' ? ownership.owner : 'platform';
    const namespacesOwned = owner === 'platform' ? 0 : namespaces.countOwned(owner.name);
    const facts = { ...common, owner, ownership, namespacesOwned, namespaceEmptied: false };
    return { family: 'namespace', request, facts };
  }
  // Before the request: the stored labels decide, whatever the new ones say.
  const stored = request.oldObject ?? request.object;
  const namespaceEmptied =
    !requester.platform &&
    needsNamespaceEmptied(request) &&
    isGiven(stored.metadata?.deletionTimestamp) &&
    !(await live((signal) => namespaces.hasPods(request.name, signal), sources));
  const owner = tenancy.ownerByLabels(stored.metadata?.labels);
  const facts = { ...common, owner, ownership: undefined, namespacesOwned: 0, namespaceEmptied };
  return { family: 'namespace', request, facts };
}

type InNamespace = PodRequest | PolicyRequest | ResourceQuotaRequest | WorkloadRequest;

async function inNamespace(request: InNamespace, sources: TimedSources): Promise<Gathered> {
  const { tenancy, now } = sources;
  const requester = tenancy.requester(request.user, undefined);
  const record = remembered(request.namespace, sources) ?? (await fetch(request.namespace, sources));
  if (record === undefined) throw new FactsUnavailable(`namespace ${request.namespace} is not known`);
  const owner = tenancy.ownerByLabels(record.labels);
  const facts = { tenancy, requester, owner, now };
  switch (request.family) {
    case 'pod': {
      if (isPodCreation(request) && owner !== 'platform' && owner.mode === 'enforce')
        await untilIsolated(record, sources);
      const asksAccount =
        sources.mutating !== true && needsAccountOwner(request) && owner !== 'platform' && !requester.platform;
      const accountOwner = asksAccount ? await homeOwner(request.user, sources) : undefined;
      return { family: 'pod', request, facts: { ...facts, namespaceLabels: record.labels, accountOwner } };
    }
    case 'workload':
      return { family: 'workload', request, facts: { ...facts, namespaceLabels: record.labels } };
    case 'quota': {
      const namespaceEmptied = await isEmptied(request, record, facts, sources);
      return { family: 'quota', request, facts: { ...facts, namespaceEmptied } };
    }
    case 'policy': {
      const namespaceEmptied = await isEmptied(request, record, facts, sources);
      return { family: 'policy', request, facts: await aboutPolicy(request, { ...facts, namespaceEmptied }, sources) };
    }
  }
}

/** Asked live, and only where it decides: a managed object is deleted while its namespace ends, and not by the platform. */
async function isEmptied(
  { operation, object, namespace }: PolicyRequest | ResourceQuotaRequest,
  { terminating }: NamespaceRecord,
  { requester }: Facts,
  sources: TimedSources,
): Promise<boolean> {
  if (operation !== 'DELETE' || !isManaged(object) || requester.platform || !terminating) return false;
  return !(await live((signal) => sources.namespaces.hasPods(namespace, signal), sources));
}

async function aboutPolicy(
  request: PolicyRequest,
  facts: ManagedFacts,
  sources: TimedSources,
): Promise<GatheredPolicyFacts> {
  const { owner, tenancy } = facts;
  if (request.operation === 'DELETE' || owner === 'platform') return facts;
  if (sources.mutating === true && !(isNarrowed(owner) && isNarrowable(request))) return facts;
  const reach = policyKindOf(request).read(request.object);
  const names = namesToLookUp(reach, { tenant: owner, tenancy, namespace: request.namespace });
  const holderOf = names.length === 0 ? undefined : await holdersOf(names, request, owner, sources);
  return { ...facts, reach, holderOf };
}

/**
 * The owners of these namespaces, whose names are reserved for the tenant. A name that memory does not know counts as free without a
 * GET when the watch was heard after every replica knew the reservation (docs/decisions/0012). All other names are fetched at once.
 *
 * @throws {FactsUnavailable} when one of the GETs fails
 */
async function holdersOf(
  names: readonly string[],
  { namespace }: PolicyRequest,
  tenant: Tenant,
  sources: TimedSources,
): Promise<HolderOf> {
  const { tenancy, namespaces } = sources;
  const known = new Map<string, Owner | 'nobody'>();
  const add = (name: string, record: NamespaceRecord | undefined): void => {
    known.set(name, record === undefined ? 'nobody' : tenancy.ownerByLabels(record.labels));
  };
  const unknown: string[] = [];
  for (const name of names) {
    const record = remembered(name, sources);
    if (record !== undefined || namespaces.isFree(name, tenant.name)) add(name, record);
    else unknown.push(name);
  }
  if (unknown.length > 0) {
    // One signal for all names: making one costs more than a GET that is refused.
    await live(async (late) => {
      // The first failure refuses the request, so the other GETs end and free the share of the namespace.
      const failed = new AbortController();
      const ended = AbortSignal.any([late, failed.signal]);
      try {
        await Promise.all(unknown.map(async (name) => add(name, await namespaces.fetch(name, ended, namespace))));
      } finally {
        failed.abort();
      }
    }, sources);
  }
  return (name) => known.get(name);
}

/**
 * Every pod that is created, by whomever, for whichever node, dry-run too: it is held until its namespace is isolated, and
 * refused for now when that does not come in time (POD-16). A Binding is not held: what was never admitted cannot be bound.
 */
async function untilIsolated(namespace: NamespaceRecord, sources: TimedSources): Promise<void> {
  const { baselines, deadline } = sources;
  if (baselines === undefined || baselines.isIsolated(namespace)) return;
  const left = deadline - performance.now();
  const notYet = `namespace ${namespace.name} has no default-deny policy yet, and no pod is admitted before it`;
  if (left <= 0) throw new FactsUnavailable(notYet);
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), left * watchShare);
  let isolated: boolean;
  try {
    isolated = await baselines.whenIsolated(namespace, ended.signal);
  } catch (error) {
    if (!(error instanceof TooManyWait)) throw error;
    throw new FactsUnavailable(`${notYet}; others wait for it already`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  isolated ||= await live((signal) => baselines.fetchIsolated(namespace, signal), sources);
  if (!isolated) throw new FactsUnavailable(notYet);
}

function isPodCreation({ family, operation, subresource }: AdmissionRequest): boolean {
  return family === 'pod' && operation === 'CREATE' && subresource === '';
}

/** Service accounts speak for the tenant whose namespace they live in, so that namespace is looked up as well. */
async function requesterOf(request: NamespaceRequest, sources: TimedSources): Promise<Requester> {
  const { tenancy } = sources;
  const requester = tenancy.requester(request.user, undefined);
  if (requester.platform) return requester;
  const home = await homeOwner(request.user, sources);
  // An account whose namespace is gone speaks for nobody but those that list it by name.
  return home === undefined ? requester : tenancy.requester(request.user, home);
}

/** The owner of a service account's namespace. Undefined for other users, and when that namespace no longer exists. */
async function homeOwner(user: UserInfo, sources: TimedSources): Promise<Owner | undefined> {
  const account = serviceAccountOf(user);
  if (account === undefined) return undefined;
  const home = remembered(account.namespace, sources) ?? (await fetch(account.namespace, sources));
  return home === undefined ? undefined : sources.tenancy.ownerByLabels(home.labels);
}

/**
 * A namespace on its way out is asked for live: it may be gone by now, and its name given anew. Judged by what was known of the
 * old one, a tenant could delete the default-deny policy of the new one, or be taken for the tenant that had the name before.
 */
function remembered(name: string, { namespaces }: Sources): NamespaceRecord | undefined {
  const record = namespaces.lookup(name);
  return record?.terminating === true ? undefined : record;
}

function fetch(name: string, sources: TimedSources): Promise<NamespaceRecord | undefined> {
  return live((signal) => sources.namespaces.fetch(name, signal), sources);
}

async function live<Value>(ask: (signal: AbortSignal) => Promise<Value>, { deadline }: TimedSources): Promise<Value> {
  const patience = deadline - performance.now();
  if (patience <= 0) throw new FactsUnavailable('there was no time left to ask the API server');
  // The timer takes whole milliseconds and throws on anything else.
  const signal = AbortSignal.timeout(Math.ceil(patience));
  try {
    return await ask(signal);
  } catch (error) {
    if (error instanceof TooManyWait)
      throw new FactsUnavailable('too many requests in this namespace wait for the API server', { cause: error });
    const failed = signal.aborted ? 'did not answer in time' : 'could not be asked';
    throw new FactsUnavailable(`the API server ${failed}`, { cause: error });
  }
}
