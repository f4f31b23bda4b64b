/** What a check is: data plus pure, total, synchronous functions. catalogue.ts lists all checks, judge.ts runs them. */

import type { TenantOf } from '../exemptions/doubt.ts';
import type { PolicyVerdict } from '../kinds/kind.ts';
import type { JsonMap } from '../kubernetes/json.ts';
import type { StringMap } from '../kubernetes/objects.ts';
import type {
  AdmissionRequest,
  ExemptionRequest,
  GateRequestRequest,
  NamespaceRequest,
  NeighbourRequest,
  PodRequest,
  PolicyRequest,
  ResourceQuotaRequest,
  TenantRequest,
  UnreadRequest,
  WorkloadRequest,
} from '../kubernetes/review.ts';
import type { Reach } from '../reach/model.ts';
import type { IsKept, OwnerByName } from '../reach/violation.ts';
import type { NamespaceGrant } from '../tenancy/namespace-grant.ts';
import type { Ownership } from '../tenancy/ownership.ts';
import type { Owner, Requester, Tenancy } from '../tenancy/tenancy.ts';
import type { Grant } from './grants.ts';

/** One thing that is wrong. Text is made of it once, at the edge (admission/message.ts). */
export interface Finding {
  /** The field, as in the object: `spec.ingress[0].from[1].namespaceSelector`. */
  readonly path: string;
  /** What is wrong and why, one sentence without a full stop. */
  readonly reason: string;
  /** Something concrete that would get through. Made up, never another tenant's object. */
  readonly witness?: string;
  /** What to write instead. */
  readonly fix: string;
  /** Left out: the headline of the check. */
  readonly headline?: string;
  /** The entry of the settings or of the built-in list that reserves the key, or its domain, where the finding is about one. */
  readonly reserved?: string;
  /** It is about what an update changes: it counts although the spec stays as it is. */
  readonly ofChange?: true;
  /** What it is about, where that is not what its check {@link Check.protects}. */
  readonly protects?: Protects;
  /** None of {@link Check.grants} lets it through: it is not valid, or not understood. */
  readonly ungrantable?: true;
}

