/**
 * Tenants that are written one by one: which version of each is in force. A folder of files is valid or invalid as a whole.
 * An invalid object must not block changes of all others, and must not open anything.
 *
 * - From the oldest object to the youngest, the newest version of each is in force if it is compatible with those before it.
 *   An object whose version is incompatible or unreadable still gets the names and prefixes that it asks for, in that order.
 *   All this depends on the objects alone, not on the time or the order in which a replica read them. So replicas agree.
 * - If the newest version is not in force, the last one that was takes its place, unless it takes something from other tenants.
 *   It is remembered, not written anywhere: a replica that has just started knows none.
 * - A tenant without either is closed: it has no members, and the names that it got are reserved.
 */
import { formatSteps, type Loaded, type Located, type Problem, unlined } from './problem.ts';
import type { ReservedNames } from './reserved-names.ts';
import type { Settings } from './settings.ts';
import { undeclaredTenant } from './tenancy.ts';
import type { Tenant } from './tenant.ts';
import { validateTenancy } from './validate-tenancy.ts';

/** A Tenant object, and what its newest version says by itself. */
export interface DeclaredTenant {
  /** Of each name there is one. */
  readonly name: string;
  /** RFC 3339, in UTC and whole seconds (metadata.creationTimestamp): as text in the order of time. */
  readonly created: string;
  readonly loaded: Loaded<Tenant>;
  /** Where they can be read although the whole may not. */
  readonly reserved: ReservedNames;
}

export interface Resolution {
  /** In force, by name, as their objects say now or said once. */
  readonly inForce: ReadonlyMap<string, Tenant>;
  /** Tenants of which no version is in force: each reserves its names, and has no members. */
  readonly closed: readonly Tenant[];
  /** By name, for each object whose newest version is not in force: why. */
  readonly refused: ReadonlyMap<string, readonly Problem[]>;
  /** What deserves a second look in what is in force. */
  readonly warnings: readonly Problem[];
}

/** What a problem of a Tenant object names as its file: what kubectl takes. */
export function tenantFile(name: string): string {
  return `tenants.bulkhead.dev/${name}`;
}

export function locatedTenant(tenant: Tenant): Located<Tenant> {
  return { value: tenant, locate: unlined(tenantFile(tenant.name)) };
}

/**
 * @param lastGood by name, the version of each object that was last in force as its newest one
 * @param now milliseconds since the epoch
 */
export function resolveTenants(
  declared: readonly DeclaredTenant[],
  lastGood: ReadonlyMap<string, Tenant>,
  settings: Settings,
  now: number,
): Resolution {
  const inOrder = declared.toSorted(byAge);
  const judge = (tenants: Iterable<Tenant>) => validateTenancy(settings, [...tenants].map(locatedTenant), now);
  const refused = new Map<string, readonly Problem[]>();
  for (const { name, loaded } of inOrder) if (!loaded.ok) refused.set(name, loaded.problems);

  const wanted = inOrder.map((one) => (one.loaded.ok ? one.loaded.value : reserving(one)));
  // A problem between two tenants is reported for the later one, so a tenant without a problem has its place.
  const conflicting = new Set(judge(wanted).problems.map(({ file }) => file));
  const places = new Map(wanted.flatMap((one) => (conflicting.has(tenantFile(one.name)) ? [] : [[one.name, one]])));
  for (const one of inOrder) {
    const { name, loaded } = one;
    if (places.has(name)) continue;
    // What stood in its way may be out of the way itself.
    const problems = loaded.ok ? judge([...places.values(), loaded.value]).problems : loaded.problems;
    if (loaded.ok && problems.length === 0) places.set(name, loaded.value);
    else {
      refused.set(name, problems);
      const claim = withoutConflicts(reserving(one), (tenant) => judge([...places.values(), tenant]).problems);
      const fits = judge([...places.values(), claim]).problems.length === 0;
      places.set(name, fits ? claim : undeclaredTenant(name));
    }
  }

  const standIns = new Set<string>();
  for (const { name } of inOrder) {
    const standIn = refused.has(name) ? lastGood.get(name) : undefined;
    if (standIn === undefined) continue;
    const others = [...places.values()].filter((other) => other.name !== name);
    if (judge([...others, standIn]).problems.length > 0) continue;
    places.set(name, standIn);
    standIns.add(name);
  }
  const isInForce = ({ name }: Tenant) => standIns.has(name) || !refused.has(name);
  const inForce = [...places.values()].filter(isInForce);
  return {
    inForce: new Map(inForce.map((tenant) => [tenant.name, tenant])),
    closed: [...places.values()].filter((tenant) => !isInForce(tenant)),
    refused,
    warnings: judge(inForce).warnings,
  };
}

/** An object of which no version counts, with the names that it asks for. */
function reserving({ name, reserved }: DeclaredTenant): Tenant {
  return { ...undeclaredTenant(name), reserved };
}

/** The tenant, with those of its names that no earlier tenant has. */
function withoutConflicts(tenant: Tenant, conflicts: (tenant: Tenant) => readonly Problem[]): Tenant {
  const file = tenantFile(tenant.name);
  const taken = new Set(conflicts(tenant).flatMap((problem) => (problem.file === file ? problem.path : [])));
  const left = [...tenant.reserved].filter(([, steps]) => !taken.has(formatSteps(steps)));
  return { ...tenant, reserved: new Map(left) };
}

/** Both are the API server's and never change, and no two objects share a name: one order, everywhere and for good. */
function byAge(one: DeclaredTenant, other: DeclaredTenant): number {
  return compare(one.created, other.created) || compare(one.name, other.name);
}

/** By code unit, not by locale: two replicas agree. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
