/**
 * Tenants that are written one by one: which version of each is in force. A folder of files is good or bad as a whole; of
 * objects, one that is bad must neither stop all others from changing nor open anything.
 *
 * - What goes together with all that is in force is in force.
 * - Otherwise the version before stays, and the new one is told why. What was in force first keeps its place; among those
 *   that are new together, what was made first does.
 * - A tenant that never was good is closed: nobody speaks for it, and its prefix, where that can be read, stays reserved.
 */
import { isMap } from '../kubernetes/json.ts';
import { entry } from '../kubernetes/objects.ts';
import { type Loaded, type Located, type Problem, unlined } from './problem.ts';
import { namePrefix } from './schema/names.ts';
import type { Settings } from './settings.ts';
import { undeclaredTenant } from './tenancy.ts';
import type { Tenant } from './tenant.ts';
import { validateTenancy } from './validate-tenancy.ts';

/** A Tenant object, and what its newest version says by itself. */
export interface DeclaredTenant {
  readonly name: string;
  /** RFC 3339, in UTC and whole seconds (metadata.creationTimestamp): as text in the order of time. */
  readonly created: string;
  readonly loaded: Loaded<Tenant>;
  /** The prefix, where it can be read although the whole may not. */
  readonly prefix: string | undefined;
}

export interface Resolution {
  /** In force, by name, as their objects say now or said once. */
  readonly inForce: ReadonlyMap<string, Tenant>;
  /** What was never good, as far as it counts: it reserves names, and nobody speaks for it. */
  readonly closed: readonly Tenant[];
  /** By name, for each object whose newest version is not in force: why. */
  readonly refused: ReadonlyMap<string, readonly Problem[]>;
  /** What deserves a second look in what is in force. */
  readonly warnings: readonly Problem[];
}

const prefixPattern = new RegExp(namePrefix.pattern, 'u');

/** The prefix that an object asks for, also where the rest cannot be read. */
export function prefixIn(spec: unknown): string | undefined {
  const namespaces = isMap(spec) ? entry(spec, 'namespaces') : undefined;
  const prefix = isMap(namespaces) ? entry(namespaces, 'prefix') : undefined;
  const fits = typeof prefix === 'string' && prefix.length <= namePrefix.maxLength && prefixPattern.test(prefix);
  return fits ? prefix : undefined;
}

/** What a problem of a Tenant object names as its file: what kubectl takes. */
export function tenantFile(name: string): string {
  return `tenants.bulkhead.dev/${name}`;
}

export function locatedTenant(tenant: Tenant): Located<Tenant> {
  return { value: tenant, locate: unlined(tenantFile(tenant.name)) };
}

/**
 * @param before what was in force; goes together with the settings
 * @param now milliseconds since the epoch
 */
export function resolveTenants(
  declared: readonly DeclaredTenant[],
  before: ReadonlyMap<string, Tenant>,
  settings: Settings,
  now: number,
): Resolution {
  const inOrder = declared.toSorted(byAge);
  const refused = new Map<string, readonly Problem[]>();
  let inForce = new Map<string, Tenant>();
  let pending: Tenant[] = [];
  for (const { name, loaded } of inOrder) {
    const held = before.get(name);
    if (held !== undefined) inForce.set(name, held);
    if (!loaded.ok) refused.set(name, loaded.problems);
    else if (loaded.value !== held) pending.push(loaded.value);
  }

  const problemsWith = (changes: readonly Tenant[]) => {
    const changed = new Set(changes.map(({ name }) => name));
    const kept = [...inForce.values()].filter(({ name }) => !changed.has(name));
    return validateTenancy(settings, [...kept, ...changes].map(locatedTenant), now).problems;
  };
  const takeOver = (changes: readonly Tenant[]) => {
    inForce = new Map([...inForce, ...changes.map((tenant): [string, Tenant] => [tenant.name, tenant])]);
    pending = pending.filter((tenant) => !changes.includes(tenant));
  };

  // One change may make room for another, so it goes on until no more can be taken over.
  for (let moved = true; moved && pending.length > 0; ) {
    const blamed = new Set(problemsWith(pending).map(({ file }) => file));
    const together = pending.filter(({ name }) => !blamed.has(tenantFile(name)));
    moved = together.length > 0 && problemsWith(together).length === 0;
    if (moved) takeOver(together);
    else {
      for (const tenant of [...pending]) {
        if (problemsWith([tenant]).length > 0) continue;
        takeOver([tenant]);
        moved = true;
      }
    }
  }
  for (const tenant of pending) refused.set(tenant.name, problemsWith([tenant]));

  const closed: Tenant[] = [];
  for (const { name, prefix } of inOrder) {
    if (inForce.has(name)) continue;
    const reserving = { ...undeclaredTenant(name), prefix };
    closed.push(problemsWith([...closed, reserving]).length === 0 ? reserving : undeclaredTenant(name));
  }
  const { warnings } = validateTenancy(settings, [...inForce.values()].map(locatedTenant), now);
  return { inForce, closed, refused, warnings };
}

function byAge(one: DeclaredTenant, other: DeclaredTenant): number {
  return compare(one.created, other.created) || compare(one.name, other.name);
}

/** By code unit, not by locale: two replicas agree. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
