/**
 * Who owns the namespace of a name. A name is proven to be the tenant's by two facts together. It is reserved to the tenant, so no
 * other tenant can take it from now on. And no other owner has had it since before the reservation.
 */
import type { Domain, Selector } from '../kubernetes/label-selector.ts';
import { type Border, ownsThere, type Violation } from './violation.ts';

/** By one policy. Each may be a request to the API server; who selects more namespaces can do so by the tenant label. */
export const mostLookedUp = 50;

/**
 * own         the policy's own, which ends with its namespace; or reserved to the tenant, and no other owner has it
 * taken       reserved to the tenant, and another owner has it
 * unknown     reserved to the tenant, and its owner was not looked up
 * platform    reserved to the platform
 * unreserved  any tenant may create it
 * foreign     reserved to another tenant
 */
type NameOwnership = 'own' | 'taken' | 'unknown' | 'platform' | 'unreserved' | 'foreign';

export function ownershipOf(name: string, border: Border): NameOwnership {
  const { namespace, tenancy, tenant, ownerByName } = border;
  if (name === namespace) return ownsThere(border) ? 'own' : 'foreign';
  const reserved = tenancy.reservation(name);
  if (reserved === undefined) return 'unreserved';
  if (reserved === 'platform') return 'platform';
  if (reserved.name !== tenant.name || !ownsThere(border)) return 'foreign';
  // What is in another cluster, the platform answers for.
  if (border.cluster !== undefined) return 'own';
  const namespaceOwner = ownerByName?.(name);
  if (namespaceOwner === undefined) return 'unknown';
  return namespaceOwner === 'none' || (namespaceOwner !== 'platform' && namespaceOwner.name === tenant.name)
    ? 'own'
    : 'taken';
}

/**
 * The names that a namespace may have, undefined when they cannot be listed. A name is a DNS label (RFC 1123), and the label
 * is on every namespace: where it must be missing no name is left.
 */
export function possibleNames({ finite, values }: Domain): readonly string[] | undefined {
  if (!finite) return undefined;
  return [...values].filter((name) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name));
}

/**
 * Of a selector that leaves no name: what is in no namespace has no label of one either. Where nothing but the lack of labels is asked,
 * Cilium before 1.19 selects every address and every node (cilium/cilium#46949), of a NetworkPolicy too.
 */
export function beyondNamespaces(namespaces: Selector): Violation | undefined {
  for (const { absent } of namespaces.values()) if (!absent) return undefined;
  return {
    verdict: 'unproven',
    reason: 'selects what is in no namespace, and with some versions of Cilium that is every address and every node',
    fix: { id: 'correct-name' },
  };
}
