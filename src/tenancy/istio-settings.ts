import type { Mode } from './tenant.ts';

/** A mesh of Istio. */
export interface IstioSettings {
  /** Its policies hold for the whole mesh. */
  readonly rootNamespace: string;
  /** In which an identity is of the namespace of this cluster that it names. */
  readonly trustDomains: ReadonlySet<string>;
  /** Of external authorization. Undefined tenants: every one. */
  readonly providers: readonly { readonly name: string; readonly tenants: ReadonlySet<string> | undefined }[];
  /** What PeerAuthentications of tenants must keep. */
  readonly mtls: MutualTls;
  readonly mtlsGrants: readonly MtlsGrant[];
  /** Of this cluster in the DNS: `SERVICE.NAMESPACE.svc.DOMAIN`. */
  readonly domain: string;
  /** What an object without exportTo is exported to. Never empty. */
  readonly defaultExportTo: readonly string[];
  /** Whether pods can be in ambient mode, whose proxies read each object as exported to every namespace. Undefined: not known. */
  readonly ambient: boolean | undefined;
  /** The modes of tenants in which contradictions between layers 4 and 7 are answered with warnings. Left out: none. */
  readonly layerModes?: ReadonlySet<Mode>;
}

/** The weakest first: plain text alone, plain text as well, or mutual TLS alone. */
export const mutualTlsModes = ['disable', 'permissive', 'strict'] as const;
export type MutualTls = (typeof mutualTlsModes)[number];

/** Where less is enough. At least one of tenants and namespaces is given; what is given must hold together. */
export interface MtlsGrant {
  readonly mtls: MutualTls;
  readonly tenants: ReadonlySet<string> | undefined;
  readonly namespaces: ReadonlySet<string> | undefined;
  /** Of portLevelMtls. Undefined: every port, and the whole workload. */
  readonly ports: ReadonlySet<number> | undefined;
}
