import type { IstioDocument } from './schema/istio-schema.ts';
import type { IstioSettings } from './settings.ts';

const defaultDomain = 'cluster.local';

/** Undefined: AuthorizationPolicies are not read. */
export function parseIstio(document: IstioDocument | undefined): { readonly istio?: IstioSettings } {
  if (document === undefined) return {};
  const { rootNamespace = 'istio-system', trustDomains = [defaultDomain], providers = [] } = document;
  return {
    istio: {
      rootNamespace,
      // "cluster.local" stands for the trust domain of the mesh, whatever that is (pilot/pkg/security/trustdomain/bundle.go).
      trustDomains: new Set([defaultDomain, ...trustDomains]),
      providers: providers.map(({ name, tenants }) => ({ name, tenants: tenants && new Set(tenants) })),
    },
  };
}
