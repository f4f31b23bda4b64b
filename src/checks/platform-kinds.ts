import { isGiven, isMap, valueAt } from '../kubernetes/json.ts';
import type { UnreadRequest } from '../kubernetes/review.ts';
import { platformKindOf } from '../tenancy/platform-kinds.ts';
import { type Check, type Finding, nothing } from './check.ts';
import { ofSettings } from './grants.ts';
import { isLeftAlone, mayWriteKind, resourceOf } from './unread-objects.ts';

/**
 * Policy kinds that are the platform's by name are not a tenant's to write.
 * Reads    the API group and resource, on CREATE and UPDATE. Of what the settings give to a tenant: spec.redirectFrontend of a
 *          CiliumLocalRedirectPolicy; spec.services and spec.backendServices of a CiliumEnvoyConfig
 * Allowed  the platform; agents of the network, for what is theirs. CiliumLocalRedirectPolicy and CiliumEnvoyConfig where
 *          network.policyKinds lists them for the tenant, with services of the own namespace, and never for an address
 * Why      such an object is about pods of every namespace, or says which identity an address has (SVC-09, SVC-10, SVC-12). An
 *          addressMatcher takes over any address on its node, also that of another service (CVE-2026-53935)
 */
export const platformKinds: Check = {
  id: 'platform-kinds',
  headline: 'is of a kind that only the platform writes',
  protects: 'identity',
  grants: ofSettings('network.policyKinds'),
  unread(request, facts) {
    const { group, resource, namespace } = request;
    const kind = platformKindOf(group, resource);
    if (kind === undefined || isLeftAlone(request, facts)) return nothing;
    const name = resourceOf(request);
    const reason = `${name} ${kind.does}`;
    const { owner, tenancy } = facts;
    if (namespace === '' || owner === 'platform')
      return [{ path: 'kind', reason, fix: 'ask the platform team to write it' }];
    if (kind.grantable && mayWriteKind(name, owner, tenancy.settings)) return ofOthers(request);
    const fix = kind.grantable
      ? `remove it, or ask the platform team to list ${name} in network.policyKinds for ${owner.name}`
      : 'ask the platform team to write it';
    return [{ path: 'kind', reason, fix, protects: 'border' }];
  },
};

/** What a granted object says about more than its own namespace. The grant is of nothing else, so no exemption is either. */
function ofOthers({ resource, object, namespace }: UnreadRequest): readonly Finding[] {
  const spec = isMap(object) ? object.spec : undefined;
  return resource === 'ciliumlocalredirectpolicies' ? redirected(spec, namespace) : proxied(spec, namespace);
}

/** cilium.io/v2 CiliumLocalRedirectPolicy: `serviceMatcher` and `addressMatcher` are alternatives. */
function redirected(spec: unknown, namespace: string): readonly Finding[] {
  const path = 'spec.redirectFrontend';
  const frontend = valueAt(spec, 'redirectFrontend');
  if (isGiven(valueAt(frontend, 'addressMatcher'))) {
    return [
      {
        path: `${path}.addressMatcher`,
        reason:
          'takes over an address for all pods of a node, and it can be that of a service of others (CVE-2026-53935)',
        witness: 'the cluster IP of the DNS service',
        fix: `write a serviceMatcher with serviceName and namespace: ${namespace} instead`,
      },
    ];
  }
  if (valueAt(frontend, 'serviceMatcher', 'namespace') === namespace) return nothing;
  return [
    {
      path: `${path}.serviceMatcher`,
      reason: `names no service of ${namespace}, and takes over its traffic for all pods of a node`,
      fix: `write a serviceMatcher with namespace: ${namespace}`,
    },
  ];
}

/** cilium.io/v2 CiliumEnvoyConfig: without a namespace, a service is of the namespace of the object. */
function proxied(spec: unknown, namespace: string): readonly Finding[] {
  return ['services', 'backendServices'].flatMap((field) => {
    const services = valueAt(spec, field);
    return (Array.isArray(services) ? services : []).flatMap((service: unknown, index): Finding[] => {
      const named = valueAt(service, 'namespace');
      if (!isGiven(named) || named === '' || named === namespace) return [];
      return [
        {
          path: `spec.${field}[${index}].namespace`,
          reason: `names a service of another namespace than ${namespace}`,
          fix: `write ${namespace}, or leave the namespace out`,
        },
      ];
    });
  });
}
