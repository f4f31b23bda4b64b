/**
 * Whether the callers of a mesh that a source names are plainly the policy's own namespace: each text of each field names it, so that
 * nothing has to be put together from several fields. That is what most people write; of everything else, this says nothing.
 */
import { isName, isNamespace } from './identity/glob.ts';
import type { IdentityPattern, IdentityProduct } from './identity/pattern.ts';
import type { IdentityPeer } from './model.ts';
import { ownershipOf } from './namespace-name.ts';
import type { Border } from './violation.ts';

const ownDomain: ReadonlySet<string> = new Set(['cluster.local']);

/** The trust domains whose names of namespaces are those of this cluster. */
export function trustedDomains({ tenancy }: Border): ReadonlySet<string> {
  return tenancy.settings.istio?.trustDomains ?? ownDomain;
}

export function arePlainlyOwn({ all }: IdentityPeer, border: Border): boolean {
  const trusted = trustedDomains(border);
  const [first] = all;
  // Several fields may contradict each other, unless all but the first say the name alone.
  if (first === undefined || !namesOwn(first, border, trusted, all.length > 1)) return false;
  for (let index = 1; index < all.length; index++) if (!isOwnName(all[index], border)) return false;
  return true;
}

/** @param alone whether no other namespace of the tenant counts */
function namesOwn(
  list: readonly IdentityPattern[],
  border: Border,
  trusted: ReadonlySet<string>,
  alone: boolean,
): boolean {
  let count = 0;
  for (const { products, doubt, isHint } of list) {
    if (doubt !== undefined || isHint) return false;
    for (const product of products) {
      if (!canCall(product, trusted)) return false;
      const { namespace } = product;
      if (namespace !== border.namespace && (alone || !isNamespace(namespace))) return false;
      if (ownershipOf(namespace, border) !== 'own') return false;
    }
    count += products.length;
  }
  return count > 0;
}

/** Whether it is plain that some identity fits beside the namespace, in the mesh. */
function canCall({ domain, account }: IdentityProduct, trusted: ReadonlySet<string>): boolean {
  return (domain === '*' || trusted.has(domain)) && (account === '*' || isName(account));
}

function isOwnName(list: readonly IdentityPattern[] = [], { namespace: own }: Border): boolean {
  const [only] = list;
  if (only === undefined || list.length > 1 || only.isHint || only.products.length > 1) return false;
  const [product] = only.products;
  return product?.namespace === own && product.domain === '*' && product.account === '*';
}
