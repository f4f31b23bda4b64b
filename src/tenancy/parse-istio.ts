import type { Mesh } from '../keys/key-group.ts';
import type { IstioSettings, MtlsGrant } from './istio-settings.ts';
import type { Report } from './problem.ts';
import type { IstioDocument, MtlsGrantDocument } from './schema/istio-schema.ts';

const defaultDomain = 'cluster.local';

/** Undefined: nothing of Istio is read. */
export function parseIstio(
  document: IstioDocument | undefined,
  mesh: Mesh | undefined,
  report: Report,
): { readonly istio?: IstioSettings } {
  if (document === undefined) return {};
  const { rootNamespace = 'istio-system', trustDomains = [defaultDomain], providers = [] } = document;
  const { mtls = 'strict', mtlsGrants = [], layerModes = ['enforce', 'warn'] } = document;
  const { defaultExportTo = ['*'], domain = defaultDomain, ambient = ambientOf(mesh) } = document;
  if (mesh === 'istio-ambient' && ambient === false)
    report(
      ['spec', 'istio', 'ambient'],
      'says that no pod is in ambient mode, and mesh says istio-ambient',
      'leave it out',
    );
  return {
    istio: {
      rootNamespace,
      // "cluster.local" stands for the trust domain of the mesh, whatever that is (pilot/pkg/security/trustdomain/bundle.go).
      trustDomains: new Set([defaultDomain, ...trustDomains]),
      providers: providers.map(({ name, tenants }) => ({ name, tenants: tenants && new Set(tenants) })),
      mtls,
      mtlsGrants: mtlsGrants.map((one, index) => parseGrant(one, index, report)),
      domain,
      defaultExportTo,
      ambient,
      layerModes: new Set(layerModes),
    },
  };
}

function ambientOf(mesh: Mesh | undefined): boolean | undefined {
  return mesh === 'istio-ambient' ? true : mesh === 'istio' ? false : undefined;
}

function parseGrant({ mtls, tenants, namespaces, ports }: MtlsGrantDocument, index: number, report: Report): MtlsGrant {
  if (tenants === undefined && namespaces === undefined)
    report(
      ['spec', 'istio', 'mtlsGrants', index],
      'is for every namespace of every tenant',
      'list tenants or namespaces, or set istio.mtls',
    );
  return {
    mtls,
    tenants: tenants && new Set(tenants),
    namespaces: namespaces && new Set(namespaces),
    ports: ports && new Set(ports),
  };
}
