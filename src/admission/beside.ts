/**
 * The policies that stand beside one that is written: a live list of its namespace, for hints about contradictions between layers 4 and 7.
 * A part of what is gathered that no verdict depends on: where it cannot be had soon, it is left out.
 */
import { isDeepStrictEqual } from 'node:util';
import { isManagedName, managedByLabel, managedByValue } from '../baseline/managed.ts';
import type { Gathered } from '../checks/check.ts';
import type { PolicyKind } from '../kinds/kind.ts';
import { isJudged, policyKindOf, policyKinds } from '../kinds/policy-kind.ts';
import { collectionPaths } from '../kinds/resource-name.ts';
import { type JsonMap, valueAt } from '../kubernetes/json.ts';
import type { PolicyRequest, UnreadRequest } from '../kubernetes/review.ts';
import { serviceAccountOf } from '../kubernetes/user.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { NamespaceSource } from './facts.ts';
import type { TimedSources } from './live-facts.ts';

/** Why nothing is compared. `busy`: others are listing; `often`: too much was listed just now; `large`: the namespace holds too much. */
export const skippedReasons = ['late', 'busy', 'often', 'large', 'failed'] as const;
export type Skipped = (typeof skippedReasons)[number];

/** Of the namespace and of the root namespace of the mesh, each with its apiVersion and kind. */
export type Beside = { readonly objects: readonly JsonMap[] } | { readonly skipped: Skipped };

/** Objects are listed at the first of the paths that is served; where none is, there are none. */
export interface ListedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly paths: readonly string[];
  /** As in a query of the API, encoded. Left out: all of them. */
  readonly labelSelector?: string;
}

export interface AskedLists {
  /** Empty for what is cluster-scoped. */
  readonly namespace: string;
  /** Who has to share. */
  readonly tenant: string;
  readonly first: ListedKind;
  readonly others: readonly ListedKind[];
  /** Without it, the others are not listed where there is none of `first`. */
  readonly isOfMesh: boolean;
}

export interface BesideSource {
  /**
   * One live list, of `first` and then of the others. Never rejects.
   *
   * @param signal ends the wait, not the list, which others may share
   */
  list(asked: AskedLists, signal: AbortSignal): Promise<Beside>;
  /** Counts that nothing is listed. */
  skip(skipped: Skipped): { readonly skipped: Skipped };
  /** Whether the tenant has time left. Asked before the list, and again before comparing: others may have used it up meanwhile. */
  hasTime(tenant: string): boolean;
  /**
   * What comparing cost, so that no tenant takes the time of all others.
   *
   * @param skipped why it was not compared after all
   */
  charge(tenant: string, milliseconds: number, skipped: Skipped | undefined): void;
}

/** What is gathered of the list, with the namespaces that memory knows. */
type Known = Beside & {
  readonly namespaceOf: NamespaceSource['lookup'];
  readonly hasTime: () => boolean;
  readonly charge: (milliseconds: number, skipped: Skipped | undefined) => void;
};

export type GatheredBeside = Gathered & { readonly beside?: Known | undefined };

/** Milliseconds; and never more than half of what is left. An answer takes 5 to 20 ms. */
const longestWait = 500;

export async function withBeside(gathering: Promise<Gathered>, sources: TimedSources): Promise<GatheredBeside> {
  const gathered = await gathering;
  const { beside: source, namespaces } = sources;
  if (source === undefined || isForeign(gathered, sources)) return gathered;
  const asked = askedOf(gathered);
  if (asked === undefined) return gathered;
  const { tenant } = asked;
  const known = {
    namespaceOf: namespaces.lookup,
    hasTime: () => source.hasTime(tenant),
    charge: (milliseconds: number, skipped: Skipped | undefined) => source.charge(tenant, milliseconds, skipped),
  };
  return { ...gathered, beside: { ...(await listed(asked, source, sources)), ...known } };
}

function listed({ request, tenant, isOfMesh }: Asked, source: BesideSource, sources: TimedSources): Promise<Beside> {
  const namespace = encodeURIComponent(request.namespace);
  const [first, ...others] = kindsBeside(namespace, sources.tenancy.settings);
  return listedInTime({ namespace, tenant, first, others, isOfMesh }, source, sources);
}

async function listedInTime(asked: AskedLists, source: BesideSource, sources: TimedSources): Promise<Beside> {
  // A timer for each request of a crowd costs more than all else.
  if (!source.hasTime(asked.tenant)) return source.skip('often');
  const wait = Math.min(longestWait, (sources.deadline - sources.clock.elapsed()) / 2);
  if (wait < 1) return source.skip('late');
  return source.list(asked, AbortSignal.timeout(Math.ceil(wait)));
}

/** No tenant has this name. */
const platform = '';
const notManaged = encodeURIComponent(`${managedByLabel}!=${managedByValue}`);

/**
 * What is stored of a cluster-scoped kind of the platform, but for what Bulkhead manages. Only the platform gets it.
 *
 * @param versions those in which it may be served; empty: it is not needed
 * @returns undefined where it is not needed, or could not be had soon
 */
