/** Which kind of the table an object is of, by what it says of itself, and under which resource the API server would send it. */

import { platformKinds } from '../tenancy/platform-kinds.ts';
import { agentsWriteIn, policyGroupNames } from '../tenancy/policy-groups.ts';
import type { Kind } from './kind.ts';
import { kinds } from './kinds.ts';
import { apiVersionsOf } from './resource-name.ts';

/** As an AdmissionReview names it. */
export interface ReviewedResource {
  readonly group: string;
  readonly version: string;
  /** The plural. */
  readonly resource: string;
  readonly kind: string;
  readonly scope: Kind['scope'] | 'unknown';
  /** `unread`: Bulkhead reads no kind of this name, or not in this version. */
  readonly family: Kind['family'] | 'unread';
}

const byKind: ReadonlyMap<string, Kind> = new Map(
  kinds.flatMap((entry) => apiVersionsOf(entry).map((apiVersion) => [`${apiVersion} ${entry.kind}`, entry] as const)),
);
const byGroupKind: ReadonlyMap<string, Kind> = new Map(kinds.map((entry) => [`${entry.group} ${entry.kind}`, entry]));

/**
 * Undefined: the API server would not ask about it.
 *
 * @param listed further resources, as `PLURAL.GROUP`
 */
export function resourceOfObject(
  apiVersion: string,
  kind: string,
  listed: readonly string[] = [],
): ReviewedResource | undefined {
  const slash = apiVersion.lastIndexOf('/');
  const [group, version] = [apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1)];
  // A version that the table has not is refused when it is decoded.
  const entry = byKind.get(`${apiVersion} ${kind}`) ?? byGroupKind.get(`${group} ${kind}`);
  if (entry !== undefined)
    return { group, version, resource: entry.plural, kind, scope: entry.scope, family: entry.family };
  if (!policyGroupNames.has(group)) return undefined;
  const resource = pluralOf(group, kind, listed);
  return { group, version, resource, kind, scope: 'unknown', family: 'unread' };
}

/** As definitions name their resources, by habit: files do not say it. A known name that differs only in hyphens is taken. */
function pluralOf(group: string, kind: string, listed: readonly string[]): string {
  const guess = pluralized(kind.toLowerCase());
  const ofGroup = [...listed, ...platformKinds.keys()].flatMap((one) =>
    one.endsWith(`.${group}`) ? [one.slice(0, -group.length - 1)] : [],
  );
  const known = [...ofGroup, ...agentsWriteIn(group)];
  return known.find((name) => name.replaceAll('-', '') === guess) ?? guess;
}

function pluralized(name: string): string {
  if (/(s|x|z|ch|sh)$/.test(name)) return `${name}es`;
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}
