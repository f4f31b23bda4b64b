/** What the registrations of the webhook say of whom API servers trust and what they call, as it was last read back. */
export interface Published {
  /** Whether any registration names an authority: otherwise no API server gets through to the webhook, and nothing can be broken. */
  readonly registered: boolean;
  /** Every authority that any registration names. */
  readonly authorities: readonly string[];
  /** Milliseconds for which all registrations have named this authority, without a break; undefined: not all of them do. */
  trustedFor(authority: string): number | undefined;
  /** Every path that any registration names, without its last word: see paths.ts. */
  readonly paths: readonly string[];
  /** Milliseconds for which all registrations have named this path and no other; undefined: not all of them do. */
  pathNamedFor(path: string): number | undefined;
}
