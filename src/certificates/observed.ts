/** The CA bundles and paths of Bulkhead's webhook configurations, as last read. */
export interface Observed {
  /** Whether any CA bundle has a certificate: otherwise no API server gets through, and nothing can be broken. */
  readonly hasBundle: boolean;
  /** Every authority that any CA bundle has. */
  readonly authorities: readonly string[];
  /** Milliseconds for which all CA bundles have had this authority, without a break; undefined: not all of them do. */
  inBundlesFor(authority: string): number | undefined;
  /** Every path that any configuration names, without its last word: see paths.ts. */
  readonly paths: readonly string[];
  /** Milliseconds for which all configurations have named this path and no other; undefined: not all of them do. */
  pathNamedFor(path: string): number | undefined;
}