export async function othersOfKind(
  { group, resource, kind }: UnreadRequest,
  versions: readonly string[],
  sources: TimedSources,
): Promise<readonly JsonMap[] | undefined> {
  const { beside: source } = sources;
  if (source === undefined || versions.length === 0) return undefined;
  const paths = versions.map((version) => `/apis/${group}/${version}/${resource}`);
  const first = { apiVersion: `${group}/${versions[0]}`, kind, paths, labelSelector: notManaged };
  const found = await listedInTime(
    { namespace: '', tenant: platform, first, others: [], isOfMesh: false },
    source,
    sources,
  );
  return 'skipped' in found ? undefined : found.objects;
}

/** Members of another tenant, and service accounts of its namespaces: names of this tenant's policies are not theirs to read. */
function isForeign({ request, facts: { requester, owner, tenancy } }: Gathered, { namespaces }: TimedSources): boolean {
  if (requester.platform || owner === 'platform' || requester.tenants.includes(owner)) return false;
  const account = serviceAccountOf(request.user);
  const home = account && namespaces.lookup(account.namespace);
  const homeOwner = home === undefined ? owner : tenancy.ownerByLabels(home.labels);
  return requester.tenants.length > 0 || (homeOwner !== 'platform' && homeOwner !== owner);
}

const meshGroup = 'security.istio.io';
const unreadOfMesh: ReadonlySet<string> = new Set(['peerauthentications', 'requestauthentications']);

interface Asked {
  readonly request: PolicyRequest | UnreadRequest;
  readonly tenant: string;
  readonly isOfMesh: boolean;
}

/** Undefined: there is nothing to compare, or its author gets no hints. */
function askedOf({ family, request, facts }: Gathered): Asked | undefined {
  if (family !== 'policy' && family !== 'unread') return undefined;
  const { owner, tenancy } = facts;
  const { istio } = tenancy.settings;
  if (istio === undefined || owner === 'platform' || istio.layerModes?.has(owner.mode) !== true) return undefined;
  const { operation, oldObject, name, subresource } = request;
  if (operation === 'DELETE' || isManagedName(name) || subresource !== '') return undefined;
  if (request.family === 'unread') {
    const { group, resource, object } = request;
    if (group !== meshGroup || !unreadOfMesh.has(resource)) return undefined;
    if (oldObject !== undefined && isDeepStrictEqual(valueAt(object, 'spec'), valueAt(oldObject, 'spec')))
      return undefined;
    return { request, tenant: owner.name, isOfMesh: resource === 'requestauthentications' };
  }
  const kind = policyKindOf(request);
  const isOfMesh = kind.group === meshGroup;
  if (!isJudged(request, tenancy.settings)) return undefined;
  if (request.oldObject !== undefined && kind.unchanged(request.object, request.oldObject)) return undefined;
  return isOfMesh || kind.inForce !== undefined ? { request, tenant: owner.name, isOfMesh } : undefined;
}

/** AuthorizationPolicies first. */
function kindsBeside(namespace: string, { istio, plugin }: Settings): readonly [ListedKind, ...ListedKind[]] {
  const root = istio?.rootNamespace ?? '';
  const network = policyKinds.filter((kind) => kind.inForce !== undefined && isEnforced(kind, plugin));
  const ofMesh = (name: string, plural: string, place: string): ListedKind => ({
    ...{ apiVersion: `${meshGroup}/v1`, kind: name },
    paths: ['v1', 'v1beta1'].map((version) => `/apis/${meshGroup}/${version}/namespaces/${place}/${plural}`),
  });
  const authorizations = (place: string) => ofMesh('AuthorizationPolicy', 'authorizationpolicies', place);
  const mutualTls = (place: string) => ofMesh('PeerAuthentication', 'peerauthentications', place);
  return [
    authorizations(namespace),
    mutualTls(namespace),
    ofMesh('RequestAuthentication', 'requestauthentications', namespace),
    { apiVersion: 'v1', kind: 'Service', paths: [`/api/v1/namespaces/${namespace}/services`] },
    ...network.map(
      (kind): ListedKind => ({
        ...{ apiVersion: `${kind.group}/${kind.versions[0]}`, kind: kind.kind },
        paths: collectionPaths(kind).map((path) => inNamespace(path, kind.plural, namespace)),
      }),
    ),
    ...(root === namespace ? [] : [authorizations(root), mutualTls(root)]),
  ];
}

function inNamespace(path: string, plural: string, namespace: string): string {
  return `${path.slice(0, -plural.length)}namespaces/${namespace}/${plural}`;
}

/** Of a plugin that is not known, every kind counts. */
function isEnforced({ group, listedBy }: PolicyKind, plugin: Settings['plugin']): boolean {
  if (listedBy !== undefined) return false;
  if (plugin === undefined || group === 'networking.k8s.io') return true;
  return group === 'cilium.io' ? plugin === 'cilium' : plugin === 'calico';
}
