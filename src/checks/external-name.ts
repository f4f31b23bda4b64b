import { mapIn } from '../kubernetes/json.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import { type Check, nothing } from './check.ts';
import { ofTenant } from './grants.ts';
import { namespacesOfName, violationOfName } from './led-names.ts';
import { textOf } from './written-endpoints.ts';

/**
 * A Service that is an alias leads into the tenant's own namespaces, or out of the cluster.
 * Reads    spec.externalName of Services of type ExternalName
 * Allowed  names of Services in the namespace of the object, and in namespaces that are reserved for the tenant; names outside the cluster;
 *          names that network.names grants, and these alone outside the cluster with network.services.externalNames granted; anything
 *          for the platform
 * Why      an ingress controller or a proxy resolves the alias and connects with its own rights: to Services of other tenants, to the
 *          metadata service, to itself (SVC-05). Names of pods, addresses in place of names, and names such as
 *          10-96-0-10.nip.io lead to any address
 */
export const externalName: Check = {
  id: 'external-name',
  headline: 'is an alias for a name that its tenant may not have others reach',
  protects: 'border',
  grants: ofTenant('network.names'),
  needs: {
    namespacesNamed: ({ kind, object }) =>
      kind === 'Service' && isAlias(object) ? namespacesOfName(textOf(mapIn(object, 'spec').externalName)) : [],
  },
  neighbour(request, facts) {
    const { kind, object, operation, subresource } = request;
    if (kind !== 'Service' || operation === 'DELETE' || subresource !== '') return nothing;
    if (facts.owner === 'platform' || facts.requester.platform) return nothing;
    // Without that type the API server keeps the field, and nothing reads it; with a change of the type it is judged.
    if (!isAlias(object)) return nothing;
    const mode = facts.tenancy.settings.services.externalNames;
    const violation = violationOfName(textOf(mapIn(object, 'spec').externalName), mode, request, facts);
    return violation === undefined ? nothing : [{ path: 'spec.externalName', ...violation }];
  },
};

function isAlias(service: KubernetesObject): boolean {
  return mapIn(service, 'spec').type === 'ExternalName';
}