/** What a check may know of every request beside the request itself; gathered once, before. */
export interface Facts {
  readonly tenancy: Tenancy;
  readonly requester: Requester;
  /** Who owns the namespace that the request is in or about, before the request; `platform` for a Tenant or Exemption. For a Namespace CREATE: who will own it, `platform` while undecided. */
  readonly owner: Owner;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface NamespaceFacts extends Facts {
  /** What the settings let an account that is not the platform write on this namespace. */
  readonly grant?: NamespaceGrant | undefined;
  /** On CREATE: whose it will be, or why that is undecided. Otherwise undefined. */
  readonly ownership: Ownership | undefined;
  /** On CREATE: how many namespaces that tenant has now. Otherwise 0. */
  readonly namespacesOwned: number;
  /** For requests that only an emptied namespace allows (see gather): it is being deleted and no pod is left in it. */
  readonly namespaceEmptied: boolean;
}

export interface PodFacts extends Facts {
  /** Labels of its namespace. */
  readonly namespaceLabels: StringMap;
  /** For an update that changes address annotations: the owner of the requesting service account's namespace. Otherwise undefined. */
  readonly accountOwner?: Owner | undefined;
}

/** Of kinds of which Bulkhead puts objects in place. */
export interface ManagedFacts extends Facts {
  /** For the DELETE of a managed object: its namespace is being deleted and no pod is left in it. Otherwise false. */
  readonly namespaceEmptied: boolean;
}

export interface GatheredPolicyFacts extends ManagedFacts {
  /** Of a tenant's policy that is written: what it says. Otherwise undefined, or not read yet. */
  readonly reach?: Reach | undefined;
  /** Who has the namespaces that it selects by names reserved to the owner. */
  readonly ownerByName?: OwnerByName | undefined;
  readonly isKept?: IsKept | undefined;
}

export interface PolicyFacts extends GatheredPolicyFacts {
  /** Empty when the spec is not judged (DELETE, platform namespaces). */
  readonly reach: Reach;
  /** One verdict for each peer that is not plainly contained; empty when the spec is not judged (DELETE, platform namespaces). */
  readonly border: readonly PolicyVerdict[];
}

export interface TenantFacts extends Facts {
  /** How many namespaces it has now. */
  readonly namespacesOwned: number;
  readonly namesOwned: ReadonlySet<string>;
  /** Of a Tenant that asks for new names or prefixes: those of namespaces that are not the tenant's. Otherwise empty. */
  readonly namesOfOthers: readonly string[];
}

export interface ExemptionFacts extends Facts {
  readonly namespaceOf: TenantOf;
}

/** Of kinds that name namespaces. */
export interface NamingFacts extends Facts {
  /** Who has the namespaces that it names: live where their names are reserved to the owner, from memory where nothing reserves them. */
  readonly ownerByName: OwnerByName;
}

export interface UnreadFacts extends NamingFacts {
  /** Whether an agent of the network writes what is its own, from an account in a namespace of the platform. */
  readonly byAgent: boolean;
  /** What is stored of its kind, but for what Bulkhead manages. Undefined: nothing depends on it, or it could not be listed in time. */
  readonly othersOfKind?: readonly JsonMap[] | undefined;
}

export interface NeighbourFacts extends NamingFacts {
  /** The owner of the requesting service account's namespace; undefined for other users. */
  readonly accountOwner: Owner | undefined;
}

/** A request with the facts of its family. */
export type Gathered =
  | GatheredOf<NamespaceRequest, NamespaceFacts>
  | GatheredOf<PodRequest, PodFacts>
  | GatheredOf<PolicyRequest, GatheredPolicyFacts>
  | GatheredOf<ResourceQuotaRequest, ManagedFacts>
  | GatheredOf<TenantRequest, TenantFacts>
  | GatheredOf<ExemptionRequest, ExemptionFacts>
  | GatheredOf<GateRequestRequest, Facts>
  | GatheredOf<NeighbourRequest, NeighbourFacts>
  | GatheredOf<UnreadRequest, UnreadFacts>
  | GatheredOf<WorkloadRequest, PodFacts>;

interface GatheredOf<Request extends AdmissionRequest, Known extends Facts> {
  readonly family: Request['family'];
  readonly request: Request;
  readonly facts: Known;
}

/**
 * What a check protects. `identity`: facts that the proofs of all tenants rest on (who owns what, managed objects);
 * always enforced. `node`: nodes that tenants share; always enforced, and the platform can exempt a workload. `border`: the tenant's own
 * border; follows the mode of the tenant, and can be exempted as well. `intent`: the requester, from a mistake; never refuses, but
 * warns.
 */
export type Protects = 'identity' | 'node' | 'border' | 'intent';

/** Whether a finding refuses in every mode of the tenant. */
export const isInEveryMode = (protects: Protects): boolean => protects === 'identity' || protects === 'node';

/** Whether an exemption can cover a finding. */
export const isExemptable = (protects: Protects): boolean => protects === 'node' || protects === 'border';

/** Facts that cost a request or a search. They are gathered for the requests for which a check asks for them. */
export interface Needs {
  /** Whether the verdict depends on {@link NamespaceFacts.namespaceEmptied}. */
  readonly namespaceEmptied?: (request: NamespaceRequest) => boolean;
  /** Whether the verdict depends on {@link PodFacts.accountOwner}. */
  readonly accountOwner?: (request: PodRequest) => boolean;
  /** The namespaces of which {@link NamingFacts.ownerByName} gives the owner. */
  readonly namespacesNamed?: (request: NeighbourRequest) => readonly string[];
  /** The same for kinds that the table does not read. */
  readonly namespacesNamedByUnread?: (request: UnreadRequest) => readonly string[];
  /** Whether a warning depends on {@link UnreadFacts.othersOfKind}, where the platform writes: the versions that may be served. */
  readonly othersOfUnread?: (request: UnreadRequest) => readonly string[];
  /** Whether the verdict depends on {@link NeighbourFacts.accountOwner}. */
  readonly accountOwnerOfNeighbour?: (request: NeighbourRequest) => boolean;
  /** What {@link TenantFacts.namesOfOthers} is about: whole names and prefixes. Empty: the verdict does not depend on them. */
  readonly namesOfOthers?: (request: TenantRequest) => readonly string[];
}

/** Findings are listed in the order of the object's fields; none means that the check has nothing against the request. */
export interface Check {
  /** Also the name of its file, its page in docs/checks and its fixtures. Never changes. */
  readonly id: string;
  /** What the object does that is refused, in a few words. Follows the name of the object in the first line of a denial. */
  readonly headline: string;
  readonly protects: Protects;
  /** How the platform lets one tenant do it. Left out: not, or by an Exemption alone. */
  readonly grants?: readonly Grant[];
  readonly needs?: Needs;
  /** Its `pod` reads fields that never change, on CREATE. It is asked again when containers change (changed-containers.ts). */
  readonly sharedByContainers?: true;
  readonly namespace?: (request: NamespaceRequest, facts: NamespaceFacts) => readonly Finding[];
  readonly pod?: (request: PodRequest, facts: PodFacts) => readonly Finding[];
  readonly policy?: (request: PolicyRequest, facts: PolicyFacts) => readonly Finding[];
  readonly quota?: (request: ResourceQuotaRequest, facts: ManagedFacts) => readonly Finding[];
  readonly tenant?: (request: TenantRequest, facts: TenantFacts) => readonly Finding[];
  readonly exemption?: (request: ExemptionRequest, facts: ExemptionFacts) => readonly Finding[];
  readonly gate?: (request: GateRequestRequest, facts: Facts) => readonly Finding[];
  readonly neighbour?: (request: NeighbourRequest, facts: NeighbourFacts) => readonly Finding[];
  readonly unread?: (request: UnreadRequest, facts: UnreadFacts) => readonly Finding[];
}

/** Nothing found: one list for all, so that the common case allocates nothing. */
export const nothing: readonly Finding[] = [];
