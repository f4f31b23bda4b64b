/**
 * Everything the judgement needs beside the request: the only place on the way of a request that waits. Memory first, one
 * live request for each missing name that counts, otherwise a retryable refusal.
 */
import { isManaged } from '../baseline/managed.ts';
import type { Facts, Gathered } from '../checks/check.ts';
import {
  namespacesNamed,
  neededNames,
  needsAccountOwner,
  needsOwnerOfAccount,
  versionsOfOthers,
} from '../checks/needs.ts';
import { tenantsOf } from '../exemptions/doubt.ts';
import { isJudged, policyKindOf } from '../kinds/policy-kind.ts';
import { valueAt } from '../kubernetes/json.ts';
import type {
  AdmissionRequest,
  ExemptionRequest,
  GateRequestRequest,
  NeighbourRequest,
  PodRequest,
  PolicyRequest,
  ResourceQuotaRequest,
  TenantRequest,
  UnreadRequest,
  WorkloadRequest,
} from '../kubernetes/review.ts';
import { serviceAccountOf } from '../kubernetes/user.ts';
import { isNarrowable, isNarrowed } from '../mutations/narrowed-peers.ts';
import { namesToLookUp } from '../reach/names-to-look-up.ts';
import { meshNamespaces } from '../tenancy/mesh-namespaces.ts';
import { reservationsOf } from '../tenancy/reserved-names.ts';
import { fitsPattern } from '../tenancy/schema/fits-pattern.ts';
import { labelName } from '../tenancy/schema/names.ts';
import type { Owner, Requester } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import { type GatheredBeside, othersOfKind, withBeside } from './beside.ts';
import type { NamespaceRecord } from './facts.ts';
import { aboutNamespace } from './gather-namespace.ts';
import {
  FactsUnavailable,
  fetch,
  hasPods,
  homeOwner,
  ownersOfNames,
  ownersOfReserved,
  remembered,
  type Sources,
  type TimedSources,
  untilIsolated,
} from './live-facts.ts';

export function gather(request: AdmissionRequest, sources: Sources): Promise<GatheredBeside> {
  if (request.family === 'tenant') return Promise.resolve(aboutTenant(request, sources));
  const timed = { ...sources, deadline: sources.clock.elapsed() + sources.timeBudget };
  const gathering = factsOf(request, timed);
  const isCompared = timed.beside !== undefined && (request.family === 'policy' || request.family === 'unread');
  return isCompared ? withBeside(gathering, timed) : gathering;
}

function factsOf(request: Exclude<AdmissionRequest, TenantRequest>, timed: TimedSources): Promise<Gathered> {
  if (request.family === 'exemption') return aboutExemption(request, timed);
  if (request.family === 'unread') return aboutUnread(request, timed);
  return request.family === 'namespace' ? aboutNamespace(request, timed) : inNamespace(request, timed);
}

/** Tenants are the platform's, whatever they say. */
function aboutTenant(request: TenantRequest, { tenancy, namespaces, now }: Sources): Gathered {
  const { name, user } = request;
  const requester = tenancy.requester(user, undefined);
  const namesOwned = namespaces.namesOwned(name);
  const namesOfOthers: string[] = [];
  const reserved = neededNames(request);
  for (const record of requester.platform && reserved.size > 0 ? namespaces.all() : []) {
    const owner = tenancy.ownerByLabels(record.labels);
    const isOwn = owner !== 'platform' && owner.name === name;
    if (!isOwn && reservationsOf(record.name).some((one) => reserved.has(one))) namesOfOthers.push(record.name);
  }
  const owned = { namespacesOwned: namesOwned.size, namesOwned, namesOfOthers };
  return { family: 'tenant', request, facts: { tenancy, requester, owner: 'platform', now, ...owned } };
}

/** Exemptions are the platform's. The namespace decides only the text for the author. */
async function aboutExemption(request: ExemptionRequest, sources: TimedSources): Promise<Gathered> {
  const { tenancy, now } = sources;
  const requester = tenancy.requester(request.user, undefined);
  const name = valueAt(request.object.spec, 'namespace');
  const isNamed = requester.platform && typeof name === 'string' && fitsPattern(name, labelName);
  const record = isNamed ? (remembered(name, sources) ?? (await fetch(name, sources))) : undefined;
  const namespaceOf = tenantsOf(tenancy, () => record);
  return { family: 'exemption', request, facts: { tenancy, requester, owner: 'platform', now, namespaceOf } };
}

/** What is cluster-scoped is the platform's. */
async function aboutUnread(request: UnreadRequest, sources: TimedSources): Promise<Gathered> {
  const { tenancy, now } = sources;
  const { namespace } = request;
  const owner =
    namespace === ''
      ? 'platform'
      : tenancy.ownerByLabels((remembered(namespace, sources) ?? (await fetched(namespace, sources))).labels);
  const requester = await requesterAt(request, owner, sources);
  const byAgent =
    !requester.platform &&
    tenancy.isAgentsWrite(request.user, request) &&
    // A tenant may have had a namespace of that name before the settings reserved it.
    (serviceAccountOf(request.user) === undefined || (await homeOwner(request.user, sources)) === 'platform');
  const facts = { tenancy, requester, owner, now, byAgent };
  const names = reservedNamesIn(request, facts);
  const ownerByName = await ownersOfNames(names, request, sources);
  const others = requester.platform ? await othersOfKind(request, versionsOfOthers(request), sources) : undefined;
  return { family: 'unread', request, facts: { ...facts, ownerByName, othersOfKind: others } };
}

