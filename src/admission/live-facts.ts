/**
 * Facts from outside, within the time that is left: what memory lacks is asked of the API server, and what waits for a watch is waited for.
 * Each namespace has its own share of the live requests (client/fair-requests.ts), so one namespace cannot use up the time of all
 * others (NP-23).
 */
import { serviceAccountOf, type UserInfo } from '../kubernetes/user.ts';
import type { OwnerByName } from '../reach/violation.ts';
import type { Owner, Tenancy } from '../tenancy/tenancy.ts';
import type { BesideSource } from './beside.ts';
import type { Clock } from './clock.ts';
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
  /** Lists for hints (beside.ts). Left out: nothing is compared. */
  readonly beside?: BesideSource | undefined;
  /** The phase in which a policy is not judged, and looked into only where it may be narrowed. */
  readonly mutating?: true;
  readonly clock: Clock;
  /** When the request is judged, in milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds that live requests may take, and that a pod may be held. */
  readonly timeBudget: number;
}

/** The share of what is left of a pod's time budget in which the watch is waited for; the rest is for asking the API server itself. */
const watchShare = 0.75;

/** Sources with the end of the time budget, on the clock that only grows. */
export interface TimedSources extends Sources {
  readonly deadline: number;
}

/**
 * A namespace on its way out is asked for live: it may be gone by now, and its name given anew. Judged by what was known of the
 * old one, a tenant could delete the default-deny policy of the new one, or be taken for the tenant that had the name before.
 */
export function remembered(name: string, { namespaces }: Sources): NamespaceRecord | undefined {
  const record = namespaces.lookup(name);
  return record?.terminating === true ? undefined : record;
}

export function fetch(name: string, sources: TimedSources): Promise<NamespaceRecord | undefined> {
  return live((signal) => sources.namespaces.fetch(name, signal), sources);
}

/** Whether any pod is left in the namespace; never from memory. */
export function hasPods(name: string, sources: TimedSources): Promise<boolean> {
  return live((signal) => sources.namespaces.hasPods(name, signal), sources);
}

async function live<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  { clock, deadline }: TimedSources,
): Promise<Value> {
  const left = deadline - clock.elapsed();
  if (left <= 0) throw new FactsUnavailable('there was no time left to ask the API server');
  // The timer takes whole milliseconds and throws on anything else.
  const signal = AbortSignal.timeout(Math.ceil(left));
  try {
    return await ask(signal);
  } catch (error) {
    if (error instanceof TooManyWait)
      throw new FactsUnavailable('too many requests in this namespace wait for the API server', { cause: error });
    const failed = signal.aborted ? 'did not answer in time' : 'could not be asked';
    throw new FactsUnavailable(`the API server ${failed}`, { cause: error });
  }
}

/**
 * The owners of these namespaces, whose names are reserved for a tenant. A name that memory does not know counts as free without a
 * GET when the watch was heard after every replica knew the reservation (docs/decisions/0012). All other names are fetched at once.
 *
 * @throws {FactsUnavailable} when one of the GETs fails
 */
export async function ownersOfReserved(
  names: readonly string[],
  { namespace }: { readonly namespace: string },
  sources: TimedSources,
): Promise<OwnerByName> {
  const { tenancy, namespaces } = sources;
  const known = new Map<string, Owner | 'none'>();
  const add = (name: string, record: NamespaceRecord | undefined): void => {
    known.set(name, record === undefined ? 'none' : tenancy.ownerByLabels(record.labels));
  };
  const unknown: string[] = [];
  for (const name of names) {
    const record = remembered(name, sources);
    if (record !== undefined || isFree(name, sources)) add(name, record);
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

/** Whether memory proves that only the tenant that reserves the name can have it. For a gate that is the partner, not the requester's tenant. */
function isFree(name: string, { tenancy, namespaces }: Sources): boolean {
  const reserved = tenancy.reservation(name);
  return reserved !== undefined && reserved !== 'platform' && namespaces.isFree(name, reserved.name);
}

/**
 * Every pod that is created, by whomever, for whichever node, dry-run too: it is held until its namespace is isolated, and
 * refused for now when that does not come in time (POD-16). A Binding is not held: what was never admitted cannot be bound.
 */
export async function untilIsolated(
  namespace: NamespaceRecord,
  baselines: BaselineSource,
  sources: TimedSources,
): Promise<void> {
  const left = sources.deadline - sources.clock.elapsed();
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

/** Those of names that are reserved to the owner, as live as needed; those of names that nothing reserves, as memory has them. */
export async function ownersOfNames(
  names: readonly string[],
  request: { readonly namespace: string },
  sources: TimedSources,
): Promise<OwnerByName> {
  const { tenancy, namespaces } = sources;
  const known = names.length === 0 ? undefined : await ownersOfReserved(names, request, sources);
  return (name) => {
    const namespaceOwner = known?.(name);
    if (namespaceOwner !== undefined || tenancy.reservation(name) !== undefined) return namespaceOwner;
    const record = namespaces.lookup(name);
    return record && tenancy.ownerByLabels(record.labels);
  };
}

/** The owner of a service account's namespace. Undefined for other users, and when that namespace no longer exists. */
export async function homeOwner(user: UserInfo, sources: TimedSources): Promise<Owner | undefined> {
  const account = serviceAccountOf(user);
  if (account === undefined) return undefined;
  const home = remembered(account.namespace, sources) ?? (await fetch(account.namespace, sources));
  return home === undefined ? undefined : sources.tenancy.ownerByLabels(home.labels);
}
