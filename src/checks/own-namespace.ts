import type { NamingFacts } from './check.ts';

/**
 * Whether the namespace is the tenant's, and stays so: that of the object itself, or one whose name is reserved for the tenant and that no
 * other has. A name that is not reserved could become a namespace of another tenant.
 */
export function isOwnNamespace(
  name: string,
  { namespace }: { readonly namespace: string },
  { owner, tenancy, ownerByName }: NamingFacts,
): boolean {
  if (owner === 'platform' || name === namespace) return true;
  const reserved = tenancy.reservation(name);
  if (reserved === undefined || reserved === 'platform' || reserved.name !== owner.name) return false;
  const namespaceOwner = ownerByName(name);
  return (
    namespaceOwner === 'none' ||
    (namespaceOwner !== undefined && namespaceOwner !== 'platform' && namespaceOwner.name === owner.name)
  );
}
