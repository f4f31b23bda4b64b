/** What a check is: data plus pure, total, synchronous functions. catalogue.ts lists all checks, judge.ts runs them. */

import type { PolicyVerdict } from '../kinds/network-policy/fix-text.ts';
import type { StringMap } from '../kubernetes/objects.ts';
import type {
  NamespaceRequest,
  NetworkPolicyRequest,
  PodRequest,
  ResourceQuotaRequest,
  TenantRequest,
} from '../kubernetes/review.ts';
import type { Reach } from '../reach/model.ts';
import type { HolderOf } from '../reach/violation.ts';
import type { Ownership } from '../tenancy/ownership.ts';
import type { Owner, Requester, Tenancy } from '../tenancy/tenancy.ts';

/** One thing that is wrong. Text is made of it once, at the edge (admission/message.ts). */
export interface Finding {
  /** The id of the check; docs/checks/ID.md explains it. */
  readonly check: string;
  /** The field, as in the object: `spec.ingress[0].from[1].namespaceSelector`. */
  readonly path: string;
  /** What is wrong and why, one sentence without a full stop. */
  readonly reason: string;
  /** Something concrete that would get through. Made up, never another tenant's object. */
  readonly witness?: string;
  /** What to write instead. */
  readonly fix: string;
}

/** Everything a check may know beside the request; gathered once, before. */
export interface Facts {
  readonly tenancy: Tenancy;
  readonly requester: Requester;
  /** Who owns the namespace that the request is in or about, before the request; `platform` for a Tenant. For a Namespace CREATE: who will own it, `platform` while undecided. */
  readonly owner: Owner;
  /** For a request in a namespace: that namespace's labels. Otherwise undefined. */
  readonly namespaceLabels?: StringMap | undefined;
  /** For a Namespace CREATE: whose it will be, or why that is undecided. Otherwise undefined. */
  readonly ownership: Ownership | undefined;
  /** For a Namespace CREATE: how many namespaces that tenant has now. For a Tenant: how many it has now. */
  readonly namespacesOwned: number;
  /** For a Tenant: their names. Otherwise undefined. */
  readonly namesOwned?: ReadonlySet<string>;
  /** For a Tenant that asks for a new prefix: the names it covers of namespaces that are not the tenant's. Otherwise undefined. */
  readonly namesOfOthers?: readonly string[];
  /** For a NetworkPolicy of a tenant that is written: what it says. Otherwise undefined, or not read yet. */
  readonly reach?: Reach | undefined;
  /** For a NetworkPolicy: who has the namespaces that it selects by names reserved to the owner. Otherwise undefined. */
  readonly holderOf?: HolderOf | undefined;
  /** For an update that changes a Pod's address annotations: the owner of the requesting service account's namespace. Otherwise undefined. */
  readonly accountOwner?: Owner | undefined;
  /** For requests that only an emptied namespace allows (see gather): it is being deleted and no pod is left in it. */
  readonly namespaceEmptied: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Facts for a NetworkPolicy: also what it says, read once, and what each of its peers may reach. */
export interface PolicyFacts extends Facts {
  /** Empty when the spec is not judged (DELETE, platform namespaces). */
  readonly reach: Reach;
  /** One verdict for each peer that is not plainly contained; empty when the spec is not judged (DELETE, platform namespaces). */
  readonly border: readonly PolicyVerdict[];
}

/**
 * What a check protects. `identity`: facts that the proofs of all tenants rest on (who owns what, managed objects);
 * always enforced. `border`: the tenant's own border; follows the mode of the tenant. `intent`: whoever asks, from what was
 * not meant; never refuses, but warns.
 */
export type Protects = 'identity' | 'border' | 'intent';

/** Findings are listed in the order of the object's fields; none means that the check has nothing against the request. */
export interface Check {
  /** Also the name of its file, its page in docs/checks and its fixtures. Never changes. */
  readonly id: string;
  /** What the object does that is refused, as the end of a sentence that begins with its name. */
  readonly headline: string;
  readonly protects: Protects;
  readonly namespace?: (request: NamespaceRequest, facts: Facts) => readonly Finding[];
  readonly pod?: (request: PodRequest, facts: Facts) => readonly Finding[];
  readonly networkPolicy?: (request: NetworkPolicyRequest, facts: PolicyFacts) => readonly Finding[];
  readonly resourceQuota?: (request: ResourceQuotaRequest, facts: Facts) => readonly Finding[];
  readonly tenant?: (request: TenantRequest, facts: Facts) => readonly Finding[];
}

/** Nothing found: one list for all, so that the common case allocates nothing. */
export const nothing: readonly Finding[] = [];
