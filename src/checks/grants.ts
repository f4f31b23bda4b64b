/** What the platform can write so that a check has nothing against an object any more. */
export interface Grant {
  /** Below `spec`: `network.egress`, `pods.sysctls`. A test finds it in the schema. */
  readonly field: string;
  readonly of: 'tenant' | 'settings';
  /** What fixes call it where they do not name the field. */
  readonly called?: string;
  /** Only fixes name it, where it helps: the last line of a refusal does not. */
  readonly inFixes?: true;
}

/** What lets a refused object through as it is. */
export interface Ways {
  readonly grants: readonly Grant[];
  /** Whether an Exemption from the check can cover the finding. */
  readonly exemption: boolean;
}

export const ofTenant = (...fields: readonly string[]): readonly Grant[] =>
  fields.map((field) => ({ field, of: 'tenant' }));

export const ofSettings = (...fields: readonly string[]): readonly Grant[] =>
  fields.map((field) => ({ field, of: 'settings' }));

export const inFixes = (grants: readonly Grant[]): readonly Grant[] =>
  grants.map((grant) => ({ ...grant, inFixes: true }));

export const gates: Grant = { field: 'network.gates', of: 'tenant', called: 'gate' };

export const sharedServices: Grant = { field: 'sharedServices', of: 'settings', called: 'shared service' };

/** Whether the fix says that the platform can grant it this way. */
export function names(fix: string, { field, called }: Grant): boolean {
  return fix.includes(field) || (called !== undefined && fix.includes(called));
}
