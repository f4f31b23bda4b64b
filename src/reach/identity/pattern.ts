/**
 * Which identities a text of a policy of a mesh matches:
 *
 *   spiffe://DOMAIN/ns/NAMESPACE/sa/ACCOUNT      no part has a slash; NAMESPACE is a DNS label
 *
 * A list of products: for each part of the identity a glob (glob.ts). It matches when all parts of one product do. An empty list matches nothing.
 */

/** Globs, one for each part of an identity. */
export interface IdentityProduct {
  readonly domain: string;
  readonly namespace: string;
  readonly account: string;
  /** The trust domain is one of the mesh. */
  readonly isOfMesh?: true;
}

export interface IdentityPattern {
  /** As it is written. */
  readonly text: string;
  readonly products: readonly IdentityProduct[];
  /** Versions of Istio differ about it. */
  readonly doubt?: string;
  /** ztunnel does not look at the field: it only gives an example, and excludes no identity. */
  readonly isHint?: true;
}

export const anyIdentity: IdentityProduct = { domain: '*', namespace: '*', account: '*' };
