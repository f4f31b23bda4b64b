/** What the settings grant to an account on a namespace that is not its own (tenancy/namespace-grant.ts). */
import type { NamespaceRequest } from '../kubernetes/review.ts';
import { type NamespaceGrant, provisionerMark } from '../tenancy/namespace-grant.ts';
import type { Change } from './metadata-changes.ts';

type Granted = NamespaceGrant | undefined;

/** A provisioner says for whom it creates a namespace once, when it does. Its mark is then what the mutating webhook has written. */
export function isGranted({ map, key, after }: Change, { operation }: NamespaceRequest, grant: Granted): boolean {
  const provisioner = grant?.provisioner;
  if (operation === 'CREATE' && map === 'annotations' && provisioner !== undefined) {
    if (key === provisioner.tenantFrom) return true;
    if (key === provisionerMark) return after === provisioner.name;
  }
  return grant?.allowsKey(key) === true;
}

export function ownerReferencesGranted(grant: Granted): boolean {
  return grant?.provisioned === true && grant.provisioner?.ownerReferences === true;
}

/** A field as metadata.managedFields writes it: `f:metadata/f:labels/f:KEY`. The manager of a map as such excludes no other from its keys. */
export function isFieldGranted(path: string, grant: NamespaceGrant): boolean {
  const [, map, rest = '.'] =
    /^f:metadata\/f:(labels|annotations|finalizers|ownerReferences)(?:\/(.*))?$/s.exec(path) ?? [];
  if (map === undefined) return false;
  if (rest === '.') return true;
  if (map === 'ownerReferences') return ownerReferencesGranted(grant);
  return map === 'finalizers'
    ? rest.startsWith('v:"') && grant.allowsFinalizer(rest.slice(3, -1))
    : rest.startsWith('f:') && grant.allowsKey(rest.slice(2));
}
