/** What `pods` of the settings gives to which tenants, by name, so that a look-up does not depend on the number of entries. */
import { once } from '../kubernetes/once.ts';
import type { Settings } from '../tenancy/settings.ts';
import type { Tenant } from '../tenancy/tenant.ts';

type Pods = Settings['pods'];

/** `every` tenant, or those of these names. */
type Allowed = 'every' | Set<string>;

export function mayUseDriver(driver: string, { name }: Tenant, pods: Pods): boolean {
  const allowed = driversOf(pods).get(driver);
  return allowed === 'every' || allowed?.has(name) === true;
}

const driversOf = once(({ csiDrivers }: Pods): ReadonlyMap<string, Allowed> => {
  const drivers = new Map<string, Allowed>();
  for (const { driver, tenants } of csiDrivers) {
    const known = drivers.get(driver) ?? new Set();
    drivers.set(driver, known === 'every' || tenants === undefined ? 'every' : known.union(tenants));
  }
  return drivers;
});

/** @param value undefined: more than one */
export function mayTolerate(key: string, value: string | undefined, { name }: Tenant, pods: Pods): boolean {
  const reserved = tolerationsOf(pods).get(key);
  if (reserved === undefined || reserved.whole.has(name)) return true;
  return value !== undefined && reserved.values.get(value)?.has(name) === true;
}

/** The values of a reserved key that the tenant may tolerate, where it may not tolerate all. */
export function valuesOf(key: string, { name }: Tenant, pods: Pods): readonly string[] {
  const values = tolerationsOf(pods).get(key)?.values ?? [];
  return [...values].flatMap(([value, tenants]) => (tenants.has(name) ? [value] : []));
}

interface ReservedKey {
  readonly whole: Set<string>;
  readonly values: Map<string, Set<string>>;
}

const tolerationsOf = once(({ tolerations }: Pods): ReadonlyMap<string, ReservedKey> => {
  const keys = new Map<string, ReservedKey>();
  for (const { key, value, tenants } of tolerations) {
    const { whole, values } = keys.get(key) ?? { whole: new Set(), values: new Map() };
    if (value !== undefined) values.set(value, tenants.union(values.get(value) ?? new Set()));
    keys.set(key, { whole: value === undefined ? whole.union(tenants) : whole, values });
  }
  return keys;
});

export function mayUseResource(resource: string, { name }: Tenant, pods: Pods): boolean {
  return devicesOf(pods).resources.get(resource)?.has(name) !== false;
}

/** The reserved device classes that the tenant may not use. */
export function reservedClasses(tenant: Tenant, pods: Pods): readonly string[] {
  return devicesOf(pods).classesNotOf(tenant);
}

/** An extended resource of a class has its name behind this, whatever else the class is called (KEP-5004). */
const resourceOfClass = 'deviceclass.resource.kubernetes.io/';

const devicesOf = once(({ devices }: Pods) => {
  const resources = new Map<string, Set<string>>();
  const classes = new Map<string, Set<string>>();
  for (const { resource, deviceClass, tenants } of devices) {
    if (deviceClass !== undefined) classes.set(deviceClass, tenants.union(classes.get(deviceClass) ?? new Set()));
    const name = resource ?? `${resourceOfClass}${deviceClass}`;
    resources.set(name, tenants.union(resources.get(name) ?? new Set()));
  }
  const classesNotOf = once(({ name }: Tenant): readonly string[] =>
    [...classes].flatMap(([one, tenants]) => (tenants.has(name) ? [] : [one])),
  );
  return { resources, classesNotOf };
});