type InNamespace =
  | NeighbourRequest
  | PodRequest
  | PolicyRequest
  | ResourceQuotaRequest
  | GateRequestRequest
  | WorkloadRequest;

/** Waits only for what is not in memory: every `await` costs, and most requests need none. */
async function inNamespace(request: InNamespace, sources: TimedSources): Promise<Gathered> {
  const { tenancy, now } = sources;
  const record = remembered(request.namespace, sources) ?? (await fetched(request.namespace, sources));
  const owner = tenancy.ownerByLabels(record.labels);
  const facts = { tenancy, requester: tenancy.requester(request.user, undefined), owner, now };
  switch (request.family) {
    case 'pod': {
      const { baselines } = sources;
      const isCreated = request.operation === 'CREATE' && request.subresource === '';
      const isHeld = isCreated && owner !== 'platform' && owner.mode === 'enforce';
      if (isHeld && baselines?.isIsolated(record) === false) await untilIsolated(record, baselines, sources);
      const accountOwner = asksAccount(request, facts, sources) ? await homeOwner(request.user, sources) : undefined;
      return { family: 'pod', request, facts: { ...facts, namespaceLabels: record.labels, accountOwner } };
    }
    case 'gate': {
      // Whether it acts for another tenant.
      const requester = tenancy.requester(request.user, await homeOwner(request.user, sources));
      return { family: 'gate', request, facts: { ...facts, requester } };
    }
    case 'neighbour': {
      const names = reservedNamesIn(request, facts);
      const ownerByName = await ownersOfNames(names, request, sources);
      const accountOwner = needsOwnerOfAccount(request) ? await homeOwner(request.user, sources) : undefined;
      return { family: 'neighbour', request, facts: { ...facts, ownerByName, accountOwner } };
    }
    case 'workload':
      return { family: 'workload', request, facts: { ...facts, namespaceLabels: record.labels } };
    case 'quota': {
      const namespaceEmptied = isEnding(request, record, facts) && !(await hasPods(request.namespace, sources));
      return { family: 'quota', request, facts: { ...facts, namespaceEmptied } };
    }
    case 'policy': {
      const namespaceEmptied = isEnding(request, record, facts) && !(await hasPods(request.namespace, sources));
      if (owner === 'platform') {
        const requester = await requesterAt(request, owner, sources);
        return { family: 'policy', request, facts: { ...facts, requester, namespaceEmptied } };
      }
      if (!isJudged(request, tenancy.settings) || !isRead(request, owner, sources))
        return { family: 'policy', request, facts: { ...facts, namespaceEmptied } };
      const reach = policyKindOf(request).read(request.object);
      const names = namesToLookUp(reach, { tenant: owner, tenancy, namespace: request.namespace });
      const ownerByName = names.length === 0 ? undefined : await ownersOfReserved(names, request, sources);
      const { isKept } = sources.namespaces;
      return { family: 'policy', request, facts: { ...facts, namespaceEmptied, reach, ownerByName, isKept } };
    }
  }
}

/** @throws FactsUnavailable where the API server does not know the namespace */
async function fetched(name: string, sources: TimedSources): Promise<NamespaceRecord> {
  const record = await fetch(name, sources);
  if (record === undefined) throw new FactsUnavailable(`namespace ${name} is not known`);
  return record;
}

/** Of more namespaces nothing is proven. */
const mostNamed = 64;

/** Of the namespaces that it names, those whose names are reserved to the owner. */
function reservedNamesIn(request: NeighbourRequest | UnreadRequest, { owner, tenancy }: Facts): readonly string[] {
  if (owner === 'platform') return [];
  const reserved = namespacesNamed(request).filter((one) => {
    const reservation = tenancy.reservation(one);
    return reservation !== undefined && reservation !== 'platform' && reservation.name === owner.name;
  });
  return reserved.length > mostNamed ? [] : reserved;
}

function asksAccount(request: PodRequest, { owner, requester }: Facts, { mutating }: Sources): boolean {
  return mutating !== true && needsAccountOwner(request) && owner !== 'platform' && !requester.platform;
}

/** Whether the pods of the namespace decide: a managed object is deleted while its namespace ends, and not by the platform. */
function isEnding(
  { operation, object }: PolicyRequest | ResourceQuotaRequest,
  { terminating }: NamespaceRecord,
  { requester }: Facts,
): boolean {
  return operation === 'DELETE' && isManaged(object) && !requester.platform && terminating;
}

/** Whether it matters what the policy of a tenant says. */
function isRead(request: PolicyRequest, owner: Tenant, { mutating }: Sources): boolean {
  if (request.operation === 'DELETE') return false;
  return mutating !== true || (isNarrowed(owner) && isNarrowable(request));
}

/** In a namespace of the mesh it matters whether a service account acts for the tenant of its own namespace. */
async function requesterAt(
  { user, namespace }: PolicyRequest | UnreadRequest,
  owner: Owner,
  sources: TimedSources,
): Promise<Requester> {
  const { tenancy, mutating } = sources;
  const requester = tenancy.requester(user, undefined);
  const isGuarded = owner === 'platform' && mutating !== true && meshNamespaces(tenancy.settings).has(namespace);
  return !isGuarded || requester.platform ? requester : tenancy.requester(user, await homeOwner(user, sources));
}
