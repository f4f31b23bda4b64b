/** What a report is about, where that is not everything: its fields are those of `scope` in reports as JSON. */
export interface ScopeText {
  /** Left out: all namespaces. */
  readonly namespace?: string;
  /** As it was given. Left out: all labels. */
  readonly selector?: string;
}

/** The first line of a table. */
export function scopeLines(scope: ScopeText | undefined): readonly string[] {
  if (scope === undefined) return [];
  const { namespace, selector } = scope;
  const parts = [
    ...(namespace === undefined ? [] : [`namespace ${namespace}`]),
    ...(selector === undefined ? [] : [`labels ${selector}`]),
  ];
  return [`Scope: ${parts.join(', ')}. Everything was read; what was found elsewhere is left out.`, ''];
}
